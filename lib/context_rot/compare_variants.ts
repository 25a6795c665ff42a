/**
 * Variants compared on the same rows of an experiment.
 * @module
 */
import { createRandom } from "../base/random.ts";
import type { GradedRow } from "../runs/experiment.ts";
import type { ComparedBy, ComparedPlace } from "../runs/experiment_kind.ts";
import { type ClusterPaired, clusterPaired, type PairedRow } from "../stats/cluster_paired.ts";
import { type EffectiveLength, effectiveLength, NOLIMA_RULE, RULER_RULE } from "../stats/effective_length.ts";
import { holm } from "../stats/holm.ts";
import { isValid } from "./audit.ts";
import { type AuditSummary, auditSummary, type ClassedRow } from "./audit_summary.ts";

/** A row as it is compared. */
export interface ComparedRow extends ClassedRow, Omit<ComparedPlace, "length"> {}

/** The rows of one variant. */
export interface ComparedRun {
  /** The variant. */
  readonly variant: string;
  /** Whether its answers are simulated. */
  readonly simulated: boolean;
  /** Its rows, those not sent included. */
  readonly rows: readonly ComparedRow[];
}

/** One variant under one condition. */
export interface VariantSummary {
  /** The variant. */
  readonly variant: string;
  /** Whether its answers are simulated. */
  readonly simulated: boolean;
  /** Accuracy raw and over valid rows, in all and by length. */
  readonly audit: AuditSummary;
  /** Effective length under each rule, over valid rows; none where rows have no lengths or none is valid. */
  readonly effective: readonly EffectiveLength[];
}

/** A difference with its p-values corrected for the number of comparisons. */
export interface PairTest extends ClusterPaired {
  /** Holm's adjusted `p`, over the pairs and conditions of the experiment. */
  readonly holmP: number;
  /** The same of `mcnemarP`. */
  readonly mcnemarHolmP: number;
}

/** Two variants under one condition. */
export interface PairSummary {
  /** The first variant. */
  readonly first: string;
  /** The second; differences are first minus second. */
  readonly second: string;
  /** On the rows that both were sent; null when there are none. */
  readonly raw: PairTest | null;
  /** On the rows that are valid for both; null when there are none. */
  readonly valid: PairTest | null;
}

/** The variants under one condition. */
export interface ConditionComparison {
  /** The condition, or null where the experiment has none. */
  readonly condition: string | null;
  /** Every variant. */
  readonly variants: readonly VariantSummary[];
  /** Every pair of variants. */
  readonly pairs: readonly PairSummary[];
}

/** A graded row as it is compared; the texts are let go. */
export function comparedRow({ row, grade }: GradedRow, by: ComparedBy): ComparedRow {
  return {
    ...by.place(row),
    skip: row.skip,
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
  };
}

/**
 * Compares variants on one experiment: each on its own, and every pair on the rows that ask both the same.
 *
 * Rows that share chance are compared as groups, see {@linkcode clusterPaired}. P-values are Holm's over all pairs and
 * conditions, for all rows sent and for valid rows each.
 *
 * @param options.unit what lengths are counted in; null for no effective lengths.
 * @param options.seed draws the intervals of the effective lengths, as in the runs' own reports.
 */
export function compareVariants(
  runs: readonly ComparedRun[],
  options: { readonly unit: ComparedBy["unit"]; readonly seed?: number },
): ConditionComparison[] {
  const conditions = [...new Set(runs.flatMap(({ rows }) => rows.map((row) => row.condition)))];
  const compared = conditions.map((condition): ConditionComparison => {
    const inside = runs.map((run) => ({
      ...run,
      rows: run.rows.filter((row) => row.condition === condition && (row.skip ?? row.validity) !== null),
    }));
    return {
      condition,
      variants: inside.map((run) => summaryOf(run, options.unit, options.seed ?? 0)),
      pairs: pairsOf(inside).map(([first, second]) => ({
        first: first.variant,
        second: second.variant,
        raw: pairTest(first, second, ({ validity }) => validity !== null),
        valid: pairTest(first, second, ({ validity }) => validity !== null && isValid(validity)),
      })),
    };
  });
  return withHolm(withHolm(compared, "raw"), "valid");
}

function summaryOf(
  { variant, simulated, rows }: ComparedRun,
  unit: string | null,
  seed: number,
): VariantSummary {
  const scored = rows.flatMap(({ length, validity, correct }) =>
    validity !== null && isValid(validity) ? [{ length, correct: correct === true }] : []
  );
  const effective = unit === null || scored.length === 0
    ? []
    : [RULER_RULE, NOLIMA_RULE].map((rule) =>
      effectiveLength(scored, rule, { random: createRandom(`effective/${seed}`) })
    );
  return { variant, simulated, audit: auditSummary(rows), effective };
}

function pairsOf<T>(values: readonly T[]): [T, T][] {
  return values.flatMap((first, i) => values.slice(i + 1).map((second): [T, T] => [first, second]));
}

function pairTest(
  first: ComparedRun,
  second: ComparedRun,
  counts: (row: ComparedRow) => boolean,
): PairTest | null {
  const others = new Map(second.rows.filter(counts).map((row) => [row.key, row]));
  const pairs = first.rows.filter(counts).flatMap((row): PairedRow[] => {
    const other = others.get(row.key);
    return other === undefined ? [] : [{ first: isRight(row), second: isRight(other), cluster: row.cluster }];
  });
  return pairs.length === 0 ? null : { ...clusterPaired(pairs), holmP: 1, mcnemarHolmP: 1 };
}

/** As {@linkcode auditSummary} counts: an error is not right. */
const isRight = ({ correct, validity }: ComparedRow) => correct === true && validity !== "error";

function withHolm(conditions: readonly ConditionComparison[], rows: "raw" | "valid"): ConditionComparison[] {
  const tests = conditions.flatMap(({ pairs }) => pairs.map((pair) => pair[rows])).filter((test) =>
    test !== null
  );
  const byGroup = holm(tests.map(({ p }) => p));
  const byRow = holm(tests.map(({ mcnemarP }) => mcnemarP));
  const adjusted = new Map(
    tests.map((test, i) => [test, { ...test, holmP: byGroup[i] ?? 1, mcnemarHolmP: byRow[i] ?? 1 }]),
  );
  return conditions.map((condition) => ({
    ...condition,
    pairs: condition.pairs.map((pair) => {
      const test = pair[rows];
      return test === null ? pair : { ...pair, [rows]: adjusted.get(test) ?? test };
    }),
  }));
}
