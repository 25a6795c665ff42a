/**
 * Differences of two shares with their intervals.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type ConfidenceOptions, type Interval, wilson } from "./wilson.ts";

/** A difference of two shares, -1..1, with its interval. */
export interface Difference extends Interval {
  /** First share minus second. */
  readonly estimate: number;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/** A share as counts. */
export interface Counts {
  /** Rows that count. */
  readonly correct: number;
  /** All rows. */
  readonly n: number;
}

/** The four counts of two conditions seen on the same items. */
export interface PairedCounts {
  /** Right under both conditions. */
  readonly both: number;
  /** Right under the first condition only. */
  readonly firstOnly: number;
  /** Right under the second condition only. */
  readonly secondOnly: number;
  /** Right under none. */
  readonly neither: number;
}

/**
 * First minus second share of independent rows, by Newcombe's hybrid score method
 * (Newcombe 1998, Statistics in Medicine 17:873-890, method 10).
 *
 * @throws {InputError} when a group is empty or its counts are not whole numbers with 0 <= correct <= n.
 */
export function newcombeDifference(
  first: Counts,
  second: Counts,
  options: ConfidenceOptions = {},
): Difference {
  if (first.n === 0 || second.n === 0) {
    throw new InputError(`A difference needs rows on both sides, got ${first.n} and ${second.n}.`);
  }
  return hybrid(first, second, 0, options);
}

/**
 * First minus second share on the same items, by Newcombe's hybrid score method for paired data with the
 * corrected correlation (Newcombe 1998, Statistics in Medicine 17:2635-2650, method 10).
 *
 * @throws {InputError} when there are no pairs or a count is not a whole number of 0 or more.
 */
export function pairedDifference(pairs: PairedCounts, options: ConfidenceOptions = {}): Difference {
  const { both: a, firstOnly: b, secondOnly: c, neither: d } = pairs;
  const n = a + b + c + d;
  if (![a, b, c, d].every((count) => Number.isSafeInteger(count) && count >= 0) || n === 0) {
    throw new InputError(
      `Paired counts ${a}, ${b}, ${c}, ${d}: whole numbers of 0 or more, not all 0, were expected.`,
    );
  }
  const margins = (a + b) * (c + d) * (a + c) * (b + d);
  const excess = a * d - b * c;
  const corrected = excess > 0 ? Math.max(excess - n / 2, 0) : excess;
  const phi = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  return hybrid({ correct: a + b, n }, { correct: a + c, n }, phi, options);
}

/**
 * First minus second of two independent estimates with an interval each, by the square-and-add method that Newcombe's is
 * a case of (MOVER; Zou and Donner 2008, Statistics in Medicine 27:1693-1702).
 */
export function moverDifference(first: Omit<Difference, "confidence">, second: Difference): Difference {
  const estimate = first.estimate - second.estimate;
  return {
    estimate,
    low: estimate - Math.hypot(first.estimate - first.low, second.high - second.estimate),
    high: estimate + Math.hypot(first.high - first.estimate, second.estimate - second.low),
    confidence: second.confidence,
  };
}

function hybrid(first: Counts, second: Counts, phi: number, options: ConfidenceOptions): Difference {
  const confidence = options.confidence ?? 0.95;
  const one = wilson(first.correct, first.n, { confidence });
  const two = wilson(second.correct, second.n, { confidence });
  const p1 = first.correct / first.n;
  const p2 = second.correct / second.n;
  const reach = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  return {
    estimate: p1 - p2,
    low: p1 - p2 - reach(p1 - one.low, two.high - p2),
    high: p1 - p2 + reach(one.high - p1, p2 - two.low),
    confidence,
  };
}
