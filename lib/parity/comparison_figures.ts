/**
 * The figures of a comparison.
 * @module
 */
import {
  agreementFigure,
  type AgreementLine,
  confusionFigure,
  similarityFigure,
} from "../figures/parity_figures.ts";
import type { Figure } from "../figures/frame.ts";
import type { Comparison } from "./compare.ts";
import type { ShareStatistics } from "./pair_statistics.ts";
import { SIMILARITY_CRITERION } from "./verdict.ts";

/** Agreement, confusion and (where likeness is known) similarity, by name. */
export async function comparisonFigures(
  comparison: Comparison,
  options: { readonly notes?: readonly string[]; readonly simulated?: boolean } = {},
): Promise<Record<string, Figure>> {
  const { sides, statistics, noise_floor: floor, verdict, rows } = comparison;
  const [a, b] = sides;
  const { both_parsed: both, three_way: three } = statistics;
  const notes = [`Verdict: ${verdict.outcome}. ${sentence(verdict.reason)}`, ...options.notes ?? []];
  const shared = { sides, notes, simulated: options.simulated ?? false };
  const self = (label: string, { count, n, share, wilson95 }: ShareStatistics): AgreementLine => ({
    label,
    count,
    n,
    share,
    interval: wilson95,
    self: true,
  });
  const lines: AgreementLine[] = [
    {
      label: "rows both parsed",
      count: both.n11 + both.n00,
      n: both.n,
      share: both.agreement,
      interval: both.wilson95,
      self: false,
    },
    {
      label: "all rows, three outcomes",
      count: three.table.reduce((sum, row, i) => sum + (row[i] ?? 0), 0),
      n: three.n,
      share: three.agreement,
      interval: three.wilson95,
      self: false,
    },
    ...(floor === null
      ? []
      : [self(`${a} against itself`, floor.first.label), self(`${b} against itself`, floor.second.label)]),
  ];
  const series = [
    {
      label: `Answers of ${a} and ${b}`,
      values: known(rows.map((row) => row.responseSimilarity)),
      interval: statistics.response_similarity?.mean95 ?? null,
      criterion: SIMILARITY_CRITERION,
    },
    {
      label: `Reasoning of ${a} and ${b}`,
      values: known(rows.map((row) => row.reasoningSimilarity)),
      interval: statistics.reasoning_similarity?.mean95 ?? null,
      criterion: null,
    },
  ].filter(({ values }) => values.length > 0);
  return {
    agreement: await agreementFigure(lines, { ...shared, criterion: statistics.criterion }),
    confusion: confusionFigure(three.table, shared),
    ...(series.length === 0 ? {} : { similarity: await similarityFigure(series, shared) }),
  };
}

const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
