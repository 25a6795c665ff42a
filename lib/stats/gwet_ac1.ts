/**
 * How far two raters agree beyond chance, where categories are rare.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { AgreementTable } from "./cohen_kappa.ts";
import { criticalZ } from "./normal.ts";
import type { ConfidenceOptions } from "./wilson.ts";

/** Gwet's AC1 of two raters. */
export interface GwetAc1 {
  /** Items that both rated. */
  readonly n: number;
  /** Share of equal categories to expect by chance, 0..1; null without items. */
  readonly expected: number | null;
  /** `(agreement - expected) / (1 - expected)`, at most 1; null without items. */
  readonly ac1: number | null;
  /** Large-sample standard error; null without items, and where it is 0, which says nothing about other items. */
  readonly standardError: number | null;
  /** Lower end of the interval, at least -1; null where there is no standard error. */
  readonly low: number | null;
  /** Upper end of the interval, at most 1; null where there is no standard error. */
  readonly high: number | null;
  /** Confidence level of the interval. */
  readonly confidence: number;
}

/**
 * Gwet's AC1 (Gwet 2008, British Journal of Mathematical and Statistical Psychology 61:29-48) with its large-sample
 * interval. Unlike kappa it stays near the raw agreement when one category is rare.
 *
 * @throws {InputError} when the table is not square with two or more categories, or a count is not a whole number of 0 or
 * more.
 *
 * @example
 * ```ts
 * import { gwetAc1 } from "./gwet_ac1.ts";
 * gwetAc1([[23, 35], [27, 915]]).ac1; // 0.930945
 * ```
 */
export function gwetAc1(table: AgreementTable, options: ConfidenceOptions = {}): GwetAc1 {
  const q = table.length;
  if (q < 2 || table.some((row) => row.length !== q)) {
    throw new InputError(
      `A table of ${q} rows with ${
        table.map((row) => row.length).join(", ")
      } columns is not an agreement table: ` +
        `give as many columns as rows, at least 2.`,
    );
  }
  const wrong = table.flat().find((count) => !Number.isSafeInteger(count) || count < 0);
  if (wrong !== undefined) {
    throw new InputError(`A count of ${wrong} in an agreement table: give whole numbers of 0 or more.`);
  }
  const confidence = options.confidence ?? 0.95;
  const z = criticalZ(confidence);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const n = sum(table.flat());
  const none = { standardError: null, low: null, high: null, confidence };
  if (n === 0) return { n, expected: null, ac1: null, ...none };
  const cell = (i: number, j: number) => (table[i] as readonly number[])[j] as number;
  const indexes = table.map((_, i) => i);
  const shares = indexes.map((i) => sum(indexes.map((j) => cell(i, j) + cell(j, i))) / (2 * n));
  const observed = sum(indexes.map((i) => cell(i, i))) / n;
  const expected = sum(shares.map((share) => share * (1 - share))) / (q - 1);
  const ac1 = (observed - expected) / (1 - expected);
  // The variance of what one item adds to the estimate: to the agreement, less its part in the chance agreement.
  const chance = shares.map((share) => (1 - 2 * share) / (q - 1));
  const middle = sum(chance.map((slope, i) => slope * (shares[i] as number)));
  let squares = 0;
  for (const i of indexes) {
    for (const j of indexes) {
      const slope = ((chance[i] as number) + (chance[j] as number)) / 2 - middle;
      const pull = (i === j ? 1 : 0) - observed - (1 - ac1) * slope;
      squares += cell(i, j) / n * pull * pull;
    }
  }
  const standardError = Math.sqrt(squares / n) / (1 - expected);
  if (observed === 1 || standardError < 1e-12) return { n, expected, ac1, ...none };
  return {
    n,
    expected,
    ac1,
    standardError,
    low: Math.max(-1, ac1 - z * standardError),
    high: Math.min(1, ac1 + z * standardError),
    confidence,
  };
}
