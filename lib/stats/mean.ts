/**
 * A mean with its bootstrap interval.
 * @module
 */
import { bootstrap, type BootstrapOptions } from "./bootstrap.ts";

/** A value from some rows, with its interval. */
export interface Estimate {
  /** Rows behind it. */
  readonly n: number;
  /** The value; null without rows. */
  readonly estimate: number | null;
  /** Lower end of the interval; null where the rows cannot give one. */
  readonly low: number | null;
  /** Upper end of the interval. */
  readonly high: number | null;
}

/**
 * The mean of values with a bootstrap interval (BCa, see {@linkcode bootstrap}). Values that are all alike, or a single
 * one, have no interval: drawing them again says nothing about what was not seen.
 *
 * @throws {InputError} when a value is not finite.
 */
export function meanEstimate(values: readonly number[], options: BootstrapOptions): Estimate {
  const n = values.length;
  if (n === 0) return { n, estimate: null, low: null, high: null };
  const mean = (sample: readonly number[]) => sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const first = values[0] as number;
  if (values.every((value) => value === first)) return { n, estimate: first, low: null, high: null };
  const { estimate, low, high } = bootstrap(values, mean, options);
  return { n, estimate, low, high };
}
