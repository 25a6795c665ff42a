import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { wilson } from "./wilson.ts";

Deno.test("wilson() agrees with scipy.stats.binomtest().proportion_ci(method='wilson')", () => {
  const known: [number, number, number, number, number][] = [
    [49, 88, 0.95, 0.4528179063718238, 0.6560653815071655],
    [0, 10, 0.95, 0, 0.27753279986288926],
    [10, 10, 0.99, 0.6011459066950919, 1],
    [3, 7, 0.9, 0.18644319036395607, 0.7105229089864071],
  ];
  for (const [correct, n, confidence, low, high] of known) {
    const share = wilson(correct, n, { confidence });
    assert.ok(
      Math.abs(share.low - low) < 1e-12 && Math.abs(share.high - high) < 1e-12,
      JSON.stringify(share),
    );
    assert.equal(share.estimate, correct / n);
  }
});

Deno.test("wilson() holds the share, stays in 0..1 and mirrors when right and wrong are swapped", () => {
  fc.assert(fc.property(fc.nat(5000), fc.nat(5000), (correct, wrong) => {
    fc.pre(correct + wrong > 0);
    const n = correct + wrong;
    const share = wilson(correct, n);
    const mirror = wilson(wrong, n);
    assert.ok(0 <= share.low && share.low <= correct / n && correct / n <= share.high && share.high <= 1);
    assert.ok(share.high - share.low > 0);
    assert.ok(Math.abs(share.low - (1 - mirror.high)) < 1e-12);
  }));
});

Deno.test("wilson() says nothing of no rows", () => {
  assert.deepEqual(wilson(0, 0), { correct: 0, n: 0, estimate: null, confidence: 0.95, low: 0, high: 1 });
});

Deno.test("wilson() refuses counts that are no share", () => {
  for (const [correct, n] of [[2, 1], [-1, 3], [0.5, 2], [NaN, 2], [0, Infinity]]) {
    assert.throws(() => wilson(correct as number, n as number), InputError);
  }
});
