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
import { trend } from "../stats/trend.ts";
import { niahHeatmap } from "../figures/niah_figures.ts";
import { isValid } from "./audit.ts";
import { auditSummary, type ClassedRow, formatAuditSummary } from "./audit_summary.ts";
import type { NiahConfig } from "./niah_config.ts";

/** What a report says beside its rows. */
export interface NiahReportOptions {
  /** The run's settings. */
  readonly config: NiahConfig;
  /** The model. */
  readonly variant: Variant;
  /** Description of the haystack. */
  readonly haystack: string;
  /** The judge, or null for matching alone. */
  readonly judge: { readonly variant: Variant } | null;
}

/** Accuracy raw and over valid rows, by length, with intervals; effective length; the heatmap. */
export async function niahReport(graded: readonly GradedRow[], options: NiahReportOptions): Promise<Report> {
  const { config, variant, judge } = options;
  const rows = graded.map(classed);
  const reached = rows.filter((row) => row.skip !== null || row.validity !== null);
  const summary = auditSummary(reached);
  const scored = rows.flatMap(({ length, validity, correct }) =>
    validity !== null && isValid(validity) ? [{ length, correct: correct === true }] : []
  );
  const effective = scored.length === 0
    ? []
    : [RULER_RULE, NOLIMA_RULE].map((rule) =>
      effectiveLength(scored, rule, { random: createRandom(`effective/${config.seed}`) })
    );
  const falls = summary.lengths.filter((length) => length.valid.n > 0);
  const fall = falls.length < 2 ? null : trend(
    falls.map(({ length, valid }) => ({ score: Math.log(length), correct: valid.correct, n: valid.n })),
  );
  const graders = judge === null
    ? "graded by normalised match alone, without a judge model"
    : `graded by normalised match, then by ${judge.variant.name}`;
  const simulated = variant.backend === "simulated";
  const trainedWindow = variant.trainedWindow ?? null;
  const figure = await niahHeatmap(rows, {
    variant: variant.name,
    notes: [`Haystack: ${options.haystack}`, sentence(graders)],
    simulated,
    window: trainedWindow,
    thresholds: effective.map((e) => ({
      label: `${e.rule}: ${formatEffectiveLength(e)}`,
      value: e.threshold,
    })),
  });
  return {
    summary: [
      ...(simulated ? ["Simulated: these rows show how the instruments behave, not a model."] : []),
      `NIAH, ${variant.name}, ${options.haystack}; ${graders}`,
      formatAuditSummary(summary),
      ...effective.map((e) => `Effective length by ${e.rule}: ${formatEffectiveLength(e)} (${e.reason})`),
      ...(fall === null ? [] : [
        `Falls with length: one-sided p = ${fall.pFall.toPrecision(2)} (Cochran-Armitage, over log length)`,
      ]),
    ].join("\n"),
    statistics: JSON.parse(
      JSON.stringify({ summary, effective, trend: fall, simulated, trainedWindow }),
    ) as Json,
    figures: { heatmap: figure },
  };
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A graded row as the audit and the figures read it; a row not reached yet has neither a class nor a skip. */
function classed({ row, grade }: GradedRow): ClassedRow & { readonly depth: number } {
  return {
    length: row.params["approximate_input_length"] as number,
    depth: row.params["needle_depth"] as number,
    skip: row.skip,
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
  };
}
