/**
 * What all answers under one steering say together.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { type PairedMean, pairedMean } from "../stats/paired_mean.ts";
import { wilson } from "../stats/wilson.ts";
import type { ScoredAnswer } from "./answer_grades.ts";
import type { FactoryArm, FactoryRow, FactorySplit } from "./factory_rows.ts";
import type { KvStrength } from "./kv_vectors.ts";

/** One answer, scored and measured. */
export interface FactoryAnswer extends ScoredAnswer {
  /** Its row. */
  readonly row: FactoryRow;
  /** Whether it names the right answer; null where none is known. */
  readonly right: boolean | null;
  /** Of strength 0: whether it changes no bit of what the model computes; null elsewhere. */
  readonly sameBits: boolean | null;
}

/** All answers under one steering, on one half of the questions. */
export interface FactoryPoint {
  /** Why they were asked. */
  readonly arm: FactoryArm;
  /** The half. */
  readonly split: FactorySplit;
  /** The strength; null when nothing is steered. */
  readonly strength: KvStrength | null;
  /** The answers. */
  readonly answers: readonly FactoryAnswer[];
  /** Mean score, 0..100. */
  readonly score: number | null;
  /** Score minus that of the unsteered answer to the same question. */
  readonly effect: PairedMean;
  /** Coherent answers. */
  readonly coherent: number;
  /** Ends of the 95% interval of their share. */
  readonly coherentInterval: readonly [number, number];
  /** Right answers, of those whose right answer is known. */
  readonly right: number;
  /** Answers whose right answer is known. */
  readonly known: number;
}

/** Gathers answers into points, in the order of their first row. */
export function factoryPoints(answers: readonly FactoryAnswer[], seed: number): FactoryPoint[] {
  const unsteered = answers.filter(({ row }) => row.params.arm === "unsteered");
  const groups = Map.groupBy(
    answers,
    ({ row: { params: { arm, split, c_k, c_v } } }) => JSON.stringify([arm, split, c_k, c_v]),
  );
  return [...groups].map(([key, all]) => {
    const { arm, split, c_k, c_v } = (all[0] as FactoryAnswer).row.params;
    const scores = all.flatMap(({ score }) => score ?? []);
    const coherent = all.filter(({ coherence }) => coherence.coherent).length;
    const share = wilson(coherent, all.length);
    return {
      arm,
      split,
      strength: c_k === null || c_v === null ? null : { keys: c_k, values: c_v },
      answers: all,
      score: scores.length === 0 ? null : scores.reduce((sum, x) => sum + x, 0) / scores.length,
      effect: pairedMean(pairedDifferences(all, unsteered, ({ score }) => score), {
        random: createRandom(`effect/${seed}/${key}`),
      }),
      coherent,
      coherentInterval: [share.low, share.high],
      right: all.filter(({ right }) => right === true).length,
      known: all.filter(({ right }) => right !== null).length,
    };
  });
}

/** A value of the first answer to each question minus that of the second, where both have it. */
export function pairedDifferences(
  first: readonly FactoryAnswer[],
  second: readonly FactoryAnswer[],
  value: (answer: FactoryAnswer) => number | null,
): number[] {
  const other = new Map(second.map((answer) => [answer.row.params.question, value(answer)]));
  return first.flatMap((answer) => {
    const [own, against] = [value(answer), other.get(answer.row.params.question) ?? null];
    return own === null || against === null ? [] : [own - against];
  });
}

/** Whether enough answers of a point are coherent for it to be chosen. */
export function isCoherent({ coherent, answers }: FactoryPoint, coherentShare: number): boolean {
  return answers.length > 0 && coherent / answers.length >= coherentShare;
}

/**
 * The strength to report on: of those of the search with enough coherent answers, the one with the largest effect, the
 * weaker of two alike. Where none has enough, the most coherent; null where nothing was tried.
 */
export function chooseStrength(points: readonly FactoryPoint[], coherentShare: number): FactoryPoint | null {
  const tried = points.filter(({ arm }) => arm === "search");
  const good = tried.filter((point) => isCoherent(point, coherentShare));
  const size = ({ strength }: FactoryPoint) =>
    Math.abs(strength?.keys ?? 0) + Math.abs(strength?.values ?? 0);
  const effect = ({ effect }: FactoryPoint) => effect.estimate ?? -Infinity;
  const share = ({ coherent, answers }: FactoryPoint) => coherent / answers.length;
  const better = (a: FactoryPoint, b: FactoryPoint) =>
    (good.length > 0 ? effect(b) - effect(a) : share(b) - share(a)) || size(a) - size(b);
  return (good.length > 0 ? good : tried).toSorted(better)[0] ?? null;
}
