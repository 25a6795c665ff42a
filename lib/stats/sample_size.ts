/**
 * How many items show that a share is high enough.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { criticalZ, normalQuantile } from "./normal.ts";
import { type ConfidenceOptions, scoreInterval } from "./wilson.ts";

/** Options of {@linkcode sampleSizeFor}. */
export interface SampleSizeOptions extends ConfidenceOptions {
  /** The share that is to be shown, strictly between 0 and 1. */
  readonly criterion: number;
}

/** Options of {@linkcode sampleSizeForPower}. */
export interface PowerOptions extends SampleSizeOptions {
  /** Chance of success that is wanted, default 0.8. */
  readonly power?: number;
}

/**
 * Items at which the lower end of Wilson's interval of a share that stays as it is reaches the criterion: 73 for 100%
 * and 95%, 115 for 99% and 95%. Null when the share is not above the criterion: no number of items is then enough.
 *
 * @throws {InputError} when the criterion is not strictly between 0 and 1, or the share not in 0..1.
 */
export function sampleSizeFor(share: number, options: SampleSizeOptions): number | null {
  const { criterion: c, z } = checked(share, options);
  if (share <= c) return null;
  // The lower end of the score interval is where (share - c)^2 = z^2 c (1 - c) / n.
  return Math.ceil(z * z * c * (1 - c) / (share - c) ** 2 - 1e-9);
}

/** Above this many items the normal approximation is as good as the binomial distribution. */
const EXACT_UP_TO = 2000;

/**
 * The fewest items with which the lower end of Wilson's interval reaches the criterion with the wanted chance, there and
 * with any number up to a tenth more: by the binomial distribution, above 2,000 items by its normal approximation. Null
 * when the true share is not above the criterion.
 *
 * @param share the true share, 0..1
 * @throws {InputError} when the criterion is not strictly between 0 and 1, or a share or power not in 0..1.
 */
export function sampleSizeForPower(share: number, options: PowerOptions): number | null {
  const { criterion: c, z } = checked(share, options);
  const { power = 0.8 } = options;
  if (!(power > 0 && power < 1)) throw new InputError(`A power of ${power}: give a number between 0 and 1.`);
  if (share <= c) return null;
  const spread = z * Math.sqrt(c * (1 - c)) + normalQuantile(power) * Math.sqrt(share * (1 - share));
  const about = Math.ceil((spread / (share - c)) ** 2);
  if (about > EXACT_UP_TO) return about;
  let candidate = 1;
  for (let n = 1; n <= Math.max(about, candidate) * 1.1 + 1; n++) {
    if (chanceToShow(n, share, c, z) < power) candidate = n + 1;
  }
  return candidate;
}

/** The chance that the lower end reaches the criterion with `n` items. */
function chanceToShow(n: number, share: number, criterion: number, z: number): number {
  // Misses allowed: the most that still leave the lower end at the criterion or above.
  let low = -1, high = n;
  const shown = (misses: number) => scoreInterval((n - misses) / n, n, z).low >= criterion - 1e-12;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (shown(middle)) low = middle;
    else high = middle;
  }
  if (low < 0) return 0;
  if (share === 1) return 1;
  let logTerm = n * Math.log(share);
  let chance = Math.exp(logTerm);
  for (let k = 1; k <= low; k++) {
    logTerm += Math.log((n - k + 1) / k * (1 - share) / share);
    chance += Math.exp(logTerm);
  }
  return Math.min(1, chance);
}

function checked(share: number, options: SampleSizeOptions): { criterion: number; z: number } {
  const { criterion, confidence = 0.95 } = options;
  if (!(criterion > 0 && criterion < 1)) {
    throw new InputError(
      `A criterion of ${criterion}: give a share strictly between 0 and 1, such as 0.95.`,
    );
  }
  if (!(share >= 0 && share <= 1)) throw new InputError(`A share of ${share}: give a number from 0 to 1.`);
  return { criterion, z: criticalZ(confidence) };
}
