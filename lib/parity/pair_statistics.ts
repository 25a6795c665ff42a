/**
 * All statistics of two backends' labels on the same items.
 * @module
 */
import { cohenKappa } from "../stats/cohen_kappa.ts";
import { pairedDifference } from "../stats/difference.ts";
import { gwetAc1 } from "../stats/gwet_ac1.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { meanInterval } from "../stats/mean_interval.ts";
import { pabak } from "../stats/pabak.ts";
import { pairedEquivalence } from "../stats/paired_equivalence.ts";
import { sampleSizeFor, sampleSizeForPower } from "../stats/sample_size.ts";
import { specificAgreement } from "../stats/specific_agreement.ts";
import { type Ends, endsOf, wilson } from "../stats/wilson.ts";
import type { Label, PairRow } from "./pair_rows.ts";

/** A share of rows as the JSON has it. */
export interface ShareStatistics {
  /** Rows that count. */
  readonly count: number;
  /** All rows. */
  readonly n: number;
  /** 0..1; null without rows. */
  readonly share: number | null;
  /** Wilson's interval. */
  readonly wilson95: Ends;
}

/** A mean as the JSON has it. */
export interface MeanStatistics {
  /** Values. */
  readonly n: number;
  /** Null without values. */
  readonly mean: number | null;
  /** Large-sample interval; null for fewer than two rows. */
  readonly mean95: Ends | null;
}

/** The statistics of a 2 x 2 table of labels; keys are those of the JSON. */
export interface TableStatistics {
  /** Rows. */
  readonly n: number;
  /** Flagged by both. */
  readonly n11: number;
  /** Flagged by the first alone. */
  readonly n10: number;
  /** Flagged by the second alone. */
  readonly n01: number;
  /** Flagged by none. */
  readonly n00: number;
  /** Share of equal labels; null without rows. */
  readonly agreement: number | null;
  /** Wilson's interval of the agreement. */
  readonly wilson95: Ends;
  /** Cohen's kappa. */
  readonly kappa: number | null;
  /** Interval of kappa; null where it has none. */
  readonly kappa95: Ends | null;
  /** Prevalence- and bias-adjusted kappa. */
  readonly pabak: number | null;
  /** Interval of PABAK. */
  readonly pabak95: Ends;
  /** Gwet's AC1. */
  readonly gwet_ac1: number | null;
  /** Interval of AC1; null where it has none. */
  readonly gwet_ac1_95: Ends | null;
  /** Agreement on the label 1. */
  readonly positive_agreement: number | null;
  /** Interval of the positive agreement. */
  readonly positive_agreement95: Ends;
  /** Agreement on the label 0. */
  readonly negative_agreement: number | null;
  /** Interval of the negative agreement. */
  readonly negative_agreement95: Ends;
  /** Exact McNemar p, two-sided. */
  readonly mcnemar_exact_p: number;
  /** Shares flagged by each, and first less second with Newcombe's paired interval. */
  readonly flagged: readonly [number | null, number | null];
  /** Share flagged by the first less that by the second. */
  readonly flagged_difference: number | null;
  /** Newcombe's paired interval of the difference. */
  readonly flagged_difference95: Ends | null;
  /** Two one-sided tests that the shares flagged differ by less than `1 - criterion`; null without rows. */
  readonly tost: {
    readonly margin: number;
    readonly alpha: number;
    readonly interval90: Ends;
    readonly p_lower: number;
    readonly p_upper: number;
    readonly p: number;
    readonly equivalent: boolean;
  } | null;
  /** Rows at which this agreement would show the criterion; null when it is not above it. */
  readonly n_needed: number | null;
  /** The same with a chance of 80%, if this agreement is the true one. */
  readonly n_needed_power80: number | null;
}

/** What is known of one backend alone. */
export interface SideStatistics {
  /** The backend. */
  readonly name: string;
  /** Answers with the label 1. */
  readonly flagged: number;
  /** Answers with a label. */
  readonly parsed: ShareStatistics;
  /** Answers that are exactly `0` or `1`; null when not known. */
  readonly strict: ShareStatistics | null;
  /** Answers that refuse the task; null when not known. */
  readonly refused: ShareStatistics | null;
  /** Characters; null when not known. */
  readonly response_length: MeanStatistics | null;
  /** Characters of the reasoning; null when not known. */
  readonly reasoning_length: MeanStatistics | null;
}

/** All statistics of a set of pairs; keys are those of the JSON. */
export interface PairStatistics {
  /** What is known of each backend alone. */
  readonly sides: readonly [SideStatistics, SideStatistics];
  /** Share of equal labels that is wanted. */
  readonly criterion: number;
  /** Every row, an unparsed answer counted as not flagged, as published tables have it. No honest agreement. */
  readonly all: TableStatistics;
  /** Rows where both answers were parsed: the agreement that is judged. */
  readonly both_parsed: TableStatistics;
  /** Every row with three outcomes: 0, 1, unparsed. `table[i][j]`: first i, second j, in that order. */
  readonly three_way: {
    readonly n: number;
    readonly table: readonly (readonly number[])[];
    readonly agreement: number | null;
    readonly wilson95: Ends;
    readonly kappa: number | null;
    readonly kappa95: Ends | null;
    readonly gwet_ac1: number | null;
    readonly gwet_ac1_95: Ends | null;
  };
  /** Rows by who was parsed: `api1_local0` are rows that the first parsed and the second did not. */
  readonly parse_table: Readonly<Record<string, number>>;
  /** How alike answers are, over all rows where it is known. */
  readonly response_similarity: MeanStatistics | null;
  /** How alike reasoning is; null when not known. */
  readonly reasoning_similarity: MeanStatistics | null;
  /** Median over rows of second length / first length; null where lengths are not known or 0. */
  readonly response_length_ratio: number | null;
  /** The same of the reasoning. */
  readonly reasoning_length_ratio: number | null;
}

/** Options of {@linkcode pairStatistics}. */
export interface PairStatisticsOptions {
  /** The backends' names. */
  readonly sides: readonly [string, string];
  /** Share of equal labels that is wanted, default 0.95. */
  readonly criterion?: number;
}

/** The agreement that is wanted where nothing else is said. */
export const AGREEMENT_CRITERION = 0.95;

/** All statistics of pairs. */
export function pairStatistics(rows: readonly PairRow[], options: PairStatisticsOptions): PairStatistics {
  const { sides, criterion = AGREEMENT_CRITERION } = options;
  const [a, b] = sides;
  const parsedRows = rows.filter(({ first, second }) => first.label !== null && second.label !== null);
  const parse = (first: boolean, second: boolean) =>
    rows.filter((row) => (row.first.label !== null) === first && (row.second.label !== null) === second)
      .length;
  return {
    sides: [sideStatistics(rows, "first", a), sideStatistics(rows, "second", b)],
    criterion,
    all: tableStatistics(rows.map(({ first, second }) => [first.stored, second.stored]), criterion),
    both_parsed: tableStatistics(
      parsedRows.map(({ first, second }) => [first.label as Label, second.label as Label]),
      criterion,
    ),
    three_way: threeWay(rows),
    parse_table: {
      [`${a}1_${b}1`]: parse(true, true),
      [`${a}1_${b}0`]: parse(true, false),
      [`${a}0_${b}1`]: parse(false, true),
      [`${a}0_${b}0`]: parse(false, false),
    },
    response_similarity: meanStatistics(rows.map((row) => row.responseSimilarity)),
    reasoning_similarity: meanStatistics(rows.map((row) => row.reasoningSimilarity)),
    response_length_ratio: medianRatio(rows, "responseLength"),
    reasoning_length_ratio: medianRatio(rows, "reasoningLength"),
  };
}

/** The statistics of pairs of labels. */
export function tableStatistics(
  pairs: readonly (readonly [Label, Label])[],
  criterion: number,
): TableStatistics {
  const count = (first: Label, second: Label) =>
    pairs.filter((pair) => pair[0] === first && pair[1] === second).length;
  const [n11, n10, n01, n00] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)];
  const n = pairs.length;
  const same = n11 + n00;
  const table = [[n11, n10], [n01, n00]];
  const kappa = cohenKappa(table);
  const ac1 = gwetAc1(table);
  const adjusted = pabak(same, n);
  const positive = specificAgreement(n11, n10 + n01);
  const negative = specificAgreement(n00, n10 + n01);
  const paired = { both: n11, firstOnly: n10, secondOnly: n01, neither: n00 };
  const difference = n === 0 ? null : pairedDifference(paired);
  const margin = Number((1 - criterion).toFixed(12));
  const tost = n === 0 ? null : pairedEquivalence(paired, { margin });
  const share = kappa.agreement.estimate;
  return {
    n,
    n11,
    n10,
    n01,
    n00,
    agreement: share,
    wilson95: endsOf(kappa.agreement),
    kappa: kappa.kappa,
    kappa95: endsOrNull(kappa),
    pabak: adjusted.estimate,
    pabak95: endsOf(adjusted),
    gwet_ac1: ac1.ac1,
    gwet_ac1_95: endsOrNull(ac1),
    positive_agreement: positive.estimate,
    positive_agreement95: endsOf(positive),
    negative_agreement: negative.estimate,
    negative_agreement95: endsOf(negative),
    mcnemar_exact_p: mcnemarExact(n10, n01),
    flagged: n === 0 ? [null, null] : [(n11 + n10) / n, (n11 + n01) / n],
    flagged_difference: difference?.estimate ?? null,
    flagged_difference95: difference === null ? null : endsOf(difference),
    tost: tost === null ? null : {
      margin: tost.margin,
      alpha: tost.alpha,
      interval90: endsOf(tost),
      p_lower: tost.pLower,
      p_upper: tost.pUpper,
      p: tost.p,
      equivalent: tost.equivalent,
    },
    n_needed: share === null ? null : sampleSizeFor(share, { criterion }),
    n_needed_power80: share === null ? null : sampleSizeForPower(share, { criterion }),
  };
}

/** A share with its interval, as the JSON has it. */
export function shareStatistics(count: number, n: number): ShareStatistics {
  const share = wilson(count, n);
  return { count, n, share: share.estimate, wilson95: endsOf(share) };
}

/** The mean of the values that are known; null when none is. */
export function meanStatistics(values: readonly (number | null)[]): MeanStatistics | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const interval = meanInterval(known);
  return { n: known.length, mean, mean95: interval === null ? null : endsOf(interval) };
}

function sideStatistics(rows: readonly PairRow[], key: "first" | "second", name: string): SideStatistics {
  const sides = rows.map((row) => row[key]);
  const known = (field: "strict" | "refused") => {
    const values = sides.map((side) => side[field]).filter((value) => value !== null);
    return values.length === 0 ? null : shareStatistics(values.filter(Boolean).length, values.length);
  };
  return {
    name,
    flagged: sides.filter(({ label }) => label === 1).length,
    parsed: shareStatistics(sides.filter(({ label }) => label !== null).length, sides.length),
    strict: known("strict"),
    refused: known("refused"),
    response_length: meanStatistics(sides.map((side) => side.responseLength)),
    reasoning_length: meanStatistics(sides.map((side) => side.reasoningLength)),
  };
}

function threeWay(rows: readonly PairRow[]): PairStatistics["three_way"] {
  const table = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (const { first, second } of rows) {
    const cells = table[first.label ?? 2] as number[];
    const at = second.label ?? 2;
    cells[at] = (cells[at] as number) + 1;
  }
  const kappa = cohenKappa(table);
  const ac1 = gwetAc1(table);
  return {
    n: rows.length,
    table,
    agreement: kappa.agreement.estimate,
    wilson95: endsOf(kappa.agreement),
    kappa: kappa.kappa,
    kappa95: endsOrNull(kappa),
    gwet_ac1: ac1.ac1,
    gwet_ac1_95: endsOrNull(ac1),
  };
}

function medianRatio(rows: readonly PairRow[], field: "responseLength" | "reasoningLength"): number | null {
  const ratios = rows.flatMap(({ first, second }) => {
    const [one, two] = [first[field], second[field]];
    return one && two !== null ? [two / one] : [];
  }).sort((x, y) => x - y);
  const middle = ratios.length / 2;
  if (ratios.length === 0) return null;
  return ((ratios[Math.ceil(middle) - 1] as number) + (ratios[Math.floor(middle)] as number)) / 2;
}

function endsOrNull(
  { low, high }: { readonly low: number | null; readonly high: number | null },
): Ends | null {
  return low === null || high === null ? null : [low, high];
}
