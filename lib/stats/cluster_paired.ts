/**
 * Two conditions seen on the same items, when items come in groups that are not independent.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Difference, type PairedCounts, pairedDifference } from "./difference.ts";
import { mcnemarExact } from "./mcnemar_exact.ts";
import { twoSidedP } from "./normal.ts";
import type { ConfidenceOptions } from "./wilson.ts";

/** One item under both conditions, and the group it shares chance with (a haystack, a question). */
export interface PairedRow {
  /** Whether it is right under the first condition. */
  readonly first: boolean;
  /** Whether it is right under the second. */
  readonly second: boolean;
  /** Name of the group. */
  readonly cluster: string | number;
}

/** Paired shares compared with and without regard to groups. */
export interface ClusterPaired {
  /** Items. */
  readonly n: number;
  /** Groups. */
  readonly clusters: number;
  /** The two-by-two table. */
  readonly counts: PairedCounts;
  /** First minus second share; its interval is widened by the design effect. */
  readonly difference: Difference;
  /** Two-sided exact McNemar p-value, as if items were independent. */
  readonly mcnemarP: number;
  /** Two-sided p-value with whole groups exchanged, see {@linkcode clusterPaired}; McNemar's where every group is one item. */
  readonly p: number;
  /**
   * Variance of the difference relative to independent items, at least 1. Null when the items cannot show it (one
   * group, or no discordant items): then each group counts as one item, the worst case.
   */
  readonly designEffect: number | null;
}

/** Most steps of the exact distribution; beyond, the normal approximation is taken. */
const EXACT_STEPS = 2e7;

/**
 * Compares two conditions on the same items.
 *
 * The p-value is that of the randomisation test that swaps the conditions in whole groups, with chance 1/2 each: the
 * share of swaps whose summed difference is at least as far from 0 as the one seen (Fisher's test, with the group as
 * its unit; Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses). It is exact, by convolution, and
 * McNemar's exact test where every group is one item; for very large tables it is the normal approximation.
 *
 * The interval is Newcombe's for paired shares with both arms multiplied by the root of the design effect: the
 * cluster-robust variance of the difference over its variance with independent items, never below 1.
 *
 * @throws {InputError} when there are no items.
 */
export function clusterPaired(rows: readonly PairedRow[], options: ConfidenceOptions = {}): ClusterPaired {
  const n = rows.length;
  if (n === 0) throw new InputError("A paired comparison needs items seen under both conditions, got none.");
  const counts = { both: 0, firstOnly: 0, secondOnly: 0, neither: 0 };
  const groups = new Map<string | number, { n: number; difference: number }>();
  for (const { first, second, cluster } of rows) {
    counts[first ? (second ? "both" : "firstOnly") : (second ? "secondOnly" : "neither")]++;
    const group = groups.get(cluster) ?? { n: 0, difference: 0 };
    group.n++;
    group.difference += Number(first) - Number(second);
    groups.set(cluster, group);
  }
  const { firstOnly, secondOnly } = counts;
  const mean = (firstOnly - secondOnly) / n;
  const independent = (firstOnly + secondOnly - (firstOnly - secondOnly) ** 2 / n) / n ** 2;
  const clusters = groups.size;
  let designEffect: number | null = null;
  if (clusters > 1 && independent > 0) {
    const squares = [...groups.values()].reduce((sum, g) => sum + (g.difference - g.n * mean) ** 2, 0);
    designEffect = Math.max(1, clusters / (clusters - 1) * squares / n ** 2 / independent);
  }
  const plain = pairedDifference(counts, options);
  const wider = Math.sqrt(designEffect ?? n / clusters);
  const mcnemarP = mcnemarExact(firstOnly, secondOnly);
  return {
    n,
    clusters,
    counts,
    difference: {
      ...plain,
      low: Math.max(-1, plain.estimate - (plain.estimate - plain.low) * wider),
      high: Math.min(1, plain.estimate + (plain.high - plain.estimate) * wider),
    },
    mcnemarP,
    p: clusters === n ? mcnemarP : swapP([...groups.values()].map(({ difference }) => difference)),
    designEffect,
  };
}

/** Chance that the sum of the differences, each with a random sign, is at least as far from 0 as their own sum. */
function swapP(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs).filter((size) => size > 0);
  const seen = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  const most = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length * most > EXACT_STEPS) {
    return twoSidedP(seen / Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0)));
  }
  // chance[i] is that of the sum i - most.
  let chance = new Float64Array(2 * most + 1);
  chance[most] = 1;
  for (const size of sizes) {
    const next = new Float64Array(2 * most + 1);
    for (let i = size; i <= 2 * most - size; i++) {
      const half = (chance[i] as number) / 2;
      if (half === 0) continue;
      next[i - size] = (next[i - size] as number) + half;
      next[i + size] = (next[i + size] as number) + half;
    }
    chance = next;
  }
  let p = 0;
  for (let i = 0; i < chance.length; i++) if (Math.abs(i - most) >= seen) p += chance[i] as number;
  return Math.min(1, p);
}
