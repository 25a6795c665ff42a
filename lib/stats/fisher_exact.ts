/**
 * The exact test of two independent shares.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Counts } from "./difference.ts";

/** Tables this much likelier than the one seen still count as no likelier: products round. */
const TOLERANCE = 1e-7;

/**
 * Two-sided p-value of Fisher's exact test that two shares are equal: the chance, given both totals, of a table that is no
 * likelier than the one seen (Fisher 1935, JRSS 98:39-54). 1 where a group is empty.
 *
 * @throws {InputError} when counts are not whole numbers with 0 <= correct <= n.
 */
export function fisherExact(first: Counts, second: Counts): number {
  for (const { correct, n } of [first, second]) {
    if (!Number.isSafeInteger(correct) || !Number.isSafeInteger(n) || correct < 0 || correct > n) {
      throw new InputError(`${correct} of ${n} is not a share: give whole numbers with 0 <= correct <= n.`);
    }
  }
  const hits = first.correct + second.correct;
  const low = Math.max(0, hits - second.n), high = Math.min(first.n, hits);
  // Chances of all tables relative to one in the middle, so that nothing under- or overflows.
  const chances = new Float64Array(high - low + 1);
  const middle = Math.min(high, Math.max(low, Math.round(hits * first.n / Math.max(1, first.n + second.n))));
  chances[middle - low] = 1;
  const ratio = (k: number) => (first.n - k) * (hits - k) / ((k + 1) * (second.n - hits + k + 1));
  for (let k = middle; k < high; k++) chances[k + 1 - low] = (chances[k - low] as number) * ratio(k);
  for (let k = middle; k > low; k--) chances[k - 1 - low] = (chances[k - low] as number) / ratio(k - 1);
  const seen = chances[first.correct - low] as number;
  let sum = 0, total = 0;
  for (const chance of chances) {
    total += chance;
    if (chance <= seen * (1 + TOLERANCE)) sum += chance;
  }
  return Math.min(1, sum / total);
}
