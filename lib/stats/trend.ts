/**
 * Whether a share rises or falls along an ordered scale.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { normalCdf, twoSidedP } from "./normal.ts";

/** The rows at one point of the scale. */
export interface TrendGroup {
  /** Position on the scale, for lengths their logarithm. */
  readonly score: number;
  /** Rows that count. */
  readonly correct: number;
  /** All rows. */
  readonly n: number;
}

/** A trend with its p-values. */
export interface Trend {
  /** Standard normal under no trend; negative when the share falls. Null when it cannot be told (one point, or all rows alike). */
  readonly z: number | null;
  /** Two-sided p-value; 1 where z is null. */
  readonly p: number;
  /** One-sided p-value of a fall; 1 where z is null. */
  readonly pFall: number;
}

/**
 * The Cochran-Armitage test for a linear trend in shares (Armitage 1955, Biometrics 11:375-386),
 * normal approximation. Rows must be independent.
 *
 * @throws {InputError} when a score is not finite or counts are not whole numbers with 0 <= correct <= n.
 */
export function trend(groups: readonly TrendGroup[]): Trend {
  let n = 0, correct = 0, sum = 0;
  for (const group of groups) {
    const whole = Number.isSafeInteger(group.correct) && Number.isSafeInteger(group.n);
    if (!Number.isFinite(group.score) || !whole || group.correct < 0 || group.correct > group.n) {
      throw new InputError(
        `Trend group ${
          JSON.stringify(group)
        }: a finite score and whole numbers with 0 <= correct <= n were expected.`,
      );
    }
    n += group.n;
    correct += group.correct;
    sum += group.n * group.score;
  }
  const share = correct / n;
  const mean = sum / n;
  let statistic = 0, spread = 0;
  for (const group of groups) {
    statistic += (group.score - mean) * (group.correct - group.n * share);
    spread += group.n * (group.score - mean) ** 2;
  }
  const variance = share * (1 - share) * spread;
  if (!(variance > 0)) return { z: null, p: 1, pFall: 1 };
  const z = statistic / Math.sqrt(variance);
  return { z, p: twoSidedP(z), pFall: normalCdf(z) };
}
