/**
 * The standard normal distribution to double precision.
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * P(Z <= z) of a standard normal Z, by the complementary error function: a series for small arguments and a
 * continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14) for large ones. Relative error below 1e-13.
 */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const upper = x < 2.5 ? (1 - erfSeries(x)) / 2 : erfcFraction(x) / 2;
  return z > 0 ? 1 - upper : upper;
}

/** Two-sided p-value of a standard normal statistic. */
export function twoSidedP(z: number): number {
  return Math.min(1, 2 * normalCdf(-Math.abs(z)));
}

/**
 * The z with P(Z <= z) = p: a logistic first guess, then Newton steps on {@linkcode normalCdf}.
 *
 * @throws {RangeError} when p is not strictly between 0 and 1.
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) {
    throw new RangeError(`A probability strictly between 0 and 1 was expected, got ${p}.`);
  }
  if (p > 0.5) return -normalQuantile(1 - p);
  let z = p < 0.02 ? -Math.sqrt(-2 * Math.log(p)) : Math.log(p / (1 - p)) / 1.702;
  for (let step = 0; step < 60; step++) {
    // Newton on log(cdf): the log is concave, so that no step can run away in the far tail.
    const cdf = normalCdf(z);
    const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    const change = (Math.log(cdf) - Math.log(p)) * cdf / density;
    z -= change;
    if (Math.abs(change) < 1e-15 * Math.max(1, Math.abs(z))) break;
  }
  return z;
}

/**
 * The two-sided critical value of a confidence level: 1.959964 for 0.95.
 *
 * @throws {InputError} when the level is not strictly between 0 and 1.
 */
export function criticalZ(confidence: number): number {
  if (!(confidence > 0 && confidence < 1)) {
    throw new InputError(
      `Confidence ${confidence} is not a level: give a number strictly between 0 and 1, such as 0.95.`,
    );
  }
  return -normalQuantile((1 - confidence) / 2);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

function erfcFraction(x: number): number {
  let fraction = x;
  for (let k = 120; k > 0; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
