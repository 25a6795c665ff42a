import assert from "node:assert/strict";
import { trend } from "./trend.ts";

Deno.test("trend() gives the published test of Agresti's alcohol and malformation table", () => {
  // Agresti, Categorical Data Analysis, 2nd ed., section 3.4.5: z^2 = 6.57, p = 0.0104.
  const result = trend([[0, 48, 17114], [0.5, 38, 14502], [1.5, 5, 793], [4, 1, 127], [7, 1, 38]].map((
    [score, correct, n],
  ) => ({ score: score as number, correct: correct as number, n: n as number })));
  assert.ok(Math.abs((result.z ?? 0) - 2.5632272518654204) < 1e-10);
  assert.ok(Math.abs(result.p - 0.010370414572997434) < 1e-12);
  assert.ok(result.pFall > 0.99);
});

Deno.test("trend() is falling when accuracy falls with length", () => {
  const result = trend([1000, 10_000, 100_000].map((length, i) => ({
    score: Math.log(length),
    correct: [11, 6, 1][i] as number,
    n: 11,
  })));
  assert.ok((result.z ?? 0) < -3 && result.pFall < 0.001);
});

Deno.test("trend() says nothing when all rows are alike, at one point, or absent", () => {
  const nothing = { z: null, p: 1, pFall: 1 };
  assert.deepEqual(trend([{ score: 1, correct: 5, n: 5 }, { score: 2, correct: 5, n: 5 }]), nothing);
  assert.deepEqual(trend([{ score: 1, correct: 2, n: 5 }]), nothing);
  assert.deepEqual(trend([]), nothing);
});

Deno.test("trend() refuses counts that are no share", () => {
  assert.throws(() => trend([{ score: 1, correct: 6, n: 5 }]), /correct/);
  assert.throws(() => trend([{ score: Infinity, correct: 1, n: 5 }]), /finite score/);
});
