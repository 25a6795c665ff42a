/**
 * How far two distributions of answers are apart.
 * @module
 */
import { InputError } from "../base/errors.ts";

/** Added to every count before logarithms are taken (Jeffreys' prior): an answer that was not seen is not impossible. */
const PSEUDO_COUNT = 0.5;

/**
 * Sum of the differences of shares, 0 (the same) to 2 (nothing in common); null when a side is empty.
 *
 * @throws {InputError} when the sides have different cells or a count is negative.
 */
export function l1Distance(first: readonly number[], second: readonly number[]): number | null {
  const [n, m] = totals(first, second);
  if (n === 0 || m === 0) return null;
  return first.reduce((sum, count, i) => sum + Math.abs(count / n - (second[i] as number) / m), 0);
}

/**
 * Kullback-Leibler divergence of the first distribution from the second, in nats. One half is added to every count of both
 * sides (Jeffreys' prior), so that cells with a count of 0 stay finite; with few answers it is therefore a little too
 * small. Null when a side is empty.
 *
 * @throws {InputError} when the sides have different cells or a count is negative.
 */
export function klDivergence(first: readonly number[], second: readonly number[]): number | null {
  const [n, m] = totals(first, second);
  if (n === 0 || m === 0) return null;
  const extra = PSEUDO_COUNT * first.length;
  return Math.max(
    0,
    first.reduce((sum, count, i) => {
      const p = (count + PSEUDO_COUNT) / (n + extra);
      const q = ((second[i] as number) + PSEUDO_COUNT) / (m + extra);
      return sum + p * Math.log(p / q);
    }, 0),
  );
}

function totals(first: readonly number[], second: readonly number[]): [number, number] {
  if (first.length !== second.length || first.length === 0) {
    throw new InputError(
      `Distributions of ${first.length} and ${second.length} cells: the same cells were expected.`,
    );
  }
  const wrong = [...first, ...second].find((count) => !(count >= 0 && Number.isFinite(count)));
  if (wrong !== undefined) {
    throw new InputError(`${wrong} is not a count: numbers of 0 or more were expected.`);
  }
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return [sum(first), sum(second)];
}
