import assert from "node:assert/strict";
import { pairLines, pairSet, parsePairs } from "./pairs.ts";
import { pairTexts } from "./pair_prompts.ts";
import { loadStyle } from "./style.ts";

const line = (question: string, positive = "In style.", negative = "Plain.") =>
  JSON.stringify({ question, positive, negative });

Deno.test("parsePairs() reads both forms, names pairs by content and drops those that ask the same", () => {
  const example = { question: "E?", positive: "In style.", negative: "Plain." };
  const lines = [
    line("Why?"),
    line("  why? ", "Other.", "Words."),
    "",
    JSON.stringify({ question: "Why?", examples: [example], answer: "so" }),
    line("How?"),
  ];
  const set = parsePairs(lines.join("\n"), "p.jsonl");
  assert.deepEqual(set.pairs.map(({ question }) => question), ["Why?", "Why?", "How?"]);
  assert.equal(set.duplicates, 1);
  assert.equal(new Set(set.pairs.map(({ id }) => id)).size, 3);
  assert.deepEqual(parsePairs(pairLines(set.pairs), "p.jsonl"), { ...set, duplicates: 0 });
  assert.notEqual(pairSet(set.pairs.slice(1)).sha256, set.sha256);
});

Deno.test("parsePairs() names the line that is wrong", () => {
  const wrong: [string, RegExp][] = [
    [`${line("Why?")}\n{`, /line 2: not JSON/],
    [line("Why?", "Same.", " Same. "), /line 1: no pair:[^]*the same/],
    [line(" "), /must hold text/],
    [JSON.stringify({ question: "Why?", positive: "a" }), /negative/],
    [JSON.stringify({ question: "Why?", examples: [] }), /examples/],
    ["[1]", /line 1/],
    ["\n\n", /holds no pairs/],
  ];
  for (const [source, message] of wrong) {
    assert.throws(() => parsePairs(source, "p.jsonl"), { name: "InputError", message });
  }
});

Deno.test("pairTexts() gives both texts of a pair: answers, worked examples, or instructions", async () => {
  const style = await loadStyle("step_by_step_reasoning");
  const { pairs } = pairSet(["a", "b", "c"].map((name) => ({
    question: `${name}?`,
    positive: `${name} in style.\n`,
    negative: `${name} plain.`,
  })));
  const user = (side: "positive" | "neutral", question: string) => ({
    role: "user" as const,
    content: `${style[side]}\n\n${question}`,
  });
  const [answers] = pairTexts(style, pairs, "answers");
  assert.deepEqual(answers?.positive, { messages: [user("neutral", "a?")], prefix: "a in style." });
  assert.deepEqual(answers?.negative, { messages: [user("neutral", "a?")], prefix: "a plain." });
  const [instructions] = pairTexts(style, pairs, "instructions");
  assert.deepEqual(instructions?.positive, { messages: [user("positive", "a?")], prefix: "" });
  assert.deepEqual(instructions?.negative, { messages: [user("neutral", "a?")], prefix: "" });
  const examples = pairTexts(style, pairs, "examples", 2);
  const last = examples[2] ?? assert.fail();
  assert.deepEqual(last.negative.messages.map(({ content }) => content), [
    user("neutral", "a?").content,
    "a plain.",
    user("neutral", "b?").content,
    "b plain.",
    user("neutral", "c?").content,
  ]);
  assert.equal(last.positive.messages.length, last.negative.messages.length);
  assert.deepEqual(last.positive.messages.at(-1), last.negative.messages.at(-1), "the same final question");
  assert.throws(() => pairTexts(style, pairs, "examples", 3), { name: "InputError", message: /at least 4/ });
  const own = pairSet([
    { question: "d?", examples: [{ question: "e?", positive: "s", negative: "p" }] },
  ]).pairs;
  assert.equal(pairTexts(style, own, "examples")[0]?.positive.messages.length, 3);
  assert.throws(() => pairTexts(style, own, "answers"), { name: "InputError", message: /--form examples/ });
});
