import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Tokenizer } from "../backends/backend.ts";
import { openBackend } from "../backends/open_backend.ts";
import { loadO200k, simulatedTokenizer } from "../backends/tokenizers.ts";
import { loadVariants, parseVariants, pickVariant, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { Attempt, GradedRow } from "../runs/experiment.ts";
import { attemptFor } from "../runs/testing.ts";
import { createRepeatedWords, type RepeatedWords, type RepeatedWordsRow } from "./repeated_words.ts";
import { repeatedWordsConfigSchema } from "./repeated_words_config.ts";
import { pairName, WORD_PAIRS } from "./repeated_words_pairs.ts";
import { repeatedWordsKind } from "./start_repeated_words.ts";

const models = await loadVariants(fileURLToPath(new URL("../../models/models.json", import.meta.url)));
const o200k = await loadO200k();

function apiVariant(fields: object = {}): Variant {
  const variant = {
    backend: "api",
    description: "a model",
    model: "m",
    baseUrl: "http://localhost:1/v1",
    contextWindow: 1_000_000,
    maxOutputTokens: 100_000,
    ...fields,
  };
  return pickVariant(parseVariants(JSON.stringify({ variants: { model: variant } }), "models.json"), "model");
}

function plan(
  settings: object = {},
  options: { readonly variant?: Variant; readonly tokenizer?: Tokenizer } = {},
): Promise<RepeatedWords> {
  const { variant = apiVariant(), tokenizer = o200k } = options;
  return createRepeatedWords(repeatedWordsConfigSchema.parse(settings), { variant, tokenizer });
}

const textOf = (prompt: { messages: readonly { content: string }[] }) => {
  const content = prompt.messages[0]?.content ?? "";
  return content.slice(content.indexOf("\n\n") + 2);
};
const skips = ({ rows }: RepeatedWords) => {
  const counts: Record<string, number> = {};
  for (const { skip } of rows) if (skip !== null) counts[skip] = (counts[skip] ?? 0) + 1;
  return counts;
};

Deno.test("createRepeatedWords() plans 1,090 rows in full and 15 in test mode, each with an id of its own", async () => {
  for (const pair of WORD_PAIRS) {
    const full = await plan({ pair: pairName(pair) });
    assert.equal(full.rows.length, 1090);
    assert.equal(full.fullSize, 1090);
    assert.equal(new Set(full.rows.map(({ id }) => id)).size, 1090);
    const test = await plan({ pair: pairName(pair), test: true });
    assert.equal(test.rows.length, 15);
    assert.equal(test.fullSize, 1090);
  }
});

Deno.test("createRepeatedWords() sends one user message: a line of instruction, and the text with one other word", async () => {
  const words = await plan({ pair: "San Francisco/sf", counts: [4], positions: [0, 50, 100] });
  const prompts = await Promise.all(words.rows.map((row) => words.prompt(row)));
  assert.deepEqual(words.rows.map(({ params }) => params.position), [3, 2, 0], "last position first");
  assert.deepEqual(prompts.map(textOf), [
    "San Francisco San Francisco San Francisco sf",
    "San Francisco San Francisco sf San Francisco",
    "sf San Francisco San Francisco San Francisco",
  ]);
  for (const { messages, oracle } of prompts) {
    assert.deepEqual(messages.map(({ role }) => role), ["user"]);
    assert.equal((messages[0]?.content.match(/\n/g) ?? []).length, 2);
    assert.equal(oracle, undefined, "a real model is told nothing");
  }
});

Deno.test("createRepeatedWords() knows every prompt's tokens within 1% and in all exactly, for every pair", async () => {
  await using pocket = await openBackend(pickVariant(models, "pocket"));
  const tokenizers = [[o200k, 2500], [await pocket.tokenizer(), 750], [simulatedTokenizer, 2500]] as const;
  for (const [tokenizer, most] of tokenizers) {
    for (const pair of WORD_PAIRS) {
      const words = await plan({ pair: pairName(pair), positions: [0, 3, 50, 98, 100] }, { tokenizer });
      const rows = words.rows.filter(({ params }) => params.word_count <= most);
      let planned = 0, real = 0;
      for (const row of rows) {
        const prompt = await words.prompt(row);
        const tokens = tokenizer.countMessages(prompt.messages);
        assert.equal(prompt.tokens, row.tokens);
        assert.ok(Math.abs(row.tokens - tokens) <= 0.01 * tokens, `${tokenizer.name} ${pairName(pair)}`);
        planned += row.tokens;
        real += tokens;
      }
      assert.ok(Math.abs(planned - real) <= 0.001 * real, `${planned} planned, ${real} real tokens`);
    }
  }
});

Deno.test("createRepeatedWords() caps answers at twice the prompt and keeps rows that the variant has no room for", async () => {
  const words = await plan({}, { variant: apiVariant({ maxOutputTokens: 16_384 }) });
  assert.ok(words.rows.every(({ tokens, maxTokens }) => maxTokens === 2 * tokens));
  assert.deepEqual(skips(words), { "max output": 101 });
  const narrow = await plan({}, { variant: apiVariant({ contextWindow: 16_384 }) });
  assert.deepEqual(skips(narrow), { window: 202 });
  assert.equal(narrow.rows.length, 1090);
  const reasoning = await plan({ reasoningTokens: 4000 }, {
    variant: apiVariant({ maxOutputTokens: 16_384 }),
  });
  assert.ok(reasoning.rows.every(({ tokens, maxTokens }) => maxTokens === 2 * tokens + 4000));
  assert.deepEqual(skips(reasoning), { "max output": 202 });
});

Deno.test("createRepeatedWords() spaces its counts over a small window and says so", async () => {
  const variant = pickVariant(models, "pocket");
  await using backend = await openBackend(variant);
  const tokenizer = await backend.tokenizer();
  for (const pair of WORD_PAIRS) {
    const test = await plan({ pair: pairName(pair), test: true }, { variant, tokenizer });
    assert.equal(test.grid.counts.length, 4, pairName(pair));
    assert.equal(test.rows.length, 12);
    assert.match(
      test.notes.join("\n"),
      /of the 5 standard counts fit the variant: 4 counts from \d+ to \d+ instead/,
    );
    assert.deepEqual(skips(test), {});
    const longest = Math.max(...test.rows.map(({ maxTokens }) => maxTokens));
    assert.ok(longest <= variant.maxOutputTokens && longest > 0.9 * variant.maxOutputTokens, `${longest}`);
  }
});

Deno.test("createRepeatedWords() gives other ids to other pairs, models and settings, and the same to the same", async () => {
  const ids = async (settings: object, variant = apiVariant()) =>
    (await plan({ counts: [25], ...settings }, { variant })).rows.map(({ id }) => id);
  const first = await ids({});
  assert.deepEqual(await ids({}), first);
  assert.deepEqual(await ids({ seed: 7 }), first, "the seed draws nothing at temperature 0");
  const others = [
    await ids({ pair: "apples/apple" }),
    await ids({ temperature: 0.7 }),
    await ids({ temperature: 0.7, seed: 7 }),
    await ids({ reasoningTokens: 1 }),
    await ids({}, apiVariant({ model: "another" })),
  ];
  assert.equal(new Set([first, ...others].flat()).size, 6 * 25);
});

Deno.test("repeatedWordsKind makes one experiment for each pair, and refuses wrong settings in words", async () => {
  const names = (settings: object) => repeatedWordsKind.parse(settings).experiments.map(({ name }) => name);
  assert.deepEqual(names({}), ["repeated-words-apple-apples"]);
  assert.deepEqual(names({ pair: "kiwi/lime" }), ["repeated-words-kiwi-lime"]);
  assert.equal(names({ pairs: "all" }).length, 7);
  assert.deepEqual(names({ pair: "kiwi/lime", pairs: "a/b,c/d" }), [
    "repeated-words-a-b",
    "repeated-words-c-d",
  ]);
  const refused = (settings: object, message: RegExp) =>
    assert.throws(
      () => names(settings),
      (error) => error instanceof InputError && message.test(error.message),
    );
  refused({ pair: "apple" }, /"apple" is not a pair/);
  refused({ count: [3] }, /Wrong Repeated Words settings: there is no setting count/);
  refused({ reasoningTokens: -1, temperature: 9 }, /temperature.*reasoningTokens/);
  await assert.rejects(plan({ pair: "a/b,c/d" }), /A run has one pair of words, not 2/);
  await assert.rejects(plan({ counts: [0] }), InputError);
});

const answered = (row: RepeatedWordsRow, output: string, fields: Partial<Attempt> = {}): Attempt => ({
  ...attemptFor(row.id),
  output,
  token_count: row.tokens,
  prompt_tokens_reported: row.tokens,
  ...fields,
});
const times = (word: string, n: number) => new Array<string>(n).fill(word).join(" ");

async function graded(
  words: RepeatedWords,
  answer: (row: RepeatedWordsRow, gold: string, i: number) => Attempt | null,
): Promise<readonly GradedRow[]> {
  const rows = await Promise.all(words.rows.map(async (row, i) => {
    const attempt = row.skip === null ? answer(row, textOf(await words.prompt(row)), i) : null;
    return { row, attempt, attempts: attempt === null ? 0 : 1, judgements: [] };
  }));
  return await words.grade(rows);
}

Deno.test("grade() names what became of a copy, and calls no good copy degenerate for going round in circles", async () => {
  const words = await plan({ counts: [600], positions: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] });
  const capped = { finish_reason: "length" };
  const cases: [string, (row: RepeatedWordsRow, gold: string) => Attempt][] = [
    ["correct", (row, gold) => answered(row, gold)],
    ["correct", (row, gold) => answered(row, `\n${gold}\n`, capped)],
    ["wrong", (row) => answered(row, times("apple", 600))],
    ["wrong", (row) => answered(row, times("apple", 700))],
    ["degenerate", (row) => answered(row, times("apple", 1100), capped)],
    ["output_cap", (row) => answered(row, times("apple", 400), capped)],
    ["degenerate", (row) => answered(row, times("pear", 300))],
    ["degenerate", (row) => answered(row, "<pad>".repeat(40))],
    ["degenerate", (row) => answered(row, "")],
    ["refused", (row) => answered(row, `${times("apple", 300)} I'm sorry, but I cannot continue.`)],
    ["truncated", (row, gold) => answered(row, gold, { prompt_tokens_reported: row.tokens >> 1 })],
  ];
  const exact = { ...o200k, exact: true };
  const exactWords = await plan({ counts: [600], positions: cases.map((_, i) => i * 10) }, {
    tokenizer: exact,
  });
  assert.equal(words.rows.length, cases.length);
  const rows = await graded(exactWords, (row, gold, i) => cases[i]?.[1](row, gold) ?? null);
  assert.deepEqual(rows.map(({ grade }) => grade?.validity), cases.map(([validity]) => validity));
  assert.match(
    String(rows[4]?.grade?.extra?.["reason"]),
    /^loop: " apple" 1\d\d\d times or more, up to the cap$/,
  );
  assert.equal(rows[10]?.grade?.correct, true, "cut prompts are invalid even where the answer is right");
  assert.equal(rows[2]?.grade?.extra?.["runs"], "apple x479, apples x1, apple x120 -> apple x600");
  assert.ok(rows.every(({ grade }) => grade?.judge === "match"));
});

Deno.test("grade() calls rows without an answer errors, and leaves rows without an attempt ungraded", async () => {
  const words = await plan({ counts: [25], positions: [0, 50, 100] });
  const rows = await graded(
    words,
    (row, gold, i) =>
      i === 0 ? null : answered(
        row,
        i === 1 ? "" : gold,
        i === 1 ? { status: "error", error: { kind: "server", message: "500" } } : {},
      ),
  );
  assert.deepEqual(rows.map(({ grade }) => grade?.validity ?? null), [null, "error", "correct"]);
  const { statistics, summary } = await words.report(rows);
  assert.match(summary, /1\/2 = 50\.0%.* of all rows sent; 1\/1 = 100\.0%.* of valid rows/);
  const { whole } = statistics as unknown as { whole: { all: Record<string, { n: number }> } };
  assert.equal(whole.all["exact"]?.n, 2);
  assert.equal(whole.all["levenshtein"]?.n, 1, "a row without an answer has no score");
});

Deno.test("score() says at once whether a copy is exact", async () => {
  const words = await plan({ counts: [25], positions: [50] });
  const row = words.rows[0] as RepeatedWordsRow;
  const gold = textOf(await words.prompt(row));
  assert.equal(words.score?.(row, answered(row, ` ${gold}\n`)), true);
  assert.equal(words.score?.(row, answered(row, gold + " apple")), false);
});

Deno.test("report() has five figures of every pair, with everything in words that cannot be seen", async () => {
  for (const pair of WORD_PAIRS) {
    const words = await plan({ pair: pairName(pair), counts: [25, 500], positions: [0, 25, 50, 75, 100] });
    const rows = await graded(
      words,
      (row, gold, i) =>
        i % 4 === 3
          ? answered(row, times(pair.base, 2000), { finish_reason: "length" })
          : answered(row, gold),
    );
    const { summary, figures } = await words.report(rows);
    assert.deepEqual(Object.keys(figures), [
      "token_count_performance",
      "levenshtein_score",
      "modified_word_present",
      "position_accuracy",
      "word_count_delta",
    ]);
    assert.match(summary, /8\/10 = 80\.0%.*8\/8 = 100\.0%/);
    assert.match(summary, /20\.0% of the rows sent are invalid \(2 degenerate\)/);
    for (const { svg, alt } of Object.values(figures)) {
      assert.match(svg, /20\.0% of rows invalid/);
      assert.match(alt, /90-100%/);
    }
  }
});
