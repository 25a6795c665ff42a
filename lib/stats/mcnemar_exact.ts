/**
 * The exact test of two paired shares.
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * Two-sided exact McNemar p-value: under the null each discordant pair falls either way with chance 1/2
 * (McNemar 1947, Psychometrika 12:153-157). 1 when there are no discordant pairs.
 *
 * @param b pairs right under the first condition only
 * @param c pairs right under the second condition only
 * @throws {InputError} when a count is not a whole number of 0 or more.
 */
export function mcnemarExact(b: number, c: number): number {
  if (![b, c].every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw new InputError(`Discordant counts ${b} and ${c}: whole numbers of 0 or more were expected.`);
  }
  const n = b + c;
  const smaller = Math.min(b, c);
  // Terms C(n, k) / 2^n relative to the largest one taken (k = smaller), so that nothing under- or overflows.
  let logTop = -n * Math.LN2;
  for (let k = 1; k <= smaller; k++) logTop += Math.log((n - k + 1) / k);
  let term = 1;
  let sum = 0;
  for (let k = smaller; k >= 0 && term > 1e-18 * sum; k--) {
    sum += term;
    term *= k / (n - k + 1);
  }
  return Math.min(1, 2 * Math.exp(logTop) * sum);
}
