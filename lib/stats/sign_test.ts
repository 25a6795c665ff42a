/**
 * Whether pairs fall in one order more often than chance.
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * One-sided exact sign test: the chance that at least `right` of `n` pairs come in the expected order when either order
 * is as likely. It is the permutation test of the number of pairs in order over all swaps within pairs, all 2^n of
 * them. A tie should be counted as not right; the test then errs on the careful side.
 *
 * @throws {InputError} when a count is not a whole number, or `right` is above `n`.
 */
export function signTest(right: number, n: number): number {
  if (![right, n].every((count) => Number.isSafeInteger(count) && count >= 0) || right > n) {
    throw new InputError(
      `${right} of ${n} pairs: whole numbers were expected, the first not above the second.`,
    );
  }
  // Terms C(n, k) / 2^n from k = right on, relative to the first.
  let logFirst = -n * Math.LN2;
  for (let k = 1; k <= right; k++) logFirst += Math.log((n - k + 1) / k);
  let term = 1;
  let sum = 0;
  for (let k = right; k <= n && term > 1e-18 * sum; k++) {
    sum += term;
    term *= (n - k) / (k + 1);
  }
  return Math.min(1, Math.exp(logFirst + Math.log(sum)));
}
