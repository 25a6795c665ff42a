import assert from "node:assert/strict";
import { answerOf } from "./answer.ts";
import { parseHarmonyText } from "./parse.ts";
import { parseArguments, toolCallsOf, toolResult } from "./tool_calls.ts";

const read = (text: string) => answerOf(parseHarmonyText(text, { mode: "recover", startRole: "assistant" }));

Deno.test("answerOf() tells the answer from the reasoning", () => {
  assert.deepEqual(
    read(
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>First, this.<|end|>" +
        "<|start|>assistant<|channel|>final<|message|>Four.<|return|>",
    ),
    { text: "Four.", reasoning: "Hm.\n\nFirst, this.", toolCalls: [], recoveries: [] },
  );
  assert.deepEqual(read("<|channel|>final<|message|>Fo"), {
    text: "Fo",
    reasoning: null,
    toolCalls: [],
    recoveries: [],
  });
});

Deno.test("answerOf() takes messages without a channel as the answer only where there is no final", () => {
  assert.deepEqual(read("Four.<|return|>"), {
    text: "Four.",
    reasoning: null,
    toolCalls: [],
    recoveries: ["stop_in_header", "no_final"],
  });
  const { text, reasoning } = read("Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>");
  assert.deepEqual([text, reasoning], ["Four.", "Hm."]);
});

Deno.test("answerOf() says when a completion ended without an answer, and what it called", () => {
  const { text, reasoning, toolCalls, recoveries } = read(
    '<|channel|>analysis<|message|>Ask.<|end|><|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{"a":1}<|call|>',
  );
  assert.deepEqual([text, reasoning, recoveries], ["", 'Ask.\n\nto=functions.f {"a":1}', ["no_final"]]);
  assert.deepEqual(toolCalls, [{
    namespace: "functions",
    name: "f",
    arguments: '{"a":1}',
    contentType: "json",
  }]);
  // Cut by the output cap, it might still have answered.
  assert.deepEqual(read("<|channel|>analysis<|message|>Ask").recoveries, []);
});

Deno.test("toolCallsOf() gives the assistant's messages to tools alone", () => {
  const said = [
    { role: "assistant", recipient: "python", content: "1+1" },
    { role: "assistant", recipient: "user", content: "x" },
    { role: "assistant", content: "x" },
    toolResult("functions.f", "x"),
  ] as const;
  assert.deepEqual(toolCallsOf(said), [{
    namespace: "",
    name: "python",
    arguments: "1+1",
    contentType: null,
  }]);
});

Deno.test("parseArguments() gives an object, or the reason why there is none", () => {
  assert.deepEqual(parseArguments({ arguments: '{"a":[1]}' }), { ok: true, value: { a: [1] } });
  assert.deepEqual(parseArguments({ arguments: " " }), { ok: true, value: {} });
  for (
    const [text, reason] of [["{a:1}", /not JSON/], ["[1]", /\[1\], not an object/], [
      "null",
      /null, not/,
    ]] as const
  ) {
    const read = parseArguments({ arguments: text });
    assert.ok(!read.ok && reason.test(read.reason), text);
  }
});
