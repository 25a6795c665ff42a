/**
 * Student's t distribution.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { normalQuantile } from "./normal.ts";

/** P(T <= t) with a whole number of degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4). */
export function studentCdf(t: number, df: number): number {
  if (!Number.isSafeInteger(df) || df < 1) {
    throw new InputError(`${df} degrees of freedom: a whole number of 1 or more was expected.`);
  }
  const angle = Math.atan(Math.abs(t) / Math.sqrt(df));
  const square = Math.cos(angle) ** 2;
  const odd = df % 2 === 1;
  // The series 1 + 1/2 c + 1*3/(2*4) c^2 + ... for even df, 1 + 2/3 c + 2*4/(3*5) c^2 + ... for odd.
  let term = 1, sum = df === 1 ? 0 : 1;
  for (let k = odd ? 3 : 2; k <= df - 2; k += 2) {
    term *= (k - 1) / k * square;
    sum += term;
  }
  const inner = odd ? 2 / Math.PI * (angle + Math.sin(angle) * Math.cos(angle) * sum) : Math.sin(angle) * sum;
  return t >= 0 ? (1 + inner) / 2 : (1 - inner) / 2;
}

/** Above this many degrees of freedom the normal quantile is right to four places. */
const NORMAL_FROM = 10_000;

/**
 * The t with P(T <= t) = p.
 *
 * @throws {InputError} when p is not strictly between 0 and 1, or the degrees of freedom are no whole number from 1.
 */
export function studentQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1)) {
    throw new InputError(`A probability of ${p}: give a number strictly between 0 and 1.`);
  }
  if (df >= NORMAL_FROM) return normalQuantile(p);
  if (p < 0.5) return -studentQuantile(1 - p, df);
  let low = 0, high = 1;
  while (studentCdf(high, df) < p && high < 1e12) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-13 * high; step++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
