import assert from "node:assert/strict";
import { loadHarmonyEncoding } from "./encoding.ts";
import { parseHarmonyIds, parseHarmonyText } from "./parse.ts";
import { HarmonyParseError } from "./problems.ts";
import { harmonyIds, harmonyText, renderHarmony } from "./render.ts";
import { SPECIAL_TOKENS, specialText } from "./special_tokens.ts";
import { parseArguments, toolCallsOf, toolResult } from "./tool_calls.ts";
import type {
  DeveloperContent,
  FunctionTool,
  HarmonyMessage,
  HarmonyRole,
  JsonSchema,
  SystemContent,
  ToolNamespace,
} from "./types.ts";

const folder = new URL("../../../../shared/data/parity/", import.meta.url);
const present = await Deno.stat(folder).then(() => true, () => false);
if (!present) console.log("harmony_shared_test: skipped, the shared data are not beside this repository");
const encoding = present ? await loadHarmonyEncoding() : null as never;

const file = (name: string) => Deno.readTextFileSync(new URL(`harmony/${name}`, folder));
const golden = (name: string) => file(name).trimEnd();
function read<T>(name: string): T {
  return JSON.parse(file(name)) as T;
}

interface Case extends Record<string, unknown> {
  role: HarmonyRole;
}

const SYSTEM_FIELDS = {
  model_identity: "identity",
  reasoning_effort: "reasoningEffort",
  conversation_start_date: "currentDate",
  knowledge_cutoff: "knowledgeCutoff",
  required_channels: "channels",
} as const;

/** A message of cases.json as ours. */
function message(given: Case): HarmonyMessage {
  const { role, content, instructions, name, recipient, channel, content_type } = given;
  const system = Object.fromEntries(
    Object.entries(SYSTEM_FIELDS).filter(([key]) => key in given).map(([key, ours]) => [ours, given[key]]),
  );
  return {
    role,
    ...(name === undefined ? {} : { name: name as string }),
    ...(recipient === undefined ? {} : { recipient: recipient as string }),
    ...(channel === undefined ? {} : { channel: channel as string }),
    ...(content_type === undefined ? {} : { contentType: content_type as string }),
    content: role === "system"
      ? system as SystemContent
      : role === "developer"
      ? { instructions: instructions as string }
      : content as string,
  };
}

/** The fields of a parsed message that cases.json speaks of. */
function plain(
  { role, name, recipient, channel, contentType, content }: HarmonyMessage,
): Record<string, unknown> {
  const fields = { role, name, channel, recipient, content_type: contentType, content };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Ids of a text in which special tokens are meant. */
function idsOf(text: string): number[] {
  return text.split(/(<\|(?:return|constrain|channel|start|end|message|call)\|>)/).flatMap((part, i) =>
    i % 2 === 1 ? [SPECIAL_TOKENS[part.slice(2, -2) as keyof typeof SPECIAL_TOKENS]] : encoding.encode(part)
  );
}

function assertGolden(name: string, messages: readonly HarmonyMessage[], options: object): void {
  const segments = renderHarmony(messages, options);
  assert.equal(harmonyText(segments), golden(name), name);
  assert.deepEqual(
    harmonyIds(segments, encoding),
    read<Record<string, number[]>>("golden_tokens.json")[name],
    name,
  );
}

Deno.test({
  name: "renderHarmony() gives every golden render, token for token",
  ignore: !present,
  fn() {
    const { render, token_checks, special_tokens } = read<{
      render: {
        file: string;
        next_role: HarmonyRole | null;
        auto_drop_analysis?: boolean;
        messages: Case[];
      }[];
      token_checks: Record<string, number[]>;
      special_tokens: Record<string, number>;
    }>("cases.json");
    assert.equal(render.length, 15);
    for (const { file, next_role, auto_drop_analysis = true, messages } of render) {
      assertGolden(file, messages.map(message), {
        nextRole: next_role ?? undefined,
        keepAnalysis: !auto_drop_analysis,
      });
    }
    assert.deepEqual(encoding.encode("hello world"), token_checks["hello world"]);
    assert.deepEqual(encoding.encode("<|start|>"), token_checks["<|start|> as plain text"]);
    const ours = Object.entries(SPECIAL_TOKENS).map(([name, id]) => [specialText(name), id]);
    assert.deepEqual(Object.fromEntries(ours), special_tokens);
  },
});

/** The texts of whole-line comments. */
const comments = (text: string) => [...text.matchAll(/^\/\/ ?(.*)$/gm)].map(([, line]) => line as string);

Deno.test({
  name: "renderHarmony() gives the golden render of functions with every kind of schema",
  ignore: !present,
  fn() {
    const name = "test_render_functions_with_parameters.txt";
    const said = comments(golden(name));
    const format: JsonSchema = { type: "string", enum: ["celsius", "fahrenheit"], default: "celsius" };
    const functions: FunctionTool[] = [
      { name: "get_location", description: said[0] as string },
      {
        name: "get_current_weather",
        description: said[1] as string,
        parameters: {
          type: "object",
          properties: { location: { type: "string", description: said[2] as string }, format },
          required: ["location"],
        },
      },
      {
        name: "get_multiple_weathers",
        description: said[3] as string,
        parameters: {
          type: "object",
          properties: {
            locations: { type: "array", items: { type: "string" }, description: said[4] as string },
            format,
          },
          required: ["locations"],
        },
      },
      {
        name: "kitchensink",
        description: said[5] as string,
        parameters: {
          type: "object",
          description: "params object",
          properties: {
            string: {
              type: "string",
              title: "STRING",
              description: "A string",
              examples: ["hello", "world"],
            },
            string_nullable: {
              type: "string",
              nullable: true,
              description: "A nullable string",
              default: "the default",
            },
            string_enum: { type: "string", enum: ["a", "b", "c"] },
            oneof_string_or_number: {
              oneOf: [
                { type: "string", default: "default_string_in_oneof" },
                { type: "number", description: "numbers can happen too" },
              ],
              description: "a oneof",
              default: 20,
            },
          },
        },
      },
    ];
    const instructions = /# Instructions\n\n(.*)\n/.exec(golden(name))?.[1] as string;
    const user = /<\|start\|>user<\|message\|>(.*)<\|end\|>/.exec(golden(name))?.[1] as string;
    assertGolden(name, [
      { role: "system", content: { reasoningEffort: "high", currentDate: "2025-06-28" } },
      { role: "developer", content: { instructions, functions } },
      { role: "user", content: user },
    ], { nextRole: "assistant" });
  },
});

/** The browser's namespace, its words taken from the golden file. */
function browser(text: string): ToolNamespace {
  const section = text.slice(text.indexOf("## browser"), text.indexOf("} // namespace browser"));
  const about = (from: string, to: string) =>
    comments(section.slice(section.indexOf(from), section.indexOf(to))).join("\n");
  const count: JsonSchema = { type: "number", default: -1 };
  const words: JsonSchema = { type: "string" };
  return {
    name: "browser",
    description: about("## browser", "namespace browser"),
    tools: [
      {
        name: "search",
        description: about("namespace browser", "type search"),
        parameters: {
          type: "object",
          properties: { query: words, topn: { type: "number", default: 10 }, source: words },
          required: ["query"],
        },
      },
      {
        name: "open",
        description: about("type search", "type open"),
        parameters: {
          type: "object",
          properties: {
            id: { type: ["number", "string"], default: -1 },
            cursor: count,
            loc: count,
            num_lines: count,
            view_source: { type: "boolean", default: false },
            source: words,
          },
        },
      },
      {
        name: "find",
        description: about("type open", "type find"),
        parameters: { type: "object", properties: { pattern: words, cursor: count }, required: ["pattern"] },
      },
    ],
  };
}

Deno.test({
  name: "renderHarmony() gives the golden renders of built-in tools",
  ignore: !present,
  fn() {
    const both = "test_browser_and_python_tool.txt";
    const functions = "test_browser_and_function_tool.txt";
    const system = (...tools: ToolNamespace[]): HarmonyMessage => ({
      role: "system",
      content: { currentDate: "2025-06-28", tools },
    });
    const prose = /## python\n\n([^]*?)\n\n# Valid/.exec(golden(both))?.[1] as string;
    const python: ToolNamespace = { name: "python", description: prose };
    const next = { nextRole: "assistant" };
    assertGolden(both, [system(python, browser(golden(both)))], next);
    assertGolden("test_browser_tool_only.txt", [system(browser(golden("test_browser_tool_only.txt")))], next);
    const text = golden(functions);
    const [description] = comments(text.slice(text.indexOf("namespace functions")));
    assertGolden(functions, [
      system(browser(text)),
      {
        role: "developer",
        content: {
          functions: [{
            name: "lookup_weather",
            description: description as string,
            parameters: {
              type: "object",
              properties: { location: { type: "string" } },
              required: ["location"],
            },
          }],
        },
      },
    ], next);
  },
});

Deno.test({
  name: "HarmonyParser reads every golden stream, as ids and as text",
  ignore: !present,
  fn() {
    interface ParseCase {
      name: string;
      tokens_file?: string;
      text_file?: string;
      text?: string;
      start_role: HarmonyRole | null;
      expected?: Record<string, unknown>[];
      expected_message_count?: number;
      strict_is_error?: boolean;
    }
    const { parse } = read<{ parse: ParseCase[] }>("cases.json");
    assert.equal(parse.length, 10);
    for (const given of parse) {
      const { name, start_role, expected, expected_message_count, strict_is_error = false } = given;
      const ids = given.tokens_file
        ? golden(given.tokens_file).split(/\s+/).map(Number)
        : idsOf(given.text ?? golden(given.text_file as string));
      const text = encoding.decode(ids);
      for (const mode of ["strict", "recover"] as const) {
        const options = { startRole: start_role ?? undefined, mode, encoding };
        for (const run of [() => parseHarmonyIds(ids, options), () => parseHarmonyText(text, options)]) {
          if (mode === "strict" && strict_is_error) {
            assert.throws(run, (e) => e instanceof HarmonyParseError && e.code === "stop_in_header", name);
            continue;
          }
          const { messages, recoveries } = run();
          if (expected) assert.deepEqual(messages.map(plain), expected, name);
          else assert.equal(messages.length, expected_message_count, name);
          assert.deepEqual(
            recoveries.map(({ code }) => code),
            strict_is_error ? ["stop_in_header"] : [],
            name,
          );
        }
      }
    }
    const tokens = read<Record<string, number[]>>("golden_tokens.json");
    for (const [name, ids] of Object.entries(tokens)) {
      if (!/^\d/.test(golden(name))) assert.deepEqual(idsOf(golden(name)), ids, name);
    }
  },
});

Deno.test({
  name: "renderHarmony() and the parser carry the gpt-oss compatibility calls unchanged",
  ignore: !present,
  fn() {
    const lines = Deno.readTextFileSync(new URL("gptoss_compat_cases.jsonl", folder)).trim().split("\n");
    const cases = lines.map((line) =>
      JSON.parse(line) as { tool_name: string; input: string; expected_arguments: string }
    );
    assert.equal(cases.length, 30);
    const names = [...new Set(cases.map(({ tool_name }) => tool_name))];
    assert.equal(names.length, 6);
    const developer: DeveloperContent = {
      functions: names.map((name) => ({ name, parameters: { type: "object" } })),
    };
    for (const { tool_name, input, expected_arguments } of cases) {
      const conversation: HarmonyMessage[] = [
        { role: "user", content: input },
        {
          role: "assistant",
          recipient: `functions.${tool_name}`,
          channel: "commentary",
          contentType: "<|constrain|>json",
          content: expected_arguments,
        },
        toolResult(`functions.${tool_name}`, '{"done":true}'),
      ];
      const ids = harmonyIds(
        renderHarmony([{ role: "developer", content: developer }, ...conversation]),
        encoding,
      );
      const { messages } = parseHarmonyIds(ids, { encoding });
      assert.deepEqual(messages.slice(1).map(plain), conversation.map(plain));
      const [call, ...others] = toolCallsOf(messages);
      assert.equal(others.length, 0);
      assert.deepEqual([call?.namespace, call?.name], ["functions", tool_name]);
      assert.deepEqual(call && parseArguments(call), { ok: true, value: JSON.parse(expected_arguments) });
    }
  },
});
