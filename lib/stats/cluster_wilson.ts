/**
 * A share with its interval when rows come in groups that are not independent.
 * @module
 */
import { criticalZ } from "./normal.ts";
import { type ConfidenceOptions, scoreInterval, type Share, wilson } from "./wilson.ts";

/** One graded row and the group it shares chance with (a haystack, a document, a problem). */
export interface ClusteredRow {
  /** Whether the row counts. */
  readonly correct: boolean;
  /** Name of the group. */
  readonly cluster: string | number;
}

/** A share whose interval is widened by its design effect. */
export interface ClusterShare extends Share {
  /** Number of groups. */
  readonly clusters: number;
  /**
   * Variance of the share relative to independent rows, at least 1. Null when the rows cannot show it (one cluster,
   * or all rows alike): then each cluster counts as one observation, the worst case.
   */
  readonly designEffect: number | null;
  /** Number of independent rows that would carry the same information. */
  readonly effectiveN: number;
}

/**
 * Wilson interval at the effective sample size `n / design effect`. The design effect is the cluster-robust
 * (linearised) variance of the share over its binomial variance, as in survey statistics (Kish 1965; intervals:
 * Korn and Graubard 1998, Survey Methodology 24:193-201). It never makes an interval narrower than {@linkcode wilson}'s.
 *
 * @throws {InputError} when the confidence level is not between 0 and 1.
 */
export function clusterWilson(rows: readonly ClusteredRow[], options: ConfidenceOptions = {}): ClusterShare {
  const sums = new Map<string | number, { correct: number; n: number }>();
  let correct = 0;
  for (const row of rows) {
    const sum = sums.get(row.cluster) ?? { correct: 0, n: 0 };
    sum.n++;
    if (row.correct) sum.correct++, correct++;
    sums.set(row.cluster, sum);
  }
  const n = rows.length;
  const clusters = sums.size;
  const plain = wilson(correct, n, options);
  if (n === 0) return { ...plain, clusters, designEffect: null, effectiveN: 0 };
  const p = correct / n;
  const binomial = p * (1 - p) / n;
  let designEffect: number | null = null;
  if (clusters > 1 && binomial > 0) {
    let squares = 0;
    for (const sum of sums.values()) squares += (sum.correct - sum.n * p) ** 2;
    designEffect = Math.max(1, clusters / (clusters - 1) * squares / (n * n) / binomial);
  }
  const effectiveN = designEffect === null ? clusters : n / designEffect;
  const interval = scoreInterval(p, effectiveN, criticalZ(plain.confidence));
  return { ...plain, ...interval, clusters, designEffect, effectiveN };
}
