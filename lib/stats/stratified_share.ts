/**
 * A share of a whole population from samples of its strata.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type ConfidenceOptions, type Interval, wilson } from "./wilson.ts";

/** The sample of one stratum. */
export interface Stratum {
  /** Rows that count. */
  readonly correct: number;
  /** Rows sampled. */
  readonly n: number;
  /** Size of the stratum in the population, above 0. */
  readonly population: number;
}

/** A share reweighted to its population. */
export interface StratifiedShare extends Interval {
  /** The reweighted share, 0..1. */
  readonly estimate: number;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/**
 * The share of the population: strata are weighted by their sizes. Its interval joins the Wilson intervals of the strata by
 * the squares of their arms (MOVER: Zou and Donner 2008, Statistics in Medicine 27:1693-1702), so that strata without a
 * miss still count as uncertain. With one stratum it is Wilson's interval.
 *
 * @throws {InputError} when there are no strata, one has no rows or no size, or counts are not whole numbers.
 */
export function stratifiedShare(
  strata: readonly Stratum[],
  options: ConfidenceOptions = {},
): StratifiedShare {
  if (strata.length === 0) throw new InputError("A stratified share needs at least one stratum, got none.");
  const total = strata.reduce((sum, { population }) => sum + population, 0);
  let estimate = 0, below = 0, above = 0, confidence = 0;
  for (const { correct, n, population } of strata) {
    if (!(population > 0 && Number.isFinite(population)) || n === 0) {
      throw new InputError(`A stratum of ${population} with ${n} rows sampled: both must be above 0.`);
    }
    const share = wilson(correct, n, options);
    const weight = population / total;
    const p = correct / n;
    confidence = share.confidence;
    estimate += weight * p;
    below += (weight * (p - share.low)) ** 2;
    above += (weight * (share.high - p)) ** 2;
  }
  return {
    estimate,
    low: Math.max(0, estimate - Math.sqrt(below)),
    high: Math.min(1, estimate + Math.sqrt(above)),
    confidence,
  };
}
