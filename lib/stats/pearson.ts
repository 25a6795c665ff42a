/**
 * Linear correlation with its interval.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { criticalZ } from "./normal.ts";
import type { ConfidenceOptions } from "./wilson.ts";

/** A correlation with its interval. */
export interface Correlation {
  /** Pairs. */
  readonly n: number;
  /** -1..1; null for fewer than two pairs or where one side does not vary. */
  readonly r: number | null;
  /** Lower end of the interval; null for fewer than four pairs, or where `r` is null. */
  readonly low: number | null;
  /** Upper end. */
  readonly high: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/**
 * Pearson's correlation of pairs with the interval of Fisher's z transformation (Fisher 1921, Metron 1:3-32). Pairs must
 * be independent.
 *
 * @throws {InputError} when a value is not finite.
 */
export function pearson(
  pairs: readonly (readonly [number, number])[],
  options: ConfidenceOptions = {},
): Correlation {
  const confidence = options.confidence ?? 0.95;
  const z = criticalZ(confidence);
  const n = pairs.length;
  if (pairs.some((pair) => !pair.every(Number.isFinite))) {
    throw new InputError("A correlation needs finite numbers: leave out pairs of which one is not known.");
  }
  const mean = (side: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[side], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  let xx = 0, yy = 0, xy = 0;
  for (const [x, y] of pairs) {
    xx += (x - mx) ** 2;
    yy += (y - my) ** 2;
    xy += (x - mx) * (y - my);
  }
  if (n < 2 || !(xx > 0) || !(yy > 0)) return { n, r: null, low: null, high: null, confidence };
  const r = Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
  if (n < 4) return { n, r, low: null, high: null, confidence };
  const half = z / Math.sqrt(n - 3);
  return { n, r, low: Math.tanh(Math.atanh(r) - half), high: Math.tanh(Math.atanh(r) + half), confidence };
}

/** Pairs at which the interval of a correlation that stays as it is leaves 0 out; null when it is 0. */
export function pairsForCorrelation(r: number, options: ConfidenceOptions = {}): number | null {
  if (!(Math.abs(r) > 0)) return null;
  const reach = Math.abs(Math.atanh(Math.min(Math.abs(r), 1 - 1e-12)));
  return Math.max(4, Math.ceil((criticalZ(options.confidence ?? 0.95) / reach) ** 2 + 3 - 1e-9));
}
