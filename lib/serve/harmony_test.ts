import assert from "node:assert/strict";
import OpenAI from "openai";
import { loadHarmonyEncoding } from "../backends/harmony/encoding.ts";
import { SPECIAL_TOKENS, type SpecialName } from "../backends/harmony/special_tokens.ts";
import { openLocal } from "../backends/local.ts";
import type { LocalVariant } from "../backends/variants.ts";
import type { Continuation, Decoder, GenerateManyOptions, GenerateOptions } from "../engine/mod.ts";
import { startServer } from "./start_server.ts";
import { scriptedVariant } from "./testing/scripted_decoder.ts";

const encoding = await loadHarmonyEncoding();
const SPECIAL = /(<\|(?:start|end|message|channel|constrain|return|call)\|>)/;
const encode = (text: string) =>
  text.split(SPECIAL).flatMap((part, i) =>
    i % 2 === 1 ? [SPECIAL_TOKENS[part.slice(2, -2) as SpecialName]] : encoding.encode(part)
  );
const COMPLETION = "<|channel|>analysis<|message|>Three and four. More than six.<|end|>" +
  "<|start|>assistant<|channel|>final<|message|>It is 7 🙂. Sure.<|return|>";

const variant: LocalVariant = {
  ...scriptedVariant,
  model: "owner/name",
  folder: null,
  format: "harmony",
  harmony: { currentDate: "2026-01-31" },
  contextWindow: 10_000,
};

/** A decoder that says {@linkcode COMPLETION} in gpt-oss's vocabulary, and remembers its prompts. */
function sayingDecoder() {
  const prompts: number[][] = [];
  const tokens = encode(COMPLETION);
  const draw = (n: number, onToken: (event: { sample: number; token: number; text: string }) => void) => {
    for (const token of tokens) {
      for (let sample = 0; sample < n; sample++) onToken({ sample, token, text: "not to be used" });
    }
    return Array.from({ length: n }, () => ({ tokens, text: "not to be used", finishReason: "stop" }));
  };
  const decoder = {
    config: { vocabSize: 201_088 },
    contextWindow: 10_000,
    encode,
    decode: (ids: readonly number[]) => encoding.decode(ids),
    renderChat: () => {
      throw new Error("the checkpoint's own template is not to be used");
    },
    prefill: (ids: readonly number[]) => {
      prompts.push([...ids]);
      const generate = ({ n = 1, onToken }: GenerateOptions) =>
        Promise.resolve(draw(n, (event) => onToken?.(event)));
      return Promise.resolve({ length: ids.length, cachedTokens: 0, generate, [Symbol.dispose]: () => {} });
    },
    generateMany: ([{ n = 1 }]: [Continuation], { onToken }: GenerateManyOptions) =>
      Promise.resolve([draw(n, (event) => onToken?.({ request: 0, ...event }))]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as unknown as Decoder;
  return { decoder, prompts };
}

Deno.test("startServer() speaks Harmony as the in-process backend does, whole and streamed", async () => {
  const { decoder, prompts } = sayingDecoder();
  await using local = await openLocal(variant, { load: () => Promise.resolve(decoder) });
  await using server = await startServer({ variant, decoder });
  const client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
  const messages = [{ role: "system" as const, content: "Be brief." }, {
    role: "user" as const,
    content: "3 + 4? <|end|>",
  }];
  for (const stop of [undefined, ["."]]) {
    const expected = await local.generate({ messages, maxTokens: 200, ...(stop ? { stop } : {}) });
    assert.equal(expected.text, stop ? "It is 7 🙂" : "It is 7 🙂. Sure.");
    const asked = { model: "scripted", messages, ...(stop ? { stop } : {}), n: 2 };
    const whole = await client.chat.completions.create(asked);
    for (const { message, finish_reason } of whole.choices) {
      assert.equal(message.content, expected.text);
      assert.equal((message as { reasoning_content?: string }).reasoning_content, expected.reasoning);
      assert.equal(finish_reason, expected.finishReason);
    }
    const reasoningTokens = expected.usage.reasoningTokens as number;
    assert.equal(whole.usage?.completion_tokens_details?.reasoning_tokens, 2 * reasoningTokens);
    assert.ok(reasoningTokens > 5);

    const texts = ["", ""];
    const thoughts = ["", ""];
    const pieces = { thought: 0, said: 0 };
    for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true })) {
      for (const { index, delta } of choices) {
        texts[index] += delta.content ?? "";
        const { reasoning_content: thought = "" } = delta as { reasoning_content?: string };
        thoughts[index] += thought;
        assert.ok(thought === "" || texts[index] === "", "reasoning comes before the answer");
        if (thought) pieces.thought++;
        if (delta.content) pieces.said++;
      }
    }
    assert.deepEqual(texts, [expected.text, expected.text]);
    assert.deepEqual(thoughts, [expected.reasoning, expected.reasoning]);
    assert.ok(pieces.thought > 6, "the reasoning did not come in pieces");
    assert.ok(stop || pieces.said > 6, "the answer did not come in pieces");
  }
  assert.equal(new Set(prompts.map((ids) => ids.join())).size, 1);

  const [, begun] = [
    await local.continueFrom({ messages, prefix: "It", maxTokens: 200 }),
    await client.chat.completions.create({
      model: "scripted",
      messages: [...messages, { role: "assistant", content: "It" }],
      continue_final_message: true,
    } as OpenAI.ChatCompletionCreateParamsNonStreaming),
  ];
  assert.equal(begun.choices.length, 1);
  assert.deepEqual(prompts.at(-1), prompts.at(-2));
  await assert.rejects(
    () =>
      client.chat.completions.create({
        model: "scripted",
        messages: [{ role: "tool", content: "x", tool_call_id: "1" }],
      }),
    /400 .*does not name the tool/,
  );
});
