/**
 * Correction for several tests.
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * Holm's step-down adjusted p-values, in the order given (Holm 1979, Scandinavian Journal of Statistics 6:65-70).
 * Rejecting where the adjusted value is at most alpha keeps the chance of any false rejection at alpha.
 *
 * @throws {InputError} when a value is not in 0..1.
 */
export function holm(pValues: readonly number[]): number[] {
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) {
    throw new InputError(`${wrong} is not a p-value: numbers from 0 to 1 were expected.`);
  }
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length);
  let running = 0;
  for (const [rank, { p, index }] of order.entries()) {
    running = Math.max(running, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = running;
  }
  return adjusted;
}
