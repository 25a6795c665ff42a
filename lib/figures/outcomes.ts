/**
 * What became of the rows behind a figure.
 * @module
 */
import { type Share, wilson } from "../stats/wilson.ts";
import { formatPercent } from "./theme.ts";

/** The validity classes, each with its mark in a figure; the classes that count as plain answers have none. */
export const OUTCOMES = {
  correct: { mark: "", label: "correct", valid: true },
  wrong: { mark: "", label: "wrong", valid: true },
  distractor: { mark: "d", label: "distractor", valid: true },
  abstained: { mark: "a", label: "abstained", valid: true },
  refused: { mark: "R", label: "refused", valid: false },
  output_cap: { mark: "C", label: "output cap", valid: false },
  truncated: { mark: "T", label: "truncated", valid: false },
  degenerate: { mark: "D", label: "degenerate", valid: false },
  error: { mark: "E", label: "error", valid: false },
} as const;

/** The name of a validity class. */
export type Outcome = keyof typeof OUTCOMES;

/** The classes that are marked in a figure, the invalid ones first. */
export const MARKED: readonly Outcome[] = (Object.keys(OUTCOMES) as Outcome[])
  .filter((name) => OUTCOMES[name].mark !== "")
  .sort((a, b) => Number(OUTCOMES[a].valid) - Number(OUTCOMES[b].valid));

/** One row of a run. */
export interface FigureRow {
  /** Input length as planned, in tokens unless the figure says otherwise. */
  readonly length: number;
  /** Depth of the needle in percent, 0 at the start of the input. */
  readonly depth?: number;
  /** Its class; null when it was not sent or is not finished. */
  readonly validity: Outcome | null;
  /** Why it was never sent, or null. */
  readonly skip: string | null;
  /** Whether the output is right, whatever the class; null counts as not right. */
  readonly correct: boolean | null;
  /** Whether it was answered and nobody could say if it is right: such a row is in no share. */
  readonly ungraded?: boolean;
}

/** Rows counted together. */
export interface Tally {
  /** Right rows of the valid ones. */
  readonly valid: Share;
  /** Right rows of all that were sent and graded. */
  readonly raw: Share;
  /** Rows sent, by class. */
  readonly counts: ReadonlyMap<Outcome, number>;
  /** Rows never sent, because they do not fit. */
  readonly skipped: number;
  /** Rows not finished yet. */
  readonly missing: number;
  /** Share of the sent rows that are not valid. */
  readonly invalidShare: number;
}

/** Counts rows by class. */
export function tally(rows: readonly Pick<FigureRow, "validity" | "skip" | "correct" | "ungraded">[]): Tally {
  const counts = new Map<Outcome, number>();
  let right = 0, skipped = 0, missing = 0, sent = 0, ungraded = 0;
  for (const { validity, skip, correct, ungraded: open = false } of rows) {
    if (validity === null) {
      if (skip === null) missing++;
      else skipped++;
      continue;
    }
    sent++;
    counts.set(validity, (counts.get(validity) ?? 0) + 1);
    if (open) ungraded++;
    if (correct === true && validity !== "error") right++;
  }
  const valid = [...counts].reduce((sum, [name, n]) => sum + (OUTCOMES[name].valid ? n : 0), 0);
  return {
    valid: wilson(counts.get("correct") ?? 0, valid),
    raw: wilson(right, sent - ungraded),
    counts,
    skipped,
    missing,
    invalidShare: sent === 0 ? 0 : (sent - valid) / sent,
  };
}

/** `T2`, `d`: the marks of the classes in a tally that are no plain answers, with their counts; `S` for skipped rows. */
export function marksOf(cell: Tally): string[] {
  const marks = MARKED.map((name): [string, number] => [OUTCOMES[name].mark, cell.counts.get(name) ?? 0]);
  return [...marks, ["S", cell.skipped] as const].filter(([, n]) => n > 0)
    .map(([mark, n]) => n === 1 ? mark : `${mark}${n}`);
}

/** `49/88 correct = 55.7% (95% interval 45.3% to 65.6%)`, or `no rows`. */
export function formatAccuracy(share: Share): string {
  if (share.estimate === null) return "no rows";
  const level = Number((share.confidence * 100).toFixed(2));
  return `${share.correct}/${share.n} correct = ${formatPercent(share.estimate)} ` +
    `(${level}% interval ${formatPercent(share.low)} to ${formatPercent(share.high)})`;
}

/** The distinct values of a column, ascending. */
export function ascending(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}
