/**
 * A share with its score interval.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { criticalZ } from "./normal.ts";

/** A confidence interval. */
export interface Interval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** Lower and upper end of an interval, as JSON files have them. */
export type Ends = readonly [number, number];

/** The ends of an interval. */
export function endsOf({ low, high }: Interval): Ends {
  return [low, high];
}

/** A share of rows, 0..1, with its interval. */
export interface Share extends Interval {
  /** Rows that count. */
  readonly correct: number;
  /** All rows. */
  readonly n: number;
  /** `correct / n`; null when there are no rows, and the interval is then 0..1. */
  readonly estimate: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/** Options of every interval. */
export interface ConfidenceOptions {
  /** Confidence level, default 0.95. */
  readonly confidence?: number;
}

/**
 * Wilson's score interval of a share, without continuity correction (Wilson 1927, JASA 22:209-212).
 *
 * @throws {InputError} when the counts are not whole numbers with 0 <= correct <= n.
 *
 * @example
 * ```ts
 * import { wilson } from "./wilson.ts";
 * wilson(49, 88).low; // 0.452818
 * ```
 */
export function wilson(correct: number, n: number, options: ConfidenceOptions = {}): Share {
  if (!Number.isSafeInteger(correct) || !Number.isSafeInteger(n) || correct < 0 || correct > n) {
    throw new InputError(`${correct} of ${n} is not a share: give whole numbers with 0 <= correct <= n.`);
  }
  const confidence = options.confidence ?? 0.95;
  const z = criticalZ(confidence);
  const estimate = n === 0 ? null : correct / n;
  return { correct, n, estimate, confidence, ...scoreInterval(estimate ?? 0, n, z) };
}

/** The score interval of share `p` seen in `n` observations (which need not be whole); 0..1 when n is 0. */
export function scoreInterval(p: number, n: number, z: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const scale = 1 + z * z / n;
  const centre = (p + z * z / (2 * n)) / scale;
  const half = z / scale * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // At 0 and 1 the closed form meets the bound only up to rounding.
  return { low: p === 0 ? 0 : Math.max(0, centre - half), high: p === 1 ? 1 : Math.min(1, centre + half) };
}
