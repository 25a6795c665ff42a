/**
 * What an audited run may claim: accuracy raw and over valid rows, per length, with warnings.
 * @module
 */
import { type Validity, VALIDITY_CLASSES } from "../runs/experiment.ts";
import { type ConfidenceOptions, type Share, wilson } from "../stats/wilson.ts";
import { isValid } from "./audit.ts";
import { type DepthStep, depthStep } from "./truncation.ts";

/** A row with its class. */
export interface ClassedRow {
  /** Input length in tokens as planned. */
  readonly length: number;
  /** Depth of the needle, 0..100, where there is one. */
  readonly depth?: number;
  /** Why the row was never sent, or null. */
  readonly skip: string | null;
  /** Its class; null when it was never sent. */
  readonly validity: Validity | null;
  /** Whether the output is right, whatever the class; null counts as not right. */
  readonly correct: boolean | null;
}

/** Counts and accuracies of some rows. */
export interface AuditCounts {
  /** Rows that were sent. */
  readonly sent: number;
  /** Rows that were planned and never sent. In no denominator. */
  readonly skipped: number;
  /** Sent rows per class. */
  readonly counts: Readonly<Record<Validity, number>>;
  /** Right rows of all that were sent; errors count as not right. */
  readonly raw: Share;
  /** Right rows of the valid ones. */
  readonly valid: Share;
  /** Share of the sent rows that are not valid, 0..1; 0 when nothing was sent. */
  readonly invalidShare: number;
}

/** The counts of one length. */
export interface LengthAudit extends AuditCounts {
  /** Input length in tokens as planned. */
  readonly length: number;
  /** Which end of the prompt the failures point at, where they are a step in depth. */
  readonly depthStep: DepthStep | null;
}

/** The counts of a run. */
export interface AuditSummary extends AuditCounts {
  /** By length, shortest first. */
  readonly lengths: readonly LengthAudit[];
  /** Sentences for the title and the report: invalid rows above 5%, unexplained steps in depth. */
  readonly warnings: readonly string[];
}

/** Above this share of invalid rows a run says so in its title. */
export const INVALID_LIMIT = 0.05;

/** Counts a run's rows by class and length, with Wilson intervals. */
export function auditSummary(rows: readonly ClassedRow[], options: ConfidenceOptions = {}): AuditSummary {
  const byLength = Map.groupBy(rows, (row) => row.length);
  const lengths = [...byLength].sort(([a], [b]) => a - b).map(([length, group]): LengthAudit => ({
    length,
    ...countRows(group, options),
    depthStep: depthStep(group.filter((row) => row.skip === null)),
  }));
  const all = countRows(rows, options);
  return { ...all, lengths, warnings: warningsOf(all, lengths) };
}

/** `45/88 = 51.1% (95% interval 40.9% to 61.3%)`, or `no rows`. */
export function formatShare(share: Share): string {
  if (share.estimate === null) return "no rows";
  const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
  const level = `${Number((share.confidence * 100).toFixed(2))}%`;
  return `${share.correct}/${share.n} = ${percent(share.estimate)} ` +
    `(${level} interval ${percent(share.low)} to ${percent(share.high)})`;
}

/** The summary as a few lines for people. */
export function formatAuditSummary(summary: AuditSummary): string {
  const classes = VALIDITY_CLASSES.filter((name) => summary.counts[name] > 0)
    .map((name) => `${name} ${summary.counts[name]}`).join(", ");
  const skipped = summary.skipped > 0 ? `, ${summary.skipped} skipped` : "";
  const table = summary.lengths.map((length) => {
    const sent = length.sent === 0 ? `skipped ${length.skipped}` : `raw ${formatShare(length.raw)}`;
    const valid = length.invalidShare > 0 ? `; valid only ${formatShare(length.valid)}` : "";
    return `  ${length.length.toLocaleString("en-US").padStart(9)} tokens: ${sent}${valid}`;
  });
  return [
    `Accuracy: ${formatShare(summary.raw)} of all rows sent; ${formatShare(summary.valid)} of valid rows`,
    `Rows: ${summary.sent} sent${skipped}${classes === "" ? "" : ` (${classes})`}`,
    ...table,
    ...summary.warnings.map((warning) => `Warning: ${warning}`),
  ].join("\n");
}

function countRows(rows: readonly ClassedRow[], options: ConfidenceOptions): AuditCounts {
  const counts = Object.fromEntries(VALIDITY_CLASSES.map((name) => [name, 0])) as Record<Validity, number>;
  let sent = 0, right = 0, valid = 0, validRight = 0;
  for (const { validity, correct } of rows) {
    if (validity === null) continue;
    sent++;
    counts[validity]++;
    if (correct === true && validity !== "error") right++;
    if (!isValid(validity)) continue;
    valid++;
    if (validity === "correct") validRight++;
  }
  return {
    sent,
    skipped: rows.length - sent,
    counts,
    raw: wilson(right, sent, options),
    valid: wilson(validRight, valid, options),
    invalidShare: sent === 0 ? 0 : (sent - valid) / sent,
  };
}

function warningsOf(all: AuditCounts, lengths: readonly LengthAudit[]): string[] {
  const warnings: string[] = [];
  if (all.invalidShare > INVALID_LIMIT) {
    const classes = VALIDITY_CLASSES.filter((name) => !isValid(name) && all.counts[name] > 0)
      .map((name) => `${all.counts[name]} ${name}`).join(", ");
    warnings.push(
      `${(all.invalidShare * 100).toFixed(1)}% of the rows sent are invalid (${classes}): ` +
        "they are no evidence of context rot",
    );
  }
  for (const { length, depthStep, counts } of lengths) {
    if (depthStep === null || counts.truncated > 0) continue;
    warnings.push(
      `at ${length.toLocaleString("en-US")} tokens failures are a step in depth, as if the ${depthStep} ` +
        "of the prompt had been cut, and no token count shows it: check the server's context window",
    );
  }
  return warnings;
}
