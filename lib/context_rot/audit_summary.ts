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
  /** Input length as planned. */
  readonly length: number;
  /** Depth of the needle, 0..100, where there is one. */
  readonly depth?: number;
  /** Why the row was never sent, or null. */
  readonly skip: string | null;
  /** Its class; null when it was never sent. */
  readonly validity: Validity | null;
  /** Whether the output is right, whatever the class; null counts as not right. */
  readonly correct: boolean | null;
  /** Whether it was answered and nobody could say if it is right: such a row is in no denominator. */
  readonly ungraded?: boolean;
}

/** Counts and accuracies of some rows. */
export interface AuditCounts {
  /** Rows that were sent. */
  readonly sent: number;
  /** Rows that were planned and never sent. In no denominator. */
  readonly skipped: number;
  /** Rows that were answered and not graded. In no denominator; their class is `error`. */
  readonly ungraded: number;
  /** Sent rows per class. */
  readonly counts: Readonly<Record<Validity, number>>;
  /** Right rows of all that were sent and graded; errors count as not right. */
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

/** The counts of one depth. */
export interface DepthAudit extends AuditCounts {
  /** Depth of the needle in percent. */
  readonly depth: number;
}

/** The counts of a run. */
export interface AuditSummary extends AuditCounts {
  /** By length, shortest first. */
  readonly lengths: readonly LengthAudit[];
  /** By depth, from the start of the input on; empty where rows have none. */
  readonly depths: readonly DepthAudit[];
  /** Sentences for the title and the report: invalid rows above 5%, unexplained steps in depth. */
  readonly warnings: readonly string[];
}

/** Above this share of invalid rows a run says so in its title. */
export const INVALID_LIMIT = 0.05;

/** What lengths are counted in. */
export type LengthUnit = "tokens" | "characters";

/** How a summary is made. */
export interface AuditSummaryOptions extends ConfidenceOptions {
  /** What lengths are counted in; tokens when left out. */
  readonly unit?: LengthUnit;
}

/** Counts a run's rows by class, length and depth, with Wilson intervals. */
export function auditSummary(rows: readonly ClassedRow[], options: AuditSummaryOptions = {}): AuditSummary {
  const byLength = Map.groupBy(rows, (row) => row.length);
  const lengths = [...byLength].sort(([a], [b]) => a - b).map(([length, group]): LengthAudit => ({
    length,
    ...countRows(group, options),
    depthStep: depthStep(group.filter((row) => row.skip === null)),
  }));
  const deep = rows.filter((row) => row.depth !== undefined);
  const depths = [...Map.groupBy(deep, (row) => row.depth as number)].sort(([a], [b]) => a - b)
    .map(([depth, group]): DepthAudit => ({ depth, ...countRows(group, options) }));
  const all = countRows(rows, options);
  return { ...all, lengths, depths, warnings: warningsOf(all, lengths, options.unit ?? "tokens") };
}

/** `45/88 = 51.1% (95% interval 40.9% to 61.3%)`, or `no rows`. */
export function formatShare(share: Share): string {
  if (share.estimate === null) return "no rows";
  const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
  const level = `${Number((share.confidence * 100).toFixed(2))}%`;
  return `${share.correct}/${share.n} = ${percent(share.estimate)} ` +
    `(${level} interval ${percent(share.low)} to ${percent(share.high)})`;
}

/** The summary as a few lines for people: by length, and by depth where rows have one. */
export function formatAuditSummary(
  summary: AuditSummary,
  options: { readonly unit?: LengthUnit } = {},
): string {
  const { unit = "tokens" } = options;
  const classes = VALIDITY_CLASSES.filter((name) => summary.counts[name] > 0)
    .map((name) => `${name} ${summary.counts[name]}`).join(", ");
  const skipped = (summary.skipped > 0 ? `, ${summary.skipped} skipped` : "") +
    (summary.ungraded > 0 ? `, ${summary.ungraded} not graded` : "");
  const line = (group: AuditCounts) => {
    const sent = group.sent === 0 ? `skipped ${group.skipped}` : `raw ${formatShare(group.raw)}`;
    return group.invalidShare > 0 ? `${sent}; valid only ${formatShare(group.valid)}` : sent;
  };
  return [
    `Accuracy: ${formatShare(summary.raw)} of all rows sent; ${formatShare(summary.valid)} of valid rows`,
    `Rows: ${summary.sent} sent${skipped}${classes === "" ? "" : ` (${classes})`}`,
    ...summary.lengths.map((group) =>
      `  ${group.length.toLocaleString("en-US").padStart(9)} ${unit}: ${line(group)}`
    ),
    ...(summary.depths.length < 2 ? [] : [
      "By needle depth:",
      ...summary.depths.map((group) => `  ${`${group.depth}%`.padStart(9)}: ${line(group)}`),
    ]),
    ...summary.warnings.map((warning) => `Warning: ${warning}`),
  ].join("\n");
}

function countRows(rows: readonly ClassedRow[], options: ConfidenceOptions): AuditCounts {
  const counts = Object.fromEntries(VALIDITY_CLASSES.map((name) => [name, 0])) as Record<Validity, number>;
  let sent = 0, ungraded = 0, right = 0, valid = 0, validRight = 0;
  for (const { validity, correct, ungraded: open = false } of rows) {
    if (validity === null) continue;
    sent++;
    counts[validity]++;
    if (open) ungraded++;
    if (correct === true && validity !== "error") right++;
    if (!isValid(validity)) continue;
    valid++;
    if (validity === "correct") validRight++;
  }
  return {
    sent,
    skipped: rows.length - sent,
    ungraded,
    counts,
    raw: wilson(right, sent - ungraded, options),
    valid: wilson(validRight, valid, options),
    invalidShare: sent === 0 ? 0 : (sent - valid) / sent,
  };
}

function warningsOf(all: AuditCounts, lengths: readonly LengthAudit[], unit: LengthUnit): string[] {
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
      `at ${length.toLocaleString("en-US")} ${unit} failures are a step in depth, as if the ${depthStep} ` +
        "of the prompt had been cut, and no token count shows it: check the server's context window",
    );
  }
  return warnings;
}
