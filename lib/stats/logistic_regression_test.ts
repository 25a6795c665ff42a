import assert from "node:assert/strict";
import fc from "fast-check";
import { fitLogistic } from "./logistic_regression.ts";

const samples = Array.from({ length: 40 }, (_, i) =>
  Array.from(
    { length: 5 },
    (_, j) => Math.sin(1.3 * (i + 1) * (j + 1)) + (i % 2 === 0 ? (j === 1 ? 0.8 : j === 3 ? -0.4 : 0) : 0),
  ));
const labels = samples.map((_, i) => i % 2 === 0);

// Weights and intercept that scipy 1.17 finds (BFGS, gradient below 1e-12) for the same function.
const SCIPY = [
  [0.1, [
    -0.006590934407423401,
    0.5626594498733637,
    0.003738569768157526,
    -0.2407906083370866,
    -0.00479492851900388,
    -0.27275902585711276,
  ]],
  [1, [
    -0.03490773927722465,
    1.3589572611246885,
    0.043573511110096046,
    -0.6219734020201593,
    0.003207822028296272,
    -0.6708547286231047,
  ]],
  [50, [
    -0.059494719087249154,
    1.763933611417144,
    0.07150689280751085,
    -0.8501508238788195,
    0.02239411119185696,
    -0.8860866493818609,
  ]],
] as const;

for (const [c, expected] of SCIPY) {
  Deno.test(`fitLogistic() finds what scipy finds when C is ${c}`, () => {
    const { weights, intercept, converged } = fitLogistic(samples, labels, { c });
    assert.ok(converged);
    [...weights, intercept].forEach((x, i) => {
      assert.ok(Math.abs(x - (expected[i] as number)) < 1e-7, `${i}: ${x} is not ${expected[i]}`);
    });
  });
}

Deno.test("fitLogistic() ends where the gradient is 0, whatever the samples", () => {
  const number = fc.double({ min: -10, max: 10, noNaN: true });
  const rows = fc.array(fc.tuple(fc.array(number, { minLength: 3, maxLength: 3 }), fc.boolean()), {
    minLength: 2,
    maxLength: 20,
  });
  fc.assert(fc.property(rows, fc.constantFrom(0.01, 1, 10), (rows, c) => {
    const labels = [...rows.map(([, label]) => label), true, false];
    const samples = [...rows.map(([row]) => row), [1, 2, 3], [0, 0, 1]];
    const { weights, intercept } = fitLogistic(samples, labels, { c });
    const pushes = samples.map((row, i) => {
      const sign = labels[i] ? 1 : -1;
      const score = row.reduce((sum, x, j) => sum + x * (weights[j] as number), intercept);
      return -c * sign / (1 + Math.exp(sign * score));
    });
    const gradient = [0, 1, 2].map((j) =>
      samples.reduce((sum, row, i) => sum + (pushes[i] as number) * (row[j] as number), weights[j] as number)
    );
    for (const g of [...gradient, pushes.reduce((a, b) => a + b)]) assert.ok(Math.abs(g) < 1e-5, `${g}`);
  }));
});

Deno.test("fitLogistic() refuses samples of one class", () => {
  assert.throws(() => fitLogistic([[1], [2]], [true, true]), { name: "InputError" });
  assert.throws(() => fitLogistic([[1], [2, 3]], [true, false]), { name: "InputError" });
});
