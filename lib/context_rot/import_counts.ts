/**
 * The counts of an imported run in the form in which published numbers are given: right, all, 95% Wilson interval.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { GradedRow } from "../runs/experiment.ts";
import type { Share } from "../stats/wilson.ts";
import type { AuditCounts, AuditSummary } from "./audit_summary.ts";

/** A share as counts and its 95% Wilson interval, rounded to 6 decimals. */
export interface PublishedShare {
  /** Rows that are right. */
  readonly correct: number;
  /** All rows. */
  readonly n: number;
  /** Its interval. */
  readonly wilson95: readonly [number, number];
}

/** Rounds a share's interval as published numbers are. */
export function publishedShare({ correct, n, low, high }: Share): PublishedShare {
  return { correct, n, wilson95: [rounded(low), rounded(high)] };
}

/** A number with 6 decimals. */
export function rounded(value: number): number {
  return Number(value.toFixed(6));
}

/** Right rows of all that were sent and judged: in total, by length and by depth. */
export function niahCounts(rows: readonly GradedRow[], summary: AuditSummary): Json {
  const share = (group: AuditCounts) => ({ ...publishedShare(group.raw) });
  return {
    rows: rows.length,
    sent: summary.sent,
    skipped: summary.skipped,
    unjudged: summary.ungraded,
    ...share(summary),
    by_length: Object.fromEntries(summary.lengths.map((group) => [String(group.length), share(group)])),
    by_depth: Object.fromEntries(summary.depths.map((group) => [String(group.depth), share(group)])),
    valid: { ...publishedShare(summary.valid) },
    valid_by_length: Object.fromEntries(
      summary.lengths.map((group) => [String(group.length), { ...publishedShare(group.valid) }]),
    ),
  };
}

/** Why rows are unjudged, most frequent first: reason and rows. */
export function unjudged(rows: readonly GradedRow[]): [string, number][] {
  const reasons = new Map<string, number>();
  for (const { row, attempt, grade } of rows) {
    if (row.skip !== null || attempt?.status !== "done" || grade === null || grade.correct !== null) continue;
    const reason = /unjudged: ([^;]*)/.exec(String(grade.extra?.["reason"] ?? ""))?.[1] ?? "no verdict";
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].sort((a, b) => b[1] - a[1]);
}

/** The median, the mean of the two middle values; null of nothing. */
export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
