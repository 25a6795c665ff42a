/**
 * Which counts and positions a Repeated Words run measures.
 * @module
 */
import { InputError } from "../base/errors.ts";

/** Numbers of words of the full grid, and of the test grid. */
export const WORD_COUNTS = {
  full: [25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000],
  test: [25, 100, 500, 1000, 5000],
} as const;

/** Fewer standard counts than this that fit, and the counts are spaced over what fits instead. */
const FEWEST_COUNTS = 4;
/** How many counts there are then. */
const SPACED_COUNTS = { full: 8, test: 4 } as const;
/** The smallest of them, where it fits. */
const SMALLEST = 25;

/** A count with its positions. */
export interface WordPlaces {
  /** Words of the text; a phrase counts as one. */
  readonly count: number;
  /** 0-based places of the modified word, first to last. */
  readonly positions: readonly number[];
}

/** The rows of a run. */
export interface WordGrid {
  /** By count, smallest first. */
  readonly counts: readonly WordPlaces[];
  /** Why the counts are not the standard ones, for people; null when they are, or were given. */
  readonly note: string | null;
}

/** Settings of {@linkcode wordGrid}. */
export interface WordGridOptions {
  /** Whether to take the small grid. */
  readonly test: boolean;
  /** Whether a text of so many words, with its copy, is within what the variant can do. */
  readonly fits: (count: number) => boolean;
  /** Counts given by the user: taken as they are. */
  readonly counts?: readonly number[] | null;
  /** Positions given by the user, in percent of the text. */
  readonly positions?: readonly number[] | null;
}

/**
 * The grid of a run: 12 counts with up to 126 positions each, 1,090 rows in all; or 5 counts x start, middle and end in
 * test mode. Where fewer than four of the counts fit the variant, 8 counts (4 in test mode) are spaced evenly on a
 * log scale up to the largest that does.
 *
 * @throws {InputError} when a count or position given is out of range, or not even one word fits.
 */
export function wordGrid(options: WordGridOptions): WordGrid {
  const { test, fits } = options;
  const mode = test ? "test" : "full";
  const percents = options.positions ? checked(options.positions, "position") : null;
  const places = (counts: readonly number[]) =>
    counts.map((count): WordPlaces => ({
      count,
      positions: percents !== null
        ? placesAt(count, percents)
        : test
        ? placesAt(count, [0, 50, 100])
        : standardPositions(count),
    }));
  if (options.counts) return { counts: places(checked(options.counts, "count")), note: null };
  const standard = WORD_COUNTS[mode];
  const fitting = standard.filter(fits).length;
  if (fitting >= FEWEST_COUNTS) return { counts: places(standard), note: null };
  const top = largestThat(fits, standard.at(-1) as number);
  if (top === 0) {
    throw new InputError(
      "Not even one word and its copy fit this variant: raise contextWindow or maxOutputTokens in models.json, or " +
        "lower --reasoning-tokens.",
    );
  }
  const low = Math.max(1, Math.min(SMALLEST, Math.round(top / 16)));
  const n = SPACED_COUNTS[mode];
  const counts = new Set(Array.from({ length: n }, (_, i) => Math.round(low * (top / low) ** (i / (n - 1)))));
  return {
    counts: places([...counts]),
    note:
      `only ${fitting} of the ${standard.length} standard counts fit the variant: ${counts.size} counts from ` +
      `${low} to ${top} instead`,
  };
}

/** All positions of a short text; of one of 100 words or more every 100th part, and the last. */
export function standardPositions(count: number): number[] {
  const step = Math.max(1, Math.floor(count / 100));
  const positions: number[] = [];
  for (let at = 0; at < count; at += step) positions.push(at);
  if (positions.at(-1) !== count - 1) positions.push(count - 1);
  return positions;
}

/** Where a position lies between the first word (0) and the last (1). */
export function relativePosition(position: number, count: number): number {
  return count <= 1 ? 0 : position / (count - 1);
}

/** Places at percentages of a text; those that fall together are one. */
function placesAt(count: number, percents: readonly number[]): number[] {
  return [...new Set(percents.map((percent) => Math.floor((count - 1) * percent / 100 + 0.5)))];
}

function largestThat(fits: (count: number) => boolean, most: number): number {
  let low = 0, high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Most words of a text: beyond that even a loop to the cap is too long to compare. */
const MOST_WORDS = 1_000_000;

function checked(values: readonly number[], what: "count" | "position"): readonly number[] {
  if (values.length === 0) throw new InputError(`--${what}s is empty: give numbers such as 25,100.`);
  for (const value of values) {
    const right = what === "count"
      ? Number.isSafeInteger(value) && value >= 1 && value <= MOST_WORDS
      : value >= 0 && value <= 100;
    if (right) continue;
    const range = what === "count"
      ? `a whole number of words from 1 to ${MOST_WORDS.toLocaleString("en-US")}`
      : "a percentage from 0 to 100";
    throw new InputError(`--${what}s holds ${value}, which is not ${range}.`);
  }
  return [...new Set(values)].sort((a, b) => a - b);
}
