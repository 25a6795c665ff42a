/**
 * Correction for many tests by the share of false findings.
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * Step-up adjusted p-values, in the order given (Benjamini and Hochberg 1995, JRSS B 57:289-300). Calling a finding where
 * the adjusted value is at most alpha keeps the expected share of false ones among the findings at alpha, and the chance
 * of any finding at alpha where there is nothing to find. Tests must be independent or positively dependent.
 *
 * @throws {InputError} when a value is not in 0..1.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) {
    throw new InputError(`${wrong} is not a p-value: numbers from 0 to 1 were expected.`);
  }
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const adjusted = new Array<number>(pValues.length);
  let running = 1;
  for (const [i, { p, index }] of order.entries()) {
    running = Math.min(running, p * pValues.length / (pValues.length - i));
    adjusted[index] = running;
  }
  return adjusted;
}
