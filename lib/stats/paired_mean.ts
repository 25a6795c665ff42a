/**
 * The mean of paired differences, with the interval and the p-value of random signs.
 * @module
 */
import type { Random } from "../base/random.ts";
import type { Estimate } from "./mean.ts";

/** A mean difference with its interval and its p-value. */
export interface PairedMean extends Estimate {
  /** Two-sided p-value: the share of sign changes whose mean is at least as far from 0; null without pairs. */
  readonly p: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
  /** `exact`: over all sign changes. `sampled`: over random ones. */
  readonly method: "exact" | "sampled";
}

/** Options of {@linkcode pairedMean}. */
export interface PairedMeanOptions {
  /** Draws signs and subsets where there are too many to go through. */
  readonly random: Random;
  /** Most sign changes gone through; more pairs than that need are sampled as often. Default 16,384. */
  readonly draws?: number;
  /** Confidence level, default 0.95. */
  readonly confidence?: number;
}

/**
 * The mean of the differences of pairs. The p-value is that of the randomisation test that changes the sign of each
 * difference with chance 1/2 (Fisher). The interval is Hartigan's for the centre of symmetric differences (1969, JASA
 * 64:1303-1317): the means of all subsets of the pairs are typical values, so that the interval between two of them
 * holds the centre with a known chance. It has the level that it says with few pairs too; fewer than six cannot reach
 * 95% and have no interval, nor have differences that are all alike: they say nothing about what was not seen.
 */
export function pairedMean(differences: readonly number[], options: PairedMeanOptions): PairedMean {
  const { random, draws = 16_384, confidence = 0.95 } = options;
  const n = differences.length;
  const exact = 2 ** n <= draws;
  const method = exact ? "exact" : "sampled";
  if (n === 0) return { n, estimate: null, low: null, high: null, p: null, confidence, method };
  const sum = differences.reduce((total, x) => total + x, 0);
  const slack = 1e-9 * differences.reduce((total, x) => total + Math.abs(x), 0);
  const means: number[] = [];
  let far = 0;
  const rounds = exact ? 2 ** n : draws;
  for (let round = 0; round < rounds; round++) {
    let part = 0, size = 0;
    for (let i = 0; i < n; i++) {
      if (exact ? (round >> i & 1) === 0 : random.next() < 0.5) continue;
      part += differences[i] as number;
      size++;
    }
    if (size > 0) means.push(part / size);
    if (Math.abs(2 * part - sum) >= Math.abs(sum) - slack) far++; // those in the subset keep their sign
  }
  means.sort((a, b) => a - b);
  // Between neighbouring subset means lies the centre with chance 1 / (means + 1).
  const alike = differences.every((x) => x === differences[0]);
  const cut = alike ? 0 : Math.floor((1 - confidence) / 2 * (means.length + 1));
  const [low, high] = cut === 0 ? [null, null] : [means[cut - 1] as number, means.at(-cut) as number];
  const p = exact ? far / rounds : (far + 1) / (rounds + 1);
  return { n, estimate: sum / n, low, high, p, confidence, method };
}
