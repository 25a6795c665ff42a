/**
 * Tables, statistics and figures of a Repeated Words run, from graded rows alone.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import type { CopyGroups } from "../figures/copy_groups.ts";
import { repeatedWordsFigures } from "../figures/repeated_words_figures.ts";
import type { GradedRow, Report } from "../runs/experiment.ts";
import {
  effectiveLength,
  formatEffectiveLength,
  NOLIMA_RULE,
  RULER_RULE,
} from "../stats/effective_length.ts";
import type { Estimate } from "../stats/mean.ts";
import { trend } from "../stats/trend.ts";
import { isValid } from "./audit.ts";
import { auditSummary, formatAuditSummary } from "./audit_summary.ts";
import type { RepeatedWordsConfig } from "./repeated_words_config.ts";
import type { WordGrid } from "./repeated_words_grid.ts";
import { pairName, type WordPair } from "./repeated_words_pairs.ts";
import { copyGroups, copyRow } from "./repeated_words_summary.ts";

/** What a report says beside its rows. */
export interface RepeatedWordsReportOptions {
  /** The run's settings. */
  readonly config: Pick<RepeatedWordsConfig, "seed">;
  /** The model. */
  readonly variant: Pick<Variant, "name" | "backend" | "trainedWindow">;
  /** The words. */
  readonly pair: WordPair;
  /** Counts and positions. */
  readonly grid: Pick<WordGrid, "counts">;
  /** Where the rows are from, when they are not our own. */
  readonly source?: string;
}

/** Exact copies raw and over valid rows, measures of the copies with intervals, effective length; five figures. */
export async function repeatedWordsReport(
  graded: readonly GradedRow[],
  options: RepeatedWordsReportOptions,
): Promise<Report> {
  const { config, variant, grid } = options;
  const pair = pairName(options.pair);
  const rows = graded.map(copyRow);
  const summary = auditSummary(rows.filter((row) => row.skip !== null || row.validity !== null));
  const groups = copyGroups(rows, config);
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
  const simulated = variant.backend === "simulated";
  const trainedWindow = variant.trainedWindow ?? null;
  const counts = grid.counts.map(({ count }) => count);
  const figures = await repeatedWordsFigures(groups, {
    pair,
    variant: variant.name,
    simulated,
    imported: options.source !== undefined,
    window: trainedWindow,
    notes: [
      ...(options.source === undefined ? [] : [sentence(options.source)]),
      `Texts of ${counts.length} lengths, ${words(counts[0] ?? 0)} to ${words(counts.at(-1) ?? 0)} words` +
      (summary.skipped > 0
        ? `; ${words(summary.skipped)} of ${words(rows.length)} rows do not fit and were not sent`
        : ""),
    ],
    thresholds: effective.map((e) => ({
      label: `${e.rule}: ${formatEffectiveLength(e)}`,
      value: e.threshold,
    })),
  });
  return {
    summary: [
      ...(simulated ? ["Simulated: these rows show how the instruments behave, not a model."] : []),
      `Repeated words ${pair}, ${variant.name}${
        options.source === undefined ? "" : `, ${options.source}`
      }; right is an exact copy`,
      formatAuditSummary(summary),
      ...measureLines(groups),
      ...effective.map((e) => `Effective length by ${e.rule}: ${formatEffectiveLength(e)} (${e.reason})`),
      ...(fall === null ? [] : [
        `Falls with length: one-sided p = ${fall.pFall.toPrecision(2)} (Cochran-Armitage, over log length)`,
      ]),
    ].join("\n"),
    statistics: JSON.parse(JSON.stringify({
      pair,
      summary,
      whole: groups.whole,
      lengths: groups.lengths,
      tenths: groups.tenths,
      effective,
      trend: fall,
      simulated,
      trainedWindow,
    })) as Json,
    figures,
  };
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const words = (n: number) => n.toLocaleString("en-US");

/** The measures over valid rows, and over all answered ones where those are others. */
function measureLines({ whole: { valid, all } }: CopyGroups): string[] {
  const share = (value: number) => `${(value * 100).toFixed(1)}%`;
  const score = (value: number) => value.toFixed(4);
  const line = (label: string, pick: keyof typeof valid, say: (value: number) => string) => {
    const both = valid[pick].n === all[pick].n ? "" : `; all answered ${formatEstimate(all[pick], say)}`;
    return `  ${label.padEnd(32)} ${formatEstimate(valid[pick], say)}${both}`;
  };
  return [
    "Copies, valid rows (95% intervals; Wilson of shares, bootstrap of means):",
    line("modified word present", "modifiedPresent", share),
    line("modified word at its place", "positionAccuracy", share),
    line("Levenshtein score", "levenshtein", score),
    line("  cut to the text's length", "levenshteinCut", score),
    line("words missing, of the text", "wordCountDelta", share),
  ];
}

function formatEstimate({ n, estimate, low, high }: Estimate, say: (value: number) => string): string {
  if (estimate === null) return "no rows";
  const interval = low === null || high === null
    ? n === 1 ? "one row" : "all rows alike"
    : `${say(low)} to ${say(high)}`;
  return `${say(estimate)} (${interval}; n = ${n.toLocaleString("en-US")})`;
}
