import assert from "node:assert/strict";
import { signTest } from "./sign_test.ts";

// scipy 1.17: binomtest(right, n, alternative="greater").pvalue
for (
  const [right, n, p] of [
    [5, 5, 0.03125],
    [8, 10, 0.0546875],
    [0, 7, 1],
    [60, 100, 0.028443966820490444],
    [700, 1000, 8.832839003974784e-38],
    [0, 0, 1],
    [0, 5000, 1],
  ] as const
) {
  Deno.test(`signTest() gives scipy's p-value for ${right} of ${n}`, () => {
    assert.ok(Math.abs(signTest(right, n) / p - 1) < 1e-10, `${signTest(right, n)}`);
  });
}

Deno.test("signTest() refuses counts that are none", () => {
  for (const [right, n] of [[3, 2], [-1, 2], [0.5, 2]] as const) {
    assert.throws(() => signTest(right, n), { name: "InputError" });
  }
});
