/**
 * The points of a sweep: what all answers under one steering say together.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { type PairedMean, pairedMean } from "../stats/paired_mean.ts";
import { wilson } from "../stats/wilson.ts";
import type { ScoredAnswer } from "./answer_grades.ts";
import type { Arm, Split, SweepRow } from "./sweep_rows.ts";

/** One answer, scored and measured. */
export interface SweepAnswer extends ScoredAnswer {
  /** Its row. */
  readonly row: SweepRow;
  /** When it was asked for, ISO. */
  readonly started: string;
}

/** All answers under one steering, on one half of the questions. */
export interface SweepPoint {
  /** Why they were asked. */
  readonly arm: Arm;
  /** The half. */
  readonly split: Split;
  /** Methods of the vector. */
  readonly method: string;
  /** Layers. */
  readonly layers: string;
  /** Length of the steering over that of the activations; null when nothing is steered. */
  readonly ratio: number | null;
  /** The coefficient. */
  readonly coef: number | null;
  /** The answers, by question. */
  readonly answers: readonly SweepAnswer[];
  /** Mean score. */
  readonly score: number | null;
  /** Score minus that of the unsteered answer to the same question. */
  readonly effect: PairedMean;
  /** Coherent answers. */
  readonly coherent: number;
  /** Ends of the 95% interval of their share. */
  readonly coherentInterval: readonly [number, number];
  /** Mean nats by which answers are less likely than the unsteered ones. */
  readonly deltaNll: number | null;
}

const meanOf = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;

/** Which point a row belongs to. */
export function pointKey({ arm, split, method, layers, ratio }: SweepRow["params"]): string {
  return JSON.stringify([arm, split, method, layers, ratio]);
}

/** Gathers answers into points, in the order of their first row. */
export function sweepPoints(answers: readonly SweepAnswer[], seed: number): SweepPoint[] {
  const unsteered = new Map(
    answers.filter(({ row }) => row.params.arm === "baseline").map((
      answer,
    ) => [answer.row.params.question, answer]),
  );
  return [...Map.groupBy(answers, ({ row }) => pointKey(row.params))].map(([key, all]) => {
    const { arm, split, method, layers, ratio, coef } = (all[0] as SweepAnswer).row.params;
    const coherent = all.filter(({ coherence }) => coherence.coherent).length;
    const share = wilson(coherent, all.length);
    return {
      arm,
      split,
      method,
      layers,
      ratio,
      coef,
      answers: all,
      score: meanOf(all.flatMap(({ score }) => score ?? [])),
      effect: pairedMean(
        differences(all, [...unsteered.values()]),
        { random: createRandom(`effect/${seed}/${key}`) },
      ),
      coherent,
      coherentInterval: [share.low, share.high],
      deltaNll: meanOf(all.flatMap(({ coherence }) => coherence.deltaNll ?? [])),
    };
  });
}

/** Score minus score, for each question that both have scored. */
export function differences(first: readonly SweepAnswer[], second: readonly SweepAnswer[]): number[] {
  const other = new Map(second.map(({ row, score }) => [row.params.question, score]));
  return first.flatMap(({ row, score }) => {
    const against = other.get(row.params.question) ?? null;
    return score === null || against === null ? [] : [score - against];
  });
}

/** Whether enough answers of a point are coherent for it to be chosen. */
export function passes(point: Pick<SweepPoint, "coherent" | "answers">, coherentShare: number): boolean {
  return point.answers.length > 0 && point.coherent / point.answers.length >= coherentShare;
}

/**
 * The point of a search to report on: of those with enough coherent answers, the one with the largest effect, the
 * weaker one of two alike. Where none has enough, the most coherent; null where there is no point at all.
 */
export function choosePoint(points: readonly SweepPoint[], coherentShare: number): SweepPoint | null {
  const tried = points.filter(({ arm, answers }) => arm === "search" && answers.length > 0);
  const effect = ({ effect }: SweepPoint) => effect.estimate ?? -Infinity;
  const share = ({ coherent, answers }: SweepPoint) => coherent / answers.length;
  const good = tried.filter((point) => passes(point, coherentShare));
  const better = (a: SweepPoint, b: SweepPoint) =>
    (good.length > 0 ? effect(b) - effect(a) : share(b) - share(a)) || (a.ratio ?? 0) - (b.ratio ?? 0);
  return (good.length > 0 ? good : tried).toSorted(better)[0] ?? null;
}
