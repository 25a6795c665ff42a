/**
 * Tables, statistics and figures of a NIAH run, from graded rows alone.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { type GradedRow, isUngraded, type Report } from "../runs/experiment.ts";
import {
  effectiveLength,
  formatEffectiveLength,
  NOLIMA_RULE,
  RULER_RULE,
} from "../stats/effective_length.ts";
import { trend } from "../stats/trend.ts";
import { niahHeatmap } from "../figures/niah_figures.ts";
import { isValid } from "./audit.ts";
import { auditSummary, type ClassedRow, formatAuditSummary, type LengthUnit } from "./audit_summary.ts";

/** What a report says beside its rows. */
export interface NiahReportOptions {
  /** Name of the model. */
  readonly variant: string;
  /** Where the texts or the rows are from: `Haystack: generated prose`. */
  readonly source: string;
  /** Who graded: `graded by normalised match alone, without a judge model`. */
  readonly graders: string;
  /** Draws the interval of the effective length. */
  readonly seed: number;
  /** Whether the answers are simulated. */
  readonly simulated?: boolean;
  /** The window the model was trained on, in tokens, where known. */
  readonly trainedWindow?: number | null;
  /** What lengths are counted in; tokens when left out. */
  readonly unit?: LengthUnit;
  /** Whether the rows are from another program. */
  readonly imported?: boolean;
}

/** Accuracy raw and over valid rows, by length and depth, with intervals; effective length; the heatmap. */
export async function niahReport(graded: readonly GradedRow[], options: NiahReportOptions): Promise<Report> {
  const {
    variant,
    source,
    graders,
    unit = "tokens",
    simulated = false,
    imported = false,
    trainedWindow = null,
  } = options;
  const rows = graded.map(classedNiahRow);
  const reached = rows.filter((row) => row.skip !== null || row.validity !== null);
  const summary = auditSummary(reached, { unit });
  const scored = rows.flatMap(({ length, validity, correct }) =>
    validity !== null && isValid(validity) ? [{ length, correct: correct === true }] : []
  );
  const effective = scored.length === 0
    ? []
    : [RULER_RULE, NOLIMA_RULE].map((rule) =>
      effectiveLength(scored, rule, { random: createRandom(`effective/${options.seed}`), unit })
    );
  const falls = summary.lengths.filter((length) => length.valid.n > 0);
  const fall = falls.length < 2 ? null : trend(
    falls.map(({ length, valid }) => ({ score: Math.log(length), correct: valid.correct, n: valid.n })),
  );
  const figure = await niahHeatmap(rows, {
    variant,
    notes: [source, sentence(graders)],
    simulated,
    window: trainedWindow,
    unit,
    imported,
    rowsOf: ({ length, depth }) => `approximate_input_length=${length}&needle_depth=${depth}`,
    thresholds: effective.map((e) => ({
      label: `${e.rule}: ${formatEffectiveLength(e, unit)}`,
      value: e.threshold,
    })),
  });
  return {
    summary: [
      ...(simulated ? ["Simulated: these rows show how the instruments behave, not a model."] : []),
      `NIAH, ${variant}, ${source.charAt(0).toLowerCase()}${source.slice(1)}; ${graders}`,
      formatAuditSummary(summary, { unit }),
      ...effective.map((e) =>
        `Effective length by ${e.rule}: ${formatEffectiveLength(e, unit)} (${e.reason})`
      ),
      ...(fall === null ? [] : [
        `Falls with length: one-sided p = ${fall.pFall.toPrecision(2)} (Cochran-Armitage, over log length)`,
      ]),
    ].join("\n"),
    statistics: JSON.parse(
      JSON.stringify({ unit, summary, effective, trend: fall, simulated, trainedWindow }),
    ) as Json,
    figures: { heatmap: figure },
  };
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A graded row as the audit and the figures read it; a row not reached yet has neither a class nor a skip. */
export function classedNiahRow(graded: GradedRow): ClassedRow & { readonly depth: number } {
  const { row, grade } = graded;
  return {
    length: row.params["approximate_input_length"] as number,
    depth: row.params["needle_depth"] as number,
    skip: row.skip,
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
    ungraded: isUngraded(graded),
  };
}
