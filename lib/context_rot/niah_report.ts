/**
 * Tables, statistics and figures of a NIAH run, from graded rows alone.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import type { GradedRow, Report } from "../runs/experiment.ts";
import {
  effectiveLength,
  formatEffectiveLength,
  NOLIMA_RULE,
  RULER_RULE,
} from "../stats/effective_length.ts";
import { isValid } from "./audit.ts";
import { auditSummary, type ClassedRow, formatAuditSummary } from "./audit_summary.ts";
import type { NiahConfig } from "./niah_config.ts";

/** What a report says beside its rows. */
export interface NiahReportOptions {
  readonly config: NiahConfig;
  readonly variant: Variant;
  /** Description of the haystack. */
  readonly haystack: string;
  readonly judge: { readonly variant: Variant } | null;
}

/** Accuracy raw and over valid rows, by length, with intervals; effective length; the heatmap. */
export function niahReport(graded: readonly GradedRow[], options: NiahReportOptions): Report {
  const rows = graded.map(classed);
  const summary = auditSummary(rows);
  const valid = rows.filter((row) => row.validity !== null && isValid(row.validity));
  const scored = valid.map(({ length, correct }) => ({ length, correct: correct === true }));
  const effective = scored.length === 0
    ? []
    : [RULER_RULE, NOLIMA_RULE].map((rule) =>
      effectiveLength(scored, rule, { random: createRandom(`effective/${options.config.seed}`) })
    );
  const judge = options.judge === null
    ? "graded by normalised match alone, no judge model"
    : `graded by normalised match, then ${options.judge.variant.name}`;
  const simulated = options.variant.backend === "simulated"
    ? ["Simulated: these rows show how the instruments behave, not a model."]
    : [];
  return {
    summary: [
      ...simulated,
      `NIAH, ${options.variant.name}, ${options.haystack}; ${judge}`,
      formatAuditSummary(summary),
      ...effective.map(formatEffectiveLength),
    ].join("\n"),
    statistics: JSON.parse(JSON.stringify({ summary, effective })) as Json,
    figures: {},
  };
}

/** A graded row as the audit and the figures read it. */
export function classed({ row, attempt, grade }: GradedRow): ClassedRow {
  return {
    length: row.params["approximate_input_length"] as number,
    depth: row.params["needle_depth"] as number,
    skip: row.skip ?? (attempt === null ? "not run" : null),
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
  };
}
