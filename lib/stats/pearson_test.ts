import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { pairsForCorrelation, pearson } from "./pearson.ts";

const X = [0.76, 0.64, 0.82, 0.52, 0.54, 0.70, 0.05, -0.02, 0.58];
const Y = [0.6, 0.7, 0.66, 0.2, 0.5, 0.74, 0.1, 0.04, 0.3];
const pairs = X.map((x, i): [number, number] => [x, Y[i] as number]);

Deno.test("pearson() gives r and Fisher's interval as scipy.stats.pearsonr does", () => {
  const { n, r, low, high } = pearson(pairs);
  for (
    const [got, expected] of [[r, 0.8632349988613922], [low, 0.46662777604017863], [
      high,
      0.970802392163496,
    ]] as const
  ) {
    assert.ok(Math.abs((got ?? NaN) - expected) < 1e-12);
  }
  assert.equal(n, 9);
  assert.ok(Math.abs((pearson(pairs, { confidence: 0.9 }).low ?? NaN) - 0.5610704083140242) < 1e-12);
});

Deno.test("pearson() has no r without spread and no interval for few pairs, and refuses what is no number", () => {
  assert.equal(pearson([[1, 2], [1, 3], [1, 4], [1, 5]]).r, null);
  assert.equal(pearson([[1, 2]]).r, null);
  assert.deepEqual(pearson([[1, 2], [2, 4], [3, 6]]), {
    n: 3,
    r: 1,
    low: null,
    high: null,
    confidence: 0.95,
  });
  assert.throws(() => pearson([[1, NaN], [2, 3]]), InputError);
});

Deno.test("pearson() stays the same when a side is shifted and scaled", () => {
  const value = fc.integer({ min: -100, max: 100 }).map((n) => n / 100);
  fc.assert(fc.property(fc.array(fc.tuple(value, value), { minLength: 4 }), (list) => {
    const { r, low, high } = pearson(list);
    if (r === null || low === null || high === null) return;
    assert.ok(low <= r && r <= high && low >= -1 && high <= 1);
    const moved = pearson(list.map(([x, y]) => [3 * x + 1, -2 * y])).r;
    assert.ok(moved === null || Math.abs(moved + r) < 1e-6);
  }));
});

Deno.test("pairsForCorrelation() is where the interval just leaves 0 out", () => {
  for (const r of [0.2, -0.5, 0.9]) {
    const n = pairsForCorrelation(r) as number;
    const low = (pairs: number) =>
      Math.tanh(Math.atanh(Math.abs(r)) - 1.959963984540054 / Math.sqrt(pairs - 3));
    assert.ok(low(n) > 0 && (n === 4 || low(n - 1) < 0));
  }
  assert.equal(pairsForCorrelation(0), null);
});
