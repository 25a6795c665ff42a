import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { newcombeDifference } from "./difference.ts";
import { fisherExact } from "./fisher_exact.ts";
import { samplesToSettle } from "./samples_to_settle.ts";

Deno.test("samplesToSettle() gives rows at which the difference is shown, or shown to be below the margin", () => {
  for (const [a, b] of [[0.6, 0.4], [0.5, 0.5], [0.2, 0.8], [1, 0.9], [0.3, 0.25], [0, 0]] as const) {
    const n = samplesToSettle(a, b, { margin: 0.1 }) as number;
    // The next number of rows at which shares are whole counts.
    const rows = Math.ceil(n / 20) * 20;
    const counts = (share: number) => ({ correct: Math.round(share * rows), n: rows });
    const [one, two] = [counts(a), counts(b)];
    assert.ok(
      a > b && fisherExact(one, two) <= 0.05 || newcombeDifference(one, two).high < 0.1,
      `${a} ${b}: ${n}`,
    );
    const strict = samplesToSettle(a, b, { margin: 0.1, alpha: 0.001 }) as number;
    assert.ok(a - b < 0.1 ? strict >= n : strict > n, `${a} ${b}: ${n} ${strict}`);
  }
  // Known sizes: half of 200 in both groups gives an upper end of just below 0.1.
  assert.ok(newcombeDifference({ correct: 100, n: 200 }, { correct: 100, n: 200 }).high < 0.1);
  const half = samplesToSettle(0.5, 0.5, { margin: 0.1 }) as number;
  assert.ok(half > 180 && half <= 200, `${half}`);
  assert.equal(samplesToSettle(0.5005, 0.5, { margin: 0.0005 }), null);
  assert.throws(() => samplesToSettle(1.2, 0.5, { margin: 0.1 }), InputError);
  assert.throws(() => samplesToSettle(0.2, 0.5, { margin: 0 }), InputError);
});
