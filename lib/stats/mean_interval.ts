/**
 * A mean with its interval.
 * @module
 */
import { criticalZ } from "./normal.ts";
import type { ConfidenceOptions, Interval } from "./wilson.ts";

/** A mean with its large-sample interval. */
export interface MeanInterval extends Interval {
  /** Number of values. */
  readonly n: number;
  /** Their mean. */
  readonly estimate: number;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/** The mean of values with the interval of the central limit theorem; null for fewer than two values. */
export function meanInterval(
  values: readonly number[],
  options: ConfidenceOptions = {},
): MeanInterval | null {
  const n = values.length;
  if (n < 2) return null;
  const confidence = options.confidence ?? 0.95;
  const estimate = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - estimate) ** 2, 0);
  const half = criticalZ(confidence) * Math.sqrt(squares / (n - 1) / n);
  return { n, estimate, low: estimate - half, high: estimate + half, confidence };
}
