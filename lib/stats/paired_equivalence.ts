/**
 * Whether two paired shares are the same up to a margin.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { PairedCounts } from "./difference.ts";
import { criticalZ, normalCdf } from "./normal.ts";
import type { Interval } from "./wilson.ts";

/** The result of two one-sided tests. */
export interface PairedEquivalence extends Interval {
  /** First share minus second, -1..1. `low` and `high` are the score interval at level `1 - 2 * alpha`. */
  readonly estimate: number;
  /** The largest difference that counts as none. */
  readonly margin: number;
  /** One-sided p-value of "the first share is lower by the margin or more". */
  readonly pLower: number;
  /** One-sided p-value of "the first share is higher by the margin or more". */
  readonly pUpper: number;
  /** The larger of both: below alpha, the shares are equivalent. */
  readonly p: number;
  /** Level of each test. */
  readonly alpha: number;
  /** Whether equivalence is shown: `p < alpha`. */
  readonly equivalent: boolean;
}

/** Options of {@linkcode pairedEquivalence}. */
export interface EquivalenceOptions {
  /** The largest difference that counts as none, above 0 and below 1. */
  readonly margin: number;
  /** Level of each test, default 0.05. */
  readonly alpha?: number;
}

/**
 * Two one-sided tests (Schuirmann 1987) of the difference of two shares seen on the same items, each by Tango's score
 * test (Tango 1998, Statistics in Medicine 17:891-908), which holds its level where few pairs differ.
 *
 * @throws {InputError} when there are no pairs, a count is not a whole number of 0 or more, or margin or alpha is out of
 * range.
 */
export function pairedEquivalence(pairs: PairedCounts, options: EquivalenceOptions): PairedEquivalence {
  const { both, firstOnly: b, secondOnly: c, neither } = pairs;
  const { margin, alpha = 0.05 } = options;
  const n = both + b + c + neither;
  if (![both, b, c, neither].every((count) => Number.isSafeInteger(count) && count >= 0) || n === 0) {
    throw new InputError(
      `Paired counts ${both}, ${b}, ${c}, ${neither}: whole numbers of 0 or more, not all 0, were expected.`,
    );
  }
  if (!(margin > 0 && margin < 1)) {
    throw new InputError(`A margin of ${margin}: give a number above 0 and below 1, such as 0.05.`);
  }
  if (!(alpha > 0 && alpha < 0.5)) {
    throw new InputError(`A level of ${alpha}: give a number above 0 and below 0.5, such as 0.05.`);
  }
  const pLower = normalCdf(-tangoScore(b, c, n, -margin));
  const pUpper = normalCdf(tangoScore(b, c, n, margin));
  const p = Math.max(pLower, pUpper);
  const z = criticalZ(1 - 2 * alpha);
  const estimate = (b - c) / n;
  return {
    estimate,
    // The score falls as the difference under test rises.
    low: crossing((delta) => tangoScore(b, c, n, delta) > z, -1, estimate),
    high: crossing((delta) => tangoScore(b, c, n, delta) >= -z, estimate, 1),
    margin,
    pLower,
    pUpper,
    p,
    alpha,
    equivalent: p < alpha,
  };
}

/** Tango's score of the hypothesis that the shares differ by `delta`; standard normal under it. */
export function tangoScore(b: number, c: number, n: number, delta: number): number {
  const linear = -b - c + (2 * n - b + c) * delta;
  const constant = -c * delta * (1 - delta);
  const q = (Math.sqrt(Math.max(0, linear * linear - 8 * n * constant)) - linear) / (4 * n);
  const variance = n * (2 * q + delta * (1 - delta));
  const excess = b - c - n * delta;
  if (excess === 0) return 0;
  return variance <= 0 ? Math.sign(excess) * Infinity : excess / Math.sqrt(variance);
}

/** Where `holds` turns from true to false between two points. */
function crossing(holds: (x: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  if (!holds(low)) return low;
  if (holds(high)) return high;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
