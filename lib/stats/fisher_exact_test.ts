import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { fisherExact } from "./fisher_exact.ts";

const p = (a: number, n: number, b: number, m: number) =>
  fisherExact({ correct: a, n }, { correct: b, n: m });

Deno.test("fisherExact() gives the two-sided p-values of scipy.stats.fisher_exact", () => {
  for (
    const [counts, expected] of [
      [[1, 50, 9, 50], 0.01566048989604553],
      [[47, 50, 19, 50], 2.1303626314433193e-09],
      [[0, 50, 0, 50], 1],
      [[8, 10, 1, 10], 0.005477494641581329],
      [[490, 1000, 450, 1000], 0.08056235900696439],
      [[3, 7, 3, 5], 1],
      [[50, 50, 0, 50], 1.9823306042836675e-29],
      [[2, 49, 0, 13], 1],
    ] as const
  ) {
    const [a, n, b, m] = counts;
    assert.ok(Math.abs(p(a, n, b, m) / expected - 1) < 1e-9, `${counts}: ${p(a, n, b, m)}`);
  }
  assert.equal(p(0, 0, 3, 9), 1);
  assert.throws(() => p(3, 2, 1, 2), InputError);
});

Deno.test("fisherExact() is the same with sides or outcomes swapped, and calls at most 5% of equal shares different", () => {
  const counts = fc.nat(40).chain((n) => fc.tuple(fc.nat(n), fc.constant(n)));
  fc.assert(fc.property(counts, counts, ([a, n], [b, m]) => {
    const value = p(a, n, b, m);
    assert.ok(value > 0 && value <= 1);
    assert.ok(Math.abs(value - p(b, m, a, n)) < 1e-9 && Math.abs(value - p(n - a, n, m - b, m)) < 1e-9);
  }));
  // All tables of 12 and 15 rows, weighted by their chance at equal shares.
  const choose = (n: number, k: number): number => k === 0 ? 1 : choose(n, k - 1) * (n - k + 1) / k;
  for (const share of [0.1, 0.3, 0.5]) {
    let called = 0;
    for (let a = 0; a <= 12; a++) {
      for (let b = 0; b <= 15; b++) {
        const chance = choose(12, a) * choose(15, b) * share ** (a + b) * (1 - share) ** (27 - a - b);
        if (p(a, 12, b, 15) <= 0.05) called += chance;
      }
    }
    assert.ok(called <= 0.05 && called > 0.005, `${share}: ${called}`);
  }
});
