/**
 * Bootstrap intervals of any statistic.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { criticalZ, normalCdf, normalQuantile } from "./normal.ts";
import type { Interval } from "./wilson.ts";

/** Options of {@linkcode bootstrap}. */
export interface BootstrapOptions {
  /** Source of the resamples. */
  readonly random: Random;
  /** Number of resamples, default 2000. */
  readonly resamples?: number;
  /** Confidence level, default 0.95. */
  readonly confidence?: number;
  /** Default `bca`. */
  readonly method?: "bca" | "percentile";
}

/** A statistic with its bootstrap interval. */
export interface BootstrapResult extends Interval {
  /** The statistic of the values themselves. */
  readonly estimate: number;
  /** Confidence level of the interval. */
  readonly confidence: number;
  /** Number of resamples drawn. */
  readonly resamples: number;
  /** `percentile` also when `bca` was asked for and its bias or acceleration is undefined (all resamples alike). */
  readonly method: "bca" | "percentile";
}

/**
 * A percentile or bias-corrected and accelerated interval (Efron 1987, JASA 82:171-185) of `statistic` over values
 * drawn with replacement. To resample clusters, pass one value per cluster.
 *
 * @throws {InputError} when there are no values, the number of resamples is below 1 or the statistic is not finite.
 */
export function bootstrap<T>(
  values: readonly T[],
  statistic: (values: readonly T[]) => number,
  options: BootstrapOptions,
): BootstrapResult {
  const { random, resamples = 2000, confidence = 0.95 } = options;
  const z = criticalZ(confidence);
  if (values.length === 0) throw new InputError("A bootstrap needs at least one value, got none.");
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    throw new InputError(`${resamples} resamples: a whole number of at least 1 was expected.`);
  }
  const measure = (sample: readonly T[]) => {
    const value = statistic(sample);
    if (!Number.isFinite(value)) {
      throw new InputError(`The bootstrapped statistic gave ${value}: make it finite.`);
    }
    return value;
  };
  const estimate = measure(values);
  const draws = Array.from(
    { length: resamples },
    () => measure(values.map(() => values[random.int(values.length)] as T)),
  ).sort((a, b) => a - b);
  const shift = options.method === "percentile" ? null : bcaShift(values, measure, estimate, draws);
  const share = (end: number) => {
    if (shift === null) return normalCdf(end);
    const sum = shift.bias + end;
    return normalCdf(shift.bias + sum / (1 - shift.acceleration * sum));
  };
  return {
    estimate,
    low: quantileSorted(draws, share(-z)),
    high: quantileSorted(draws, share(z)),
    confidence,
    resamples,
    method: shift === null ? "percentile" : "bca",
  };
}

/** The quantile of ascending values, linear between neighbours (Hyndman and Fan type 7). */
export function quantileSorted(sorted: readonly number[], share: number): number {
  const at = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}

function bcaShift<T>(
  values: readonly T[],
  measure: (sample: readonly T[]) => number,
  estimate: number,
  draws: readonly number[],
): { bias: number; acceleration: number } | null {
  // Ties count half, so that a discrete statistic is not pushed to one side.
  const below = draws.reduce((sum, draw) => sum + (draw < estimate ? 1 : draw === estimate ? 0.5 : 0), 0);
  const share = below / draws.length;
  if (values.length < 2 || share <= 0 || share >= 1) return null;
  const left = values.map((_, index) => measure(values.toSpliced(index, 1)));
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const squares = left.reduce((sum, value) => sum + (mean - value) ** 2, 0);
  const cubes = left.reduce((sum, value) => sum + (mean - value) ** 3, 0);
  if (squares === 0) return null;
  return { bias: normalQuantile(share), acceleration: cubes / (6 * squares ** 1.5) };
}
