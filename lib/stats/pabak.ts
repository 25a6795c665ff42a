/**
 * Kappa with the chance agreement of a coin.
 * @module
 */
import type { ConfidenceOptions, Interval } from "./wilson.ts";
import { wilson } from "./wilson.ts";

/** A prevalence- and bias-adjusted kappa with its interval. */
export interface Pabak extends Interval {
  /** `2 * agreement - 1`, -1..1; null without items. */
  readonly estimate: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/**
 * The prevalence- and bias-adjusted kappa of two categories (Byrt, Bishop and Carlin 1993, Journal of Clinical
 * Epidemiology 46:423-429): the agreement stretched to -1..1, and Wilson's interval with it.
 *
 * @param same items with the same category
 * @param n all items
 * @throws {InputError} when the counts are not whole numbers with 0 <= same <= n.
 */
export function pabak(same: number, n: number, options: ConfidenceOptions = {}): Pabak {
  const { estimate, low, high, confidence } = wilson(same, n, options);
  const stretch = (share: number) => 2 * share - 1;
  return {
    estimate: estimate === null ? null : stretch(estimate),
    low: stretch(low),
    high: stretch(high),
    confidence,
  };
}
