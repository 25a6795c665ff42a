/**
 * Which sentences are spliced.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { clusterOf } from "./duplicates.ts";
import { compareIds } from "./input_text.ts";
import type { PlacedEffect } from "./place_effects.ts";
import type { SpliceData } from "./splice_data.ts";
import type { Bucket, SplicePlace, SplicePoint } from "./types.ts";

/** Options of {@linkcode selectPoints}. */
export interface SelectOptions {
  /** Least `delta` of a sentence, above 0 and at most 1. */
  readonly threshold: number;
  /** Ids of the problems that are taken; all when left out. */
  readonly problems?: readonly string[] | null;
  /** Most change, up or down, of a control sentence, default 0.05. */
  readonly controlMost?: number;
}

/** A row that reaches the threshold and is not spliced. */
export interface RefusedPoint {
  /** Id of the problem in the table. */
  readonly problem: string;
  /** Index of the sentence in the table. */
  readonly sentence: number;
  /** The change that the table states. */
  readonly delta: number;
  /** Why it is not spliced. */
  readonly reason: string;
}

/** The sentences that are spliced, and those that would have been. */
export interface Selection {
  /** The threshold. */
  readonly threshold: number;
  /** One point for each sentence, by problem and sentence; of problems that are the same, the first. */
  readonly points: readonly SplicePoint[];
  /** Points of problems that are the same as another's: their numbers are those of `of`, and they are not sampled again. */
  readonly duplicates: readonly { readonly point: SplicePoint; readonly of: string }[];
  /** Rows of the table whose stated change reaches the threshold and that cannot be spliced. */
  readonly refused: readonly RefusedPoint[];
  /** The largest change below the threshold; null without one. */
  readonly next: Pick<SplicePlace, "problem" | "sentence" | "delta"> | null;
}

/** Shares of counts are compared with this tolerance. */
const EPSILON = 1e-9;
/** Most change of a control sentence. */
const CONTROL_MOST = 0.05;

/** The class of a delta in summaries. */
export function bucketOf(delta: number): Bucket {
  return delta >= 0.7 - EPSILON ? "0.7+" : delta >= 0.5 - EPSILON ? "0.5-0.7" : "<0.5";
}

/**
 * The sentences whose measured change reaches the threshold, each with a control: a sentence of the same chain that moved
 * the answer by at most `controlMost`, as near to it as can be in place and in the rate before. Controls stand before
 * their point where one does, so that their prefix does not hold it. Rows without a measured rate before them, copied
 * rows and sentences that are not in the reasoning are never taken.
 *
 * @throws {InputError} when there are no deltas, the threshold is no share, or a problem is not known.
 */
export function selectPoints(data: SpliceData, options: SelectOptions): Selection {
  const { threshold, problems = null, controlMost = CONTROL_MOST } = options;
  if (!(threshold > 0 && threshold <= 1)) {
    throw new InputError(
      `A delta threshold of ${threshold}: give a number above 0 and at most 1, such as 0.5.`,
    );
  }
  const { table, placement } = data;
  if (table === null || placement === null) {
    throw new InputError(
      "There are no deltas to select sentences by: give a table with --deltas, or measure them with --measure-deltas.",
    );
  }
  const wanted = wantedProblems(data, problems);
  const cluster = clusterOf(data.clusters);
  const reaches = (delta: number | null) => delta !== null && delta >= threshold - EPSILON;
  const points: SplicePoint[] = [];
  const duplicates: { point: SplicePoint; of: string }[] = [];
  let next: Selection["next"] = null;
  const taken = new Map<string, string>();
  const chains = [...Map.groupBy(placement.placed, ({ effect }) => effect.problem)]
    .filter(([id]) => wanted(id)).sort(([a], [b]) => compareIds(a, b));
  for (const [id, group] of chains) {
    for (const placed of group) {
      const place = placeOf(placed);
      if (place === null) continue;
      const { delta, sentence } = place;
      if (!reaches(delta)) {
        if (next === null || delta > next.delta) next = { problem: id, sentence, delta };
        continue;
      }
      const control = controlOf(place, group, controlMost, reaches);
      const { chain } = placed;
      const point = { ...place, chain, bucket: bucketOf(delta), cluster: cluster(id), control };
      const key = `${point.cluster}:${sentence}`;
      const first = taken.get(key);
      if (first === undefined) {
        taken.set(key, id);
        points.push(point);
      } else duplicates.push({ point, of: first });
    }
  }
  const refused = refusedRows(data, wanted, reaches);
  return { threshold, points, duplicates, refused, next };
}

/**
 * The points of a selection, when there are any.
 *
 * @throws {InputError} when no sentence was selected; it says why, and which threshold would select one.
 */
export function requirePoints(selection: Selection): readonly SplicePoint[] {
  const { points, refused, next, threshold } = selection;
  if (points.length > 0) return points;
  const why = refused.length === 0
    ? ""
    : ` ${refused.length} rows that reach it cannot be spliced (${refused[0]?.reason}).`;
  const lower = next === null
    ? "No measured sentence is below it either."
    : `The largest measured change is ${
      next.delta.toFixed(3)
    } (problem ${next.problem}, sentence ${next.sentence}): lower ` +
      `--delta-threshold to select it.`;
  throw new InputError(`No sentence reaches a delta of ${threshold}.${why} ${lower}`);
}

function wantedProblems(data: SpliceData, ids: readonly string[] | null): (id: string) => boolean {
  if (ids === null || ids.length === 0) return () => true;
  const known = new Set([
    ...data.problems.map(({ id }) => id),
    ...data.table?.rows.map(({ problem }) => problem) ?? [],
  ]);
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw new InputError(
      `--problems ${unknown.join(",")}: no such problem. Known are ${
        [...known].sort(compareIds).slice(0, 12).join(", ")
      }` +
        `${known.size > 12 ? ` and ${known.size - 12} more` : ""}.`,
    );
  }
  return (id) => ids.includes(id);
}

function placeOf({ effect, chain, span, cut }: PlacedEffect): SplicePlace | null {
  const { problem, sentence, before, after, delta, beforeCount, afterCount, beforeMeasured, copied } = effect;
  if (before === null || delta === null || !beforeMeasured || copied) return null;
  const position = span.end / chain.reasoning.length;
  return { problem, sentence, delta, before, after, beforeCount, afterCount, span, cut, position };
}

/** The measured sentence of little change that is most like a point in place and rate before. */
function controlOf(
  point: SplicePlace,
  group: readonly PlacedEffect[],
  most: number,
  reaches: (delta: number | null) => boolean,
): SplicePlace | null {
  const places = group.flatMap((placed) => placeOf(placed) ?? []).filter(({ sentence, delta }) =>
    sentence !== point.sentence && Math.abs(delta) <= most + EPSILON && !reaches(delta)
  );
  const earlier = places.filter(({ sentence }) => sentence < point.sentence);
  const apart = (place: SplicePlace) =>
    Math.abs(place.position - point.position) + Math.abs(place.before - point.before);
  return (earlier.length > 0 ? earlier : places).reduce<SplicePlace | null>(
    (best, place) => best === null || apart(place) < apart(best) ? place : best,
    null,
  );
}

function refusedRows(
  { table, placement, dropped }: SpliceData,
  wanted: (id: string) => boolean,
  reaches: (delta: number | null) => boolean,
): RefusedPoint[] {
  const reasons = new Map(dropped.map(({ problem, sentence, reason }) => [`${problem}:${sentence}`, reason]));
  return (table?.rows ?? []).flatMap(({ problem, sentence, stated, beforeMeasured, copied }) => {
    const id = placement?.chains.get(problem)?.problem ?? problem;
    if (stated === null || !reaches(stated) || !wanted(id)) return [];
    const reason = reasons.get(`${problem}:${sentence}`) ??
      (!beforeMeasured
        ? "the rate before it was not measured (missing, or taken as 0)"
        : copied
        ? "its rate is copied"
        : null);
    return reason === null ? [] : [{ problem, sentence, delta: stated, reason }];
  });
}
