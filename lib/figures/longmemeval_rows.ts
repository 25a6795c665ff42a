/**
 * What the panels of a LongMemEval figure share.
 * @module
 */
import type { Share } from "../stats/wilson.ts";
import { type FigureRow, tally } from "./outcomes.ts";
import { formatPercent } from "./theme.ts";

/** One row of a run: a question under one condition. */
export interface MemoryFigureRow extends Pick<FigureRow, "validity" | "skip" | "correct" | "ungraded"> {
  /** Under what condition it was asked. */
  readonly condition: "focused" | "full";
  /** The question's type, or null where it is not known. */
  readonly type: string | null;
}

/** Colours of the conditions, light enough for an interval to be seen on them. */
export const CONDITION_COLORS = { focused: "#8fbce0", full: "#f0a368" } as const;

/** The conditions, left to right. */
export const CONDITION_NAMES = ["focused", "full"] as const;

/** A bar: the share of valid rows, and beside it that of all rows sent where that differs. */
export interface Bar {
  /** Which bar. */
  readonly condition: "focused" | "full";
  /** Right of the valid rows. */
  readonly valid: Share;
  /** Right of all rows sent. */
  readonly raw: Share;
  /** Whether the two are of different rows. */
  readonly differs: boolean;
}

/** The bars of some rows; a condition without rows has none. */
export function barsOf(rows: readonly MemoryFigureRow[]): Bar[] {
  return CONDITION_NAMES.flatMap((condition) => {
    const { valid, raw, invalidShare } = tally(rows.filter((row) => row.condition === condition));
    return raw.n === 0 ? [] : [{ condition, valid, raw, differs: invalidShare > 0 }];
  });
}

/** `267/306 = 87.3%`. */
export function countLabel(share: Share): string {
  return share.estimate === null
    ? "no valid row"
    : `${share.correct}/${share.n} = ${formatPercent(share.estimate)}`;
}
