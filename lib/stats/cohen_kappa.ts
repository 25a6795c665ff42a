/**
 * How far two raters agree beyond chance.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { criticalZ } from "./normal.ts";
import { type ConfidenceOptions, type Share, wilson } from "./wilson.ts";

/** How often two raters gave each pair of categories: `table[i][j]` items were called i by the first, j by the second. */
export type AgreementTable = readonly (readonly number[])[];

/** The agreement of two raters. */
export interface CohenKappa {
  /** Items that both rated. */
  readonly n: number;
  /** Share of items with the same category, with its Wilson interval. */
  readonly agreement: Share;
  /** Share of equal categories to expect by chance from both raters' own shares, 0..1; null without items. */
  readonly expected: number | null;
  /**
   * `(agreement - expected) / (1 - expected)`, at most 1; null when it has no value: no items, or both raters gave
   * one and the same category to all.
   */
  readonly kappa: number | null;
  /**
   * Large-sample standard error; null where kappa is, and where the formula gives 0 (raters that never or always
   * differ), which says nothing about other items.
   */
  readonly standardError: number | null;
  /** Lower end of the interval, at least -1; null where there is no standard error. */
  readonly low: number | null;
  /** Upper end of the interval, at most 1; null where there is no standard error. */
  readonly high: number | null;
  /** Confidence level of both intervals. */
  readonly confidence: number;
}

/**
 * Cohen's kappa (Cohen 1960, Educational and Psychological Measurement 20:37-46) with the large-sample interval of
 * Fleiss, Cohen and Everitt (1969, Psychological Bulletin 72:323-327, formula 13).
 *
 * With few items, or categories that are hardly ever used, the interval is rough: read it with the table.
 *
 * @throws {InputError} when the table is not square, or a count is not a whole number of 0 or more.
 *
 * @example
 * ```ts
 * import { cohenKappa } from "./cohen_kappa.ts";
 * cohenKappa([[20, 5], [10, 15]]).kappa; // 0.4
 * ```
 */
export function cohenKappa(table: AgreementTable, options: ConfidenceOptions = {}): CohenKappa {
  if (table.length === 0 || table.some((row) => row.length !== table.length)) {
    throw new InputError(
      `A table of ${table.length} rows with ${table.map((row) => row.length).join(", ")} columns is not an ` +
        `agreement table: give as many columns as rows.`,
    );
  }
  const wrong = table.flat().find((count) => !Number.isSafeInteger(count) || count < 0);
  if (wrong !== undefined) {
    throw new InputError(`A count of ${wrong} in an agreement table: give whole numbers of 0 or more.`);
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const n = sum(table.flat());
  const same = sum(table.map((row, i) => row[i] as number));
  const agreement = wilson(same, n, options);
  const confidence = agreement.confidence;
  const none = { kappa: null, standardError: null, low: null, high: null, confidence };
  if (n === 0) return { n, agreement, expected: null, ...none };
  const first = table.map((row) => sum(row) / n);
  const second = table.map((_, j) => sum(table.map((row) => row[j] as number)) / n);
  const observed = same / n;
  const expected = sum(first.map((share, i) => share * (second[i] as number)));
  if (table.some((row, i) => row[i] === n)) return { n, agreement, expected, ...none };
  const kappa = (observed - expected) / (1 - expected);
  const standardError = Math.sqrt(variance({ table, n, first, second, observed, expected }));
  if (same === n || standardError < 1e-9) return { n, agreement, expected, ...none, kappa };
  const half = criticalZ(confidence) * standardError;
  return {
    n,
    agreement,
    expected,
    kappa,
    standardError,
    low: Math.max(-1, kappa - half),
    high: Math.min(1, kappa + half),
    confidence,
  };
}

interface Shares {
  readonly table: AgreementTable;
  readonly n: number;
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly observed: number;
  readonly expected: number;
}

function variance({ table, n, first, second, observed, expected }: Shares): number {
  let diagonal = 0, rest = 0;
  for (const [i, row] of table.entries()) {
    for (const [j, count] of row.entries()) {
      const share = count / n;
      if (i === j) {
        const both = (first[i] as number) + (second[i] as number);
        diagonal += share * ((1 - expected) - both * (1 - observed)) ** 2;
      } else {
        rest += share * ((second[i] as number) + (first[j] as number)) ** 2;
      }
    }
  }
  const cross = observed * expected - 2 * expected + observed;
  const top = diagonal + (1 - observed) ** 2 * rest - cross ** 2;
  return Math.max(0, top) / (n * (1 - expected) ** 4);
}
