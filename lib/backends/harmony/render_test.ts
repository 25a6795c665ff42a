import assert from "node:assert/strict";
import { loadHarmonyEncoding } from "./encoding.ts";
import { parseHarmonyText } from "./parse.ts";
import { renderHarmony, renderHarmonyIds, renderHarmonyText } from "./render.ts";
import { schemaText } from "./schema_text.ts";
import type { HarmonyMessage, JsonSchema } from "./types.ts";

const encoding = await loadHarmonyEncoding();

Deno.test("renderHarmonyText() writes a prompt with the system message's defaults", () => {
  const messages: HarmonyMessage[] = [
    { role: "system", content: {} },
    { role: "user", content: "Name a prime." },
  ];
  assert.equal(
    renderHarmonyText(messages, { nextRole: "assistant" }),
    "<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n" +
      "Knowledge cutoff: 2024-06\n\nReasoning: medium\n\n" +
      "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>" +
      "<|start|>user<|message|>Name a prime.<|end|><|start|>assistant",
  );
});

Deno.test("renderHarmonyText() leaves out what is null and writes what is given", () => {
  const text = (content: HarmonyMessage["content"]) => renderHarmonyText([{ role: "system", content }]);
  assert.equal(
    text({ identity: null, knowledgeCutoff: null, reasoningEffort: null, channels: null }),
    "<|start|>system<|message|><|end|>",
  );
  assert.equal(
    text({
      identity: "A parrot.",
      knowledgeCutoff: "1999-12",
      currentDate: "2000-01-01",
      reasoningEffort: "low",
      channels: ["final"],
      channelRequired: false,
    }),
    "<|start|>system<|message|>A parrot.\nKnowledge cutoff: 1999-12\nCurrent date: 2000-01-01\n\nReasoning: low\n\n" +
      "# Valid channels: final.<|end|>",
  );
  assert.equal(text("As it stands."), "<|start|>system<|message|>As it stands.<|end|>");
});

Deno.test("renderHarmonyText() writes namespaces by name, functions in theirs, and tells the system message", () => {
  const [system, developer] = renderHarmonyText([
    { role: "system", content: { tools: [{ name: "python", description: "Runs code.\nKeeps state." }] } },
    {
      role: "developer",
      content: {
        instructions: "Be brief.",
        functions: [{ name: "now", description: "The time.\r\nIn UTC.\n" }, {
          name: "add",
          parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        }],
        tools: [{ name: "archive", tools: [{ name: "open", parameters: {} }] }],
      },
    },
  ]).split("<|end|>");
  assert.match(
    system as string,
    /\n\n# Tools\n\n## python\n\nRuns code\.\nKeeps state\.\n\n# Valid channels: .*\nCalls to these/,
  );
  assert.equal(
    developer,
    "<|start|>developer<|message|># Instructions\n\nBe brief.\n\n# Tools\n\n" +
      "## archive\n\nnamespace archive {\n\ntype open = (_: any) => any;\n\n} // namespace archive\n\n" +
      "## functions\n\nnamespace functions {\n\n// The time.\n// In UTC.\ntype now = () => any;\n\n" +
      "type add = (_: {\na: number,\n}) => any;\n\n} // namespace functions",
  );
});

Deno.test("schemaText() writes types, comments, defaults and unions as the model was trained on", () => {
  const cases: [JsonSchema, string][] = [
    [{ type: "string" }, "string"],
    [{ type: "string", enum: ["a", 1, "b"] }, '"a" | "b"'],
    [{ type: "string", enum: [] }, "string"],
    [{ enum: ["a"] }, "any"],
    [{ type: ["integer", "null"] }, "number | null"],
    [{ type: "array" }, "Array<any>"],
    [{ type: "array", items: { type: "array", items: { type: "boolean" } } }, "boolean[][]"],
    [{ type: "object" }, "{\n}"],
    [{ type: "null" }, "any"],
    [{}, "any"],
    [
      {
        oneOf: [{ type: "string", enum: ["x"], default: "x" }, {
          type: "number",
          nullable: true,
          description: "n",
        }],
      },
      '\n | "x" // default: "x"\n | number | null // n',
    ],
    [
      {
        type: "object",
        description: "A place.",
        properties: {
          name: { type: "string", title: "Name", description: "As people say it.", examples: ["Bonn", 3] },
          at: {
            type: "object",
            description: "Where.",
            properties: { lat: { type: "number", default: 0 }, lon: { type: "number", default: null } },
            required: ["lat"],
          },
          kind: { type: "string", enum: ["town", "hill"], default: "hill" },
          note: { type: "string", nullable: true, default: "none" },
          tags: { type: "array", items: { type: "string" }, default: ["a", "b"] },
          size: {
            description: "Any of two.",
            default: 1,
            oneOf: [{ type: "number" }, { type: "string", default: "s" }],
          },
        },
        required: ["name"],
      },
      '// A place.\n{\n// Name\n//\n// As people say it.\n// Examples:\n// - "Bonn"\nname: string,\n' +
      "// Where.\nat?:     // Where.\n{\n    lat: number, // default: 0\n    lon?: number, // default: null\n    },\n" +
      'kind?: "town" | "hill", // default: hill\nnote?: string | null, // default: "none"\n' +
      'tags?: string[], // default: ["a","b"]\n' +
      '// Any of two.\n// default: 1\nsize?:\n | number\n | string // default: "s"\n,\n}',
    ],
    [
      {
        type: "object",
        properties: { x: { description: "same", oneOf: [{ description: "same", type: "string" }] } },
      },
      "{\nx?:\n | string\n,\n}",
    ],
  ];
  for (const [schema, text] of cases) assert.equal(schemaText(schema), text);
});

const turn: HarmonyMessage[] = [
  { role: "user", content: "3 + 4?" },
  { role: "assistant", channel: "analysis", content: "Seven." },
  { role: "assistant", channel: "final", content: "7" },
];

Deno.test("renderHarmony() drops reasoning before the first final once the last assistant message is one", () => {
  const shown = (messages: readonly HarmonyMessage[], options = {}) =>
    [...renderHarmonyText(messages, options).matchAll(/<\|channel\|>analysis<\|message\|>(.*?)<\|end\|>/g)]
      .map((m) => m[1]);
  const call: HarmonyMessage = {
    role: "assistant",
    channel: "commentary",
    recipient: "functions.f",
    content: "{}",
  };
  const again: HarmonyMessage[] = [
    { role: "user", content: "And 5?" },
    { role: "assistant", channel: "analysis", content: "Twelve." },
  ];
  assert.deepEqual(shown(turn), []);
  assert.deepEqual(shown(turn, { keepAnalysis: true }), ["Seven."]);
  assert.deepEqual(shown([...turn, ...again]), ["Seven.", "Twelve."]);
  assert.deepEqual(shown([...turn, ...again, call]), ["Seven.", "Twelve."]);
  assert.deepEqual(shown([...turn, ...again, { role: "assistant", channel: "final", content: "12" }]), [
    "Twelve.",
  ]);
  assert.deepEqual(shown([...turn, { role: "user", content: "Thanks." }]), []);
});

Deno.test("renderHarmony() ends calls with <|call|>, training texts with <|return|>, all else with <|end|>", () => {
  const ends = (messages: readonly HarmonyMessage[], options = {}) =>
    renderHarmonyText(messages, options).match(/<\|(end|call|return)\|>/g);
  const call: HarmonyMessage = {
    role: "assistant",
    recipient: "python",
    channel: "analysis",
    content: "1+1",
  };
  assert.deepEqual(ends(turn, { keepAnalysis: true }), ["<|end|>", "<|end|>", "<|end|>"]);
  assert.deepEqual(ends(turn, { training: true }), ["<|end|>", "<|return|>"]);
  assert.deepEqual(ends([call], { training: true }), ["<|call|>"]);
  assert.deepEqual(ends([{ role: "user", recipient: "python", content: "" }]), ["<|end|>"]);
  assert.equal(
    renderHarmonyText([{ role: "assistant", recipient: "all", content: "hi" }]),
    "<|start|>assistant<|message|>hi<|call|>",
  );
  assert.throws(() => renderHarmony(turn, { training: true, nextRole: "user" }), /HarmonyRenderError/);
});

Deno.test("renderHarmony() writes a sampled answer into the history with <|end|>, without its reasoning", () => {
  const sampled =
    "<|channel|>analysis<|message|>Seven.<|end|><|start|>assistant<|channel|>final<|message|>7<|return|>";
  const { messages } = parseHarmonyText(sampled, { startRole: "assistant" });
  assert.equal(messages.at(-1)?.end, "return");
  assert.equal(
    renderHarmonyText([...turn.slice(0, 1), ...messages, { role: "user", content: "Sure?" }], {
      nextRole: "assistant",
    }),
    "<|start|>user<|message|>3 + 4?<|end|><|start|>assistant<|channel|>final<|message|>7<|end|>" +
      "<|start|>user<|message|>Sure?<|end|><|start|>assistant",
  );
});

Deno.test("renderHarmonyIds() takes special tokens from their table alone", () => {
  assert.deepEqual(
    renderHarmonyIds([{
      role: "assistant",
      recipient: "functions.f",
      channel: "commentary",
      contentType: "<|constrain|>json",
      content: "<|end|>",
    }], encoding),
    [
      ...[200006, ...encoding.encode("assistant to=functions.f"), 200005, ...encoding.encode("commentary ")],
      ...[200003, ...encoding.encode("json"), 200008, 27, 91, 419, 91, 29, 200012],
    ],
  );
  assert.equal(encoding.decode([27, 91, 419, 91, 29]), "<|end|>");
  assert.equal(encoding.decode([200014, 199999, 9552]), "<|reserved_200014|><|endoftext|> \ufffd");
  assert.throws(() => encoding.decode([201089]), /RangeError: There is no token 201089/);
});

Deno.test("renderHarmony() refuses what would be read as something else, and says what to write", () => {
  const bad: [Partial<HarmonyMessage>, RegExp][] = [
    [{ role: "tool" }, /needs a name/],
    [{ role: "tool", name: "calculator" }, /write functions\.calculator/],
    [{ role: "tool", name: "user" }, /reads as a role/],
    [{ role: "tool", name: "assistant:x" }, /reads as a role/],
    [{ role: "boss" as "user" }, /use one of system, developer/],
    [{ contentType: "final" }, /reads as a channel/],
    [{ contentType: "functions.f" }, /reads as one/],
    [{ contentType: "to=f" }, /reads as a recipient/],
    [{ content: { identity: "x" } }, /only system and developer/],
  ];
  for (const [fields, message] of bad) {
    assert.throws(() => renderHarmony([{ role: "user", content: "x", ...fields }]), message);
  }
  assert.ok(renderHarmony([{ role: "tool", name: "calculator", recipient: "assistant", content: "x" }]));
});
