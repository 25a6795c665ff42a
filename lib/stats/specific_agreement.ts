/**
 * How often two raters agree on a category when one of them gives it.
 * @module
 */
import { type ConfidenceOptions, type Interval, wilson } from "./wilson.ts";

/** The agreement on one category. */
export interface SpecificAgreement extends Interval {
  /** `2 * both / (2 * both + oneOnly)`, 0..1; null when neither rater ever gave it, and the interval is then 0..1. */
  readonly estimate: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/**
 * Positive (or negative) agreement: the chance that one rater gives a category, given that the other does (Cicchetti and
 * Feinstein 1990, Journal of Clinical Epidemiology 43:551-558).
 *
 * It is `2s / (1 + s)` of the share `s` of items with the category from both among those with it from any. That share
 * is a plain one, so Wilson's interval of it is carried over.
 *
 * @param both items to which both gave the category
 * @param oneOnly items to which only one gave it
 * @throws {InputError} when a count is not a whole number of 0 or more.
 */
export function specificAgreement(
  both: number,
  oneOnly: number,
  options: ConfidenceOptions = {},
): SpecificAgreement {
  const { estimate, low, high, confidence } = wilson(both, both + oneOnly, options);
  const raise = (share: number) => 2 * share / (1 + share);
  return {
    estimate: estimate === null ? null : raise(estimate),
    low: raise(low),
    high: raise(high),
    confidence,
  };
}
