import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import type { Validity } from "../runs/experiment.ts";
import { type AuditRow, auditRows, isValid } from "./audit.ts";

let made = 0;
const EXACT = { tokenizerExact: true };

/** A row that was sent, read and answered right. */
function row(change: Partial<AuditRow> = {}): AuditRow {
  const length = change.length ?? 1000;
  return {
    id: `row ${made++}`,
    length,
    skip: null,
    token_count: length,
    prompt_tokens_reported: change.token_count ?? length,
    completion_tokens: 12,
    maxTokens: 64,
    finish_reason: "stop",
    output: "Eat a sandwich and sit in the park.",
    error: null,
    correct: true,
    ...change,
  };
}

function classes(rows: readonly AuditRow[], options: Parameters<typeof auditRows>[1] = EXACT) {
  return auditRows(rows, options).map((audited) => audited.validity);
}

Deno.test("auditRows() gives each class its row, by the documented order", () => {
  const loop = "I think it is blue. ".repeat(30);
  const known: [Validity | null, Partial<AuditRow>][] = [
    ["correct", {}],
    ["wrong", { correct: false, output: "Blue." }],
    ["distractor", { correct: false, output: "Write every day.", distractor: 0 }],
    ["wrong", { correct: false, output: "Write every day.", distractor: -1 }],
    ["abstained", { correct: false, output: "The document does not mention it." }],
    ["refused", { correct: false, output: "I'm sorry, but I can't help with that." }],
    ["refused", { correct: null, output: "", finish_reason: "content_filter", completion_tokens: 0 }],
    ["output_cap", { correct: false, output: "Let me think about", finish_reason: "length" }],
    ["output_cap", { correct: false, output: "", reasoning: "Let me think.", finish_reason: "length" }],
    ["output_cap", { correct: false, output: "Let me", finish_reason: null, completion_tokens: 64 }],
    ["output_cap", { correct: true, output: "It is San", answerAtEnd: true, finish_reason: "length" }],
    ["correct", { correct: true, output: "It is blue, for", answerAtEnd: false, finish_reason: "length" }],
    ["degenerate", { correct: false, output: loop, finish_reason: "length" }],
    ["degenerate", { correct: true, output: loop, finish_reason: "length" }],
    ["degenerate", { correct: false, output: "", reasoning: loop, finish_reason: "length" }],
    ["correct", { correct: true, output: loop, finish_reason: "stop" }],
    ["degenerate", { correct: false, output: loop, finish_reason: "stop" }],
    ["degenerate", { correct: false, output: "" }],
    ["degenerate", { correct: false, output: "<pad>".repeat(9) }],
    ["degenerate", { correct: true, output: "blue<pad><pad><pad>" }],
    ["degenerate", { correct: true, prompt_tokens_reported: 0 }],
    ["degenerate", { correct: true, completion_tokens: 0 }],
    ["truncated", { correct: false, output: "Blue.", prompt_tokens_reported: 979 }],
    ["truncated", { correct: true, prompt_tokens_reported: 500 }],
    ["truncated", { correct: false, output: loop, finish_reason: "length", prompt_tokens_reported: 500 }],
    ["correct", { prompt_tokens_reported: 980 }],
    ["correct", { prompt_tokens_reported: null, completion_tokens: null, finish_reason: "unknown" }],
    ["error", { error: "server", output: "", correct: null }],
    ["error", { correct: null }],
    [null, { skip: "window", output: "", correct: null }],
  ];
  for (const [expected, change] of known) {
    assert.equal(classes([row(change)])[0], expected, JSON.stringify(change).slice(0, 200));
  }
});

Deno.test("auditRows() says why in words", () => {
  const [cut, capped] = auditRows([
    row({ prompt_tokens_reported: 500 }),
    row({ output: "", correct: false, finish_reason: "length", maxTokens: 4096 }),
  ], EXACT);
  assert.deepEqual(cut?.reasons, ["the server read 500 of 1,000 tokens sent"]);
  assert.deepEqual(capped?.reasons, ["stopped at the output cap of 4,096 tokens before any answer"]);
});

Deno.test("auditRows() takes a cached prefix that a server does not count for read", () => {
  assert.deepEqual(classes([row({ prompt_tokens_reported: 100, cached_tokens: 900 })]), ["correct"]);
  assert.deepEqual(classes([row({ prompt_tokens_reported: 500, cached_tokens: 480 })]), ["correct"]);
  assert.deepEqual(classes([row({ prompt_tokens_reported: 500, cached_tokens: 400 })]), ["truncated"]);
});

Deno.test("auditRows() learns the ratio and the template of an unknown tokenizer from the short rows", () => {
  const random = createRandom("ratio");
  // The model has 1.17 tokens to each of ours and a template of 71; text varies by 1%.
  const reads = (sent: number) => Math.round(71 + sent * 1.17 * (0.99 + 0.02 * random.next()));
  const rows = [500, 1000, 5000, 50_000, 100_000].flatMap((length) =>
    Array.from({ length: 11 }, () => row({ length, prompt_tokens_reported: reads(length) }))
  );
  assert.ok(classes(rows, { tokenizerExact: false }).every((validity) => validity === "correct"));
  const cut = rows.map((r) => ({
    ...r,
    prompt_tokens_reported: Math.min(65_536, r.prompt_tokens_reported ?? 0),
  }));
  assert.deepEqual(
    classes(cut, { tokenizerExact: false }).map((validity) => validity === "truncated"),
    rows.map((r) => r.length === 100_000),
  );
});

Deno.test("auditRows() sees a window that also cuts the second length", () => {
  const rows = [1000, 50_000, 100_000].flatMap((length) =>
    Array.from({ length: 5 }, () => row({ length, prompt_tokens_reported: Math.min(4096, length) }))
  );
  for (const options of [EXACT, { tokenizerExact: false }]) {
    assert.deepEqual(classes(rows, options).map((v) => v === "truncated"), rows.map((r) => r.length > 1000));
  }
});

Deno.test("auditRows() does not take a template larger than short prompts for a cut", () => {
  const rows = [50, 70, 100, 1000].map((length) => row({ length, prompt_tokens_reported: length + 150 }));
  assert.deepEqual(classes(rows, { tokenizerExact: false }), Array(4).fill("correct"));
});

Deno.test("auditRows() finds a second length cut to two thirds with an unknown tokenizer", () => {
  const rows = [1000, 50_000, 100_000].map((length) =>
    row({ length, prompt_tokens_reported: Math.min(32_768, length) })
  );
  assert.deepEqual(classes(rows, { tokenizerExact: false }), ["correct", "truncated", "truncated"]);
});

Deno.test("auditRows() sees a window that cuts every length, and leaves a row alone that just fills it", () => {
  const read = (sent: number, reported: number) =>
    row({ token_count: sent, length: sent, prompt_tokens_reported: reported });
  const unknown = { tokenizerExact: false };
  assert.deepEqual(classes([read(700, 512), read(1400, 512)], unknown), ["truncated", "truncated"]);
  assert.deepEqual(classes([read(512, 512), read(1400, 512)], unknown), ["correct", "truncated"]);
});

Deno.test("auditRows() uses the variant's window where the count alone is in doubt", () => {
  const rows = [
    row({ length: 1000 }),
    row({ length: 2000 }),
    row({ length: 4400, prompt_tokens_reported: 4096 }),
  ];
  assert.deepEqual(classes(rows, { tokenizerExact: false }), ["correct", "correct", "correct"]);
  assert.deepEqual(classes(rows, { tokenizerExact: false, window: 4096 }), [
    "correct",
    "correct",
    "truncated",
  ]);
});

/** Short prompts of many sizes and long ones of much the same size, read by another tokenizer behind a template. */
function mixedLengths(read: { ratio: number; noise: number; template: number; window: number }): AuditRow[] {
  const random = createRandom(`mixed/${read.ratio}`);
  const normal = () => Array.from({ length: 12 }, () => random.next()).reduce((sum, x) => sum + x, -6);
  return Array.from({ length: 300 }, (_, i) => {
    const short = i % 2 === 0;
    const sent = Math.round(short ? 70 * 12 ** random.next() : 112_000 + 1500 * normal());
    const tokens = read.template + sent * read.ratio * (1 + read.noise * normal() / (short ? 1 : 3));
    const reported = Math.min(read.window, Math.round(tokens));
    return row({ length: short ? 250 : 112_000, token_count: sent, prompt_tokens_reported: reported });
  });
}

Deno.test("auditRows() tells cut prompts from short ones of many sizes with an unknown tokenizer", () => {
  const unknown = { tokenizerExact: false };
  for (const template of [8, 70]) {
    for (const ratio of [0.9, 1, 1.1]) {
      const whole = mixedLengths({ ratio, noise: 0.03, template, window: Infinity });
      assert.ok(classes(whole, unknown).every((validity) => validity === "correct"), `${ratio}`);
      const short = whole.filter(({ length }) => length === 250);
      assert.ok(classes(short, unknown).every((validity) => validity === "correct"), `${ratio} short alone`);
      for (const window of [4096, 32_768, 90_000]) {
        const cut = mixedLengths({ ratio, noise: 0.03, template, window });
        assert.deepEqual(
          classes(cut, unknown).map((validity) => validity === "truncated"),
          cut.map(({ length }) => length > 250),
          `${ratio}, window ${window}`,
        );
      }
    }
  }
});

Deno.test("isValid() keeps what the model itself did", () => {
  const valid = ["correct", "wrong", "distractor", "abstained"] as const;
  const invalid = ["refused", "output_cap", "truncated", "degenerate", "error"] as const;
  assert.ok(valid.every(isValid) && !invalid.some(isValid));
});

Deno.test("auditRows() reads 100,000 rows at once", () => {
  const rows = Array.from(
    { length: 100_000 },
    (_, i) => row({ length: 500 * (1 + i % 8), output: `Answer number ${i}`, correct: i % 3 === 0 }),
  );
  const audited = auditRows(rows, { tokenizerExact: true });
  assert.equal(audited.length, rows.length);
  assert.ok(audited.every(({ validity }, i) => validity === (rows[i]?.correct ? "correct" : "wrong")));
});
