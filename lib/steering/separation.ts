/**
 * The control of a vector: does it tell the sides of pairs apart that it was not made from?
 * @module
 */
import type { Random } from "../base/random.ts";
import { holm } from "../stats/holm.ts";
import { signTest } from "../stats/sign_test.ts";
import { type Share, wilson } from "../stats/wilson.ts";
import type { TwoSides } from "./extract_vector.ts";
import { dot } from "./steering_vector.ts";

/** What a vector does on pairs it was not made from. */
export interface Separation {
  /** Pairs whose positive side projects higher than its negative, of all pairs, with its interval. */
  readonly right: Share;
  /**
   * Chance of as many right pairs if the labels within pairs meant nothing: the exact permutation test over all swaps
   * within pairs, one-sided.
   */
  readonly p: number;
  /** Mean difference of the projections within pairs. */
  readonly difference: number;
  /** Mean difference over the standard deviation of the differences; null below 2 pairs or when that is 0. */
  readonly effect: number | null;
}

/** Level of the control, over all vectors that are tested together. */
export const CONTROL_LEVEL = 0.01;

/** Measures a direction on pairs. A tie counts as not right. */
export function separationOf(direction: ArrayLike<number>, { positive, negative }: TwoSides): Separation {
  const differences = positive.map((row, i) =>
    dot(row, direction) - dot(negative[i] as ArrayLike<number>, direction)
  );
  const n = differences.length;
  const right = differences.filter((difference) => difference > 0).length;
  const mean = n === 0 ? 0 : differences.reduce((sum, x) => sum + x, 0) / n;
  const variance = differences.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  return {
    right: wilson(right, n),
    p: signTest(right, n),
    difference: mean,
    effect: n < 2 || !(variance > 0) ? null : mean / Math.sqrt(variance),
  };
}

/** Whether a vector passed. */
export interface Control {
  /** The p-value, corrected by Holm for all vectors that were tested together. */
  readonly adjusted: number;
  /** Whether `adjusted` is at most {@linkcode CONTROL_LEVEL}. */
  readonly passes: boolean;
}

/**
 * Whether each of several vectors passes the control. Of vectors that know nothing, the chance that even one passes is at
 * most {@linkcode CONTROL_LEVEL}.
 */
export function controlOf(separations: readonly Pick<Separation, "p">[]): Control[] {
  return holm(separations.map(({ p }) => p)).map((adjusted) => ({
    adjusted,
    passes: adjusted <= CONTROL_LEVEL,
  }));
}

/** The fewest pairs that could pass when so many vectors are tested together. */
export function fewestPairs(vectors: number): number {
  return Math.ceil(Math.log2(Math.max(1, vectors) / CONTROL_LEVEL));
}

/** Pairs in two parts. */
export interface PairSplit {
  /** Indices of the pairs to make vectors from, ascending. */
  readonly train: readonly number[];
  /** Indices of the pairs to test them on, ascending. */
  readonly heldOut: readonly number[];
}

/** Draws which pairs are held out. */
export function splitPairs(pairs: number, share: number, random: Random): PairSplit {
  const order = random.shuffle(Array.from({ length: pairs }, (_, i) => i));
  const held = Math.round(pairs * share);
  const sorted = (list: number[]) => list.sort((a, b) => a - b);
  return { train: sorted(order.slice(held)), heldOut: sorted(order.slice(0, held)) };
}

/** The sides of some pairs. */
export function pickPairs(sides: TwoSides, indices: readonly number[]): TwoSides {
  const pick = (rows: TwoSides["positive"]) => indices.map((i) => rows[i] as ArrayLike<number>);
  return { positive: pick(sides.positive), negative: pick(sides.negative) };
}

/** Swaps the sides of each pair with chance 1/2: labels that mean nothing. */
export function shuffleLabels({ positive, negative }: TwoSides, random: Random): TwoSides {
  const swapped = positive.map(() => random.next() < 0.5);
  const side = (own: TwoSides["positive"], other: TwoSides["positive"]) =>
    own.map((row, i) => swapped[i] ? other[i] as ArrayLike<number> : row);
  return { positive: side(positive, negative), negative: side(negative, positive) };
}
