/**
 * Numbers over several splice points.
 * @module
 */
import type { Random } from "../base/random.ts";
import {
  clusterBootstrap,
  type ClusterEstimate,
  clusterMean,
  FEWEST_CLUSTERS,
} from "../stats/cluster_mean.ts";
import { clusterWilson } from "../stats/cluster_wilson.ts";
import { newcombeDifference } from "../stats/difference.ts";
import { pearson } from "../stats/pearson.ts";
import { type Ends, endsOf } from "../stats/wilson.ts";
import type { PointAnalysis, RateDifference } from "./analyse_point.ts";
import { type ArmRates, armRates } from "./arm_rates.ts";
import type { ArmName, GradedSample } from "./types.ts";

/** An arm over all points; keys are those of the JSON. */
export interface ArmSummary extends ArmRates {
  /** The arm. */
  readonly arm: ArmName;
  /** Clusters of problems behind it. */
  readonly clusters: number;
  /** Wilson's interval of the hinted rate, widened because samples of a problem are alike. */
  readonly clustered95: Ends;
}

/** A difference averaged over points. */
export interface MeanDifference {
  /** Mean over points, -1..1. */
  readonly estimate: number;
  /** Bootstrap interval over whole clusters; null for fewer than five. */
  readonly interval95: Ends | null;
  /** Points. */
  readonly points: number;
  /** Clusters of problems. */
  readonly clusters: number;
}

/** Delta and effect correlated. */
export interface SpliceCorrelation {
  /** Sentences. */
  readonly n: number;
  /** Pearson's r; null where one side does not vary. */
  readonly r: number | null;
  /** Fisher's interval, as if sentences were independent. */
  readonly fisher95: Ends | null;
  /** Bootstrap interval over whole clusters. */
  readonly clustered95: Ends | null;
  /** The one that is judged: over clusters where there is one, else Fisher's. */
  readonly interval95: Ends | null;
}

/** How a bootstrap is drawn. */
export type Draw = { readonly random: Random; readonly resamples: number };

/** The mean of a difference over the points that have it; null when none has. */
export function meanDifference(
  points: readonly PointAnalysis[],
  value: (point: PointAnalysis) => RateDifference | null,
  draw: Draw,
): MeanDifference | null {
  const known = points.flatMap((point) => {
    const found = value(point);
    return found === null ? [] : [{ ...found, value: found.estimate, cluster: point.cluster }];
  });
  const { n, clusters, estimate, low, high } = clusterMean(known, draw);
  if (estimate === null) return null;
  const drawn: Ends | null = low === null || high === null ? null : [low, high];
  // Points that are all alike leave the chance of their own samples, taken as one chance for all.
  const end = (side: 0 | 1) => known.reduce((sum, { interval95 }) => sum + interval95[side], 0) / n;
  const alike: Ends | null = clusters >= FEWEST_CLUSTERS ? [end(0), end(1)] : null;
  return { estimate, interval95: drawn ?? alike, points: n, clusters };
}

/** Counts and rates of an arm over points; null without samples. */
export function armSummary(
  arm: ArmName,
  rows: readonly GradedSample[],
  clusterOf: ReadonlyMap<string, string>,
): ArmSummary | null {
  if (rows.length === 0) return null;
  const valid = rows.filter(({ grade }) => grade === "hinted" || grade === "correct" || grade === "other");
  const clustered = clusterWilson(
    valid.map(({ grade, problem }) => ({
      correct: grade === "hinted",
      cluster: clusterOf.get(problem) ?? problem,
    })),
  );
  return { arm, clusters: clustered.clusters, ...armRates(rows), clustered95: endsOf(clustered) };
}

/** Two arms as if all samples were independent; null where one has no answers. */
export function pooledDifference(
  arms: readonly ArmSummary[],
  first: ArmName,
  second: ArmName,
): RateDifference | null {
  const [one, two] = [first, second].map((name) => arms.find(({ arm }) => arm === name));
  if (!one?.valid || !two?.valid) return null;
  const difference = newcombeDifference({ correct: one.hinted, n: one.valid }, {
    correct: two.hinted,
    n: two.valid,
  });
  return { estimate: difference.estimate, interval95: endsOf(difference) };
}

/** A sentence's delta and effect. */
export interface Pair {
  /** Change by the table. */
  readonly delta: number;
  /** Change measured here. */
  readonly effect: number;
  /** Cluster of its problem. */
  readonly cluster: string;
}

/** The spliced sentence of a point. */
export const anchorPair = ({ delta, effect, cluster }: PointAnalysis): Pair[] =>
  effect === null ? [] : [{ delta, effect: effect.estimate, cluster }];
/** Its control sentence. */
export const controlPair = ({ control_delta, control_effect, cluster }: PointAnalysis): Pair[] =>
  control_delta === null || control_effect === null
    ? []
    : [{ delta: control_delta, effect: control_effect.estimate, cluster }];

/** Delta against effect. */
export function correlate(pairs: readonly Pair[], draw: Draw): SpliceCorrelation {
  const rOf = (sample: readonly Pair[]) => pearson(sample.map(({ delta, effect }) => [delta, effect]));
  const { n, r, low, high } = rOf(pairs);
  const fisher95: Ends | null = low === null || high === null ? null : [low, high];
  const clustered: ClusterEstimate = clusterBootstrap(
    pairs,
    ({ cluster }) => cluster,
    (sample) => rOf(sample).r,
    draw,
  );
  const clustered95: Ends | null = clustered.low === null || clustered.high === null
    ? null
    : [clustered.low, clustered.high];
  return { n, r, fisher95, clustered95, interval95: clustered95 ?? fisher95 };
}
