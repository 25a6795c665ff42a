/**
 * Which lengths and depths a NIAH run measures.
 * @module
 */
import { InputError } from "../base/errors.ts";

/** Input lengths in tokens of the full grid, and of the test grid. */
export const NIAH_LENGTHS = {
  full: [500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 900_000],
  test: [1000, 10_000, 100_000, 500_000],
} as const;

/** Needle depths in percent of the full grid, and of the test grid. */
export const NIAH_DEPTHS = {
  full: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
  test: [0, 50, 100],
} as const;

/** Fewer standard lengths than this that fit the window, and the lengths are spaced over the window instead. */
const FEWEST_LENGTHS = 4;

/** The cells of a run. */
export interface NiahGrid {
  /** Input lengths in tokens, shortest first. */
  readonly lengths: readonly number[];
  /** Needle depths in percent, 0 first. */
  readonly depths: readonly number[];
  /** Why the lengths are not the standard ones, for people; null when they are, or were given. */
  readonly note: string | null;
}

/** Settings of {@linkcode niahGrid}. */
export interface NiahGridOptions {
  /** Whether to take the small grid. */
  readonly test: boolean;
  /** The variant's context window, in tokens. */
  readonly window: number;
  /** Tokens kept for the answer. */
  readonly reserve: number;
  /** Lengths given by the user: taken as they are. */
  readonly lengths?: readonly number[];
  /** Depths given by the user, in percent. */
  readonly depths?: readonly number[];
}

/**
 * The grid of a run: 8 lengths x 11 depths, or 4 x 3 in test mode. Where fewer than four of the lengths fit the
 * window, as many lengths are spaced evenly on a log scale up to the window.
 *
 * @throws {InputError} when a length or depth given is out of range, or the window has no room for a prompt.
 */
export function niahGrid(options: NiahGridOptions): NiahGrid {
  const { test, window, reserve } = options;
  const mode = test ? "test" : "full";
  const depths = checked(options.depths ?? NIAH_DEPTHS[mode], "depth", 0, 100);
  if (options.lengths !== undefined) {
    return { lengths: checked(options.lengths, "length", 1, Number.MAX_SAFE_INTEGER), depths, note: null };
  }
  const standard = NIAH_LENGTHS[mode];
  const fitting = standard.filter((length) => length + reserve <= window).length;
  if (fitting >= FEWEST_LENGTHS) return { lengths: standard, depths, note: null };
  const top = window - reserve;
  const low = Math.min(1000, Math.max(256, Math.round(top / 16)), Math.round(top / 2));
  if (low < 1) {
    throw new InputError(
      `A window of ${window} tokens has no room for a prompt beside ${reserve} tokens of answer: ` +
        `lower --max-output-tokens.`,
    );
  }
  const count = standard.length;
  const lengths = Array.from({ length: count }, (_, i) => Math.round(low * (top / low) ** (i / (count - 1))));
  const note = `only ${fitting} of the ${count} standard lengths fit the window of ` +
    `${window.toLocaleString("en-US")} tokens: ${count} lengths from ${low} to ${top} instead`;
  return { lengths: [...new Set(lengths)], depths, note };
}

function checked(values: readonly number[], what: string, low: number, high: number): readonly number[] {
  if (values.length === 0) throw new InputError(`--${what}s is empty: give numbers such as 500,1000.`);
  for (const value of values) {
    const whole = what === "depth" || Number.isInteger(value);
    if (!(value >= low && value <= high) || !whole) {
      const range = what === "depth" ? "a percentage from 0 to 100" : "a whole number of tokens above 0";
      throw new InputError(`--${what}s holds ${value}, which is not ${range}.`);
    }
  }
  return [...new Set(values)].sort((a, b) => a - b);
}
