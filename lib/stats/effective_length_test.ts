import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { betaDraw } from "./beta_draw.ts";
import {
  effectiveLength,
  type EffectiveLengthRule,
  formatEffectiveLength,
  NOLIMA_RULE,
  RULER_RULE,
} from "./effective_length.ts";

/** `n` rows per length, with the accuracy in percent right. */
function rowsAt(accuracies: Record<number, number>, n = 1000) {
  return Object.entries(accuracies).flatMap(([length, percent]) =>
    Array.from(
      { length: n },
      (_, i) => ({ length: Number(length), correct: i < Math.round(n * percent / 100) }),
    )
  );
}
const random = () => createRandom("effective length");

Deno.test("effectiveLength() gives the lengths published by NoLiMa", () => {
  // NoLiMa's results table: base score, accuracy at 1k to 32k, effective length. Base lengths are 250 to 1,000 there.
  const table: [number, number[], number][] = [
    [99.3, [98.1, 98.0, 95.7, 89.2, 81.6, 69.7], 8000], // GPT-4o
    [97.3, [94.2, 87.4, 81.5, 72.1, 59.5, 42.7], 2000], // Llama 3.3 70B
  ];
  for (const [base, [k1, k2, k4, k8, k16, k32], expected] of table) {
    const rows = rowsAt({ 250: base, 1000: k1!, 2000: k2!, 4000: k4!, 8000: k8!, 16000: k16!, 32000: k32! });
    const result = effectiveLength(rows, NOLIMA_RULE, { random: random(), resamples: 200 });
    assert.equal(result.length, expected);
    assert.ok(Math.abs(result.threshold - 0.85 * base / 100) < 1e-9);
  }
});

Deno.test("effectiveLength() is absolute under RULER and stops at the first length that fails", () => {
  const rows = rowsAt({ 4000: 96, 8000: 90, 16000: 85.5, 32000: 92 });
  const result = effectiveLength(rows, RULER_RULE, { random: random(), resamples: 200 });
  assert.equal(result.length, 8000);
  assert.match(result.reason, /855 of 1000 right at 16,000 tokens, 85.6% needed/);
});

Deno.test("effectiveLength() is honest about 11 right of 11", () => {
  const rows = rowsAt({ 500: 100, 1000: 100, 5000: 100, 10000: 20 }, 11);
  const result = effectiveLength(rows, RULER_RULE, { random: random() });
  assert.equal(result.length, 5000);
  assert.equal(result.low, null);
  assert.equal(result.high, 5000);
  assert.equal(formatEffectiveLength(result), "5,000 tokens (95% interval below 500 to 5,000)");
});

Deno.test("effectiveLength() says at least when all lengths pass and below when none does", () => {
  const all = effectiveLength(rowsAt({ 500: 100, 1000: 99 }), RULER_RULE, { random: random() });
  assert.equal(
    formatEffectiveLength(all),
    "at least 1,000 tokens (95% interval at least 1,000 to at least 1,000)",
  );
  assert.match(all.reason, /every length/);
  const none = effectiveLength(rowsAt({ 500: 10, 1000: 5 }), RULER_RULE, { random: random() });
  assert.equal(none.length, null);
  assert.equal(formatEffectiveLength(none), "below 500 tokens (95% interval below 500 to below 500)");
  const nothing = effectiveLength(rowsAt({ 500: 0, 1000: 0 }), NOLIMA_RULE, { random: random() });
  assert.equal(nothing.length, null, "85% of nothing is not a pass");
});

Deno.test("effectiveLength() says that a share of nothing is no threshold", () => {
  const rows = [500, 1000].map((length) => ({ length, correct: false }));
  const { length, reason } = effectiveLength(rows, NOLIMA_RULE, { random: createRandom(1) });
  assert.equal(length, null);
  assert.match(reason, /0 of 1 right at 500 tokens, so there is no accuracy to compare with/);
});

Deno.test("effectiveLength() pools the base lengths of a relative rule", () => {
  const rule: EffectiveLengthRule = { name: "base", kind: "relative", share: 0.5, baseUpTo: 1000 };
  const result = effectiveLength(rowsAt({ 500: 100, 1000: 80, 2000: 44 }), rule, {
    random: random(),
    resamples: 50,
  });
  assert.equal(result.threshold, 0.45);
  assert.equal(result.length, 1000);
});

Deno.test("effectiveLength() is ordered, tested and repeatable for any rows", () => {
  const row = fc.record({ length: fc.constantFrom(64, 128, 256, 512), correct: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.boolean(), (rows, ruler) => {
      const rule = ruler ? RULER_RULE : NOLIMA_RULE;
      const result = effectiveLength(rows, rule, { random: createRandom(3), resamples: 40 });
      assert.ok((result.low ?? 0) <= (result.length ?? 0) && (result.length ?? 0) <= (result.high ?? 0));
      assert.deepEqual(effectiveLength(rows, rule, { random: createRandom(3), resamples: 40 }), result);
    }),
    { numRuns: 40 },
  );
});

Deno.test("effectiveLength() refuses no rows and lengths that are none", () => {
  assert.throws(() => effectiveLength([], RULER_RULE, { random: random() }), /at least one graded row/);
  assert.throws(
    () => effectiveLength([{ length: 0, correct: true }], RULER_RULE, { random: random() }),
    /positive number/,
  );
  const rows = [{ length: 9, correct: true }];
  assert.throws(
    () => effectiveLength(rows, RULER_RULE, { random: random(), confidence: 95 }),
    /Confidence 95/,
  );
});

Deno.test("betaDraw() has the mean and variance of the beta distribution", () => {
  const source = random();
  for (const [a, b] of [[11.5, 0.5], [2.5, 9.5], [0.5, 0.5]] as const) {
    const draws = Array.from({ length: 20_000 }, () => betaDraw(a, b, source));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    assert.ok(Math.abs(mean - a / (a + b)) < 0.01, `${mean}`);
    const expected = a * b / ((a + b) ** 2 * (a + b + 1));
    assert.ok(Math.abs(variance / expected - 1) < 0.08, `${variance} ${expected}`);
  }
});
