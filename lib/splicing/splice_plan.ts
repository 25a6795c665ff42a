/**
 * The rows of a splice experiment as far as they are known.
 * @module
 */
import type { ReasoningMarks } from "../backends/variants.ts";
import { clusterProblems } from "./duplicates.ts";
import { placeEffects } from "./place_effects.ts";
import { writtenEffects } from "./planted.ts";
import { requirePoints, type Selection, selectPoints } from "./select_points.ts";
import type { SpliceData } from "./splice_data.ts";
import type { SpliceMaterial } from "./splice_material.ts";
import type { SpliceRow } from "./splice_rows.ts";
import {
  type AnsweredRow,
  chooseChains,
  type ChosenChain,
  type ChosenChains,
  isAnswered,
  measuredEffects,
  rowsOf,
  withRecorded,
} from "./splice_stages.ts";
import type { SentenceEffect, SplicePoint, SpliceProblem } from "./types.ts";

/** What the rows of an experiment follow from, beside its answers. */
export interface StageInputs {
  /** Problems, and what files say of them. */
  readonly material: SpliceMaterial;
  /** What stands around the reasoning of the model. */
  readonly marks: ReasoningMarks;
  /** Least delta of a splice point. */
  readonly threshold: number;
  /** Ids of the problems that are taken; null for all. */
  readonly problems: readonly string[] | null;
  /** Most splice points; null for all. */
  readonly maxPoints: number | null;
  /** Rows that record chains. */
  readonly record: (problems: readonly SpliceProblem[]) => SpliceRow[];
  /** Rows that measure chains. */
  readonly deltas: (chains: readonly ChosenChain[]) => SpliceRow[];
  /** Rows of the arms. */
  readonly splice: (
    points: readonly SplicePoint[],
    problems: ReadonlyMap<string, SpliceProblem>,
  ) => SpliceRow[];
}

/** What is known so far. */
export interface DerivedStages {
  /** The inputs with what was recorded and measured; its table is null before there are deltas. */
  readonly data: SpliceData;
  /** The chains to cut; empty where deltas were given, which say it. */
  readonly chosen: ChosenChains;
  /** How far each sentence moved the answer; null where that is not known yet. */
  readonly effects: readonly SentenceEffect[] | null;
  /**
   * Where the deltas are from that points were selected by: a file, this model, or, where no answer of it follows any
   * chain, the process that wrote our own chains.
   */
  readonly deltas: "given" | "measured" | "written";
  /** The sentences that are spliced, and those that are not; null before there are deltas. */
  readonly selection: Selection | null;
  /** The sentences that are spliced. */
  readonly points: readonly SplicePoint[];
}

const NONE: ChosenChains = { chains: [], without: [], source: "recorded" };

/**
 * Reads from answers what is known so far: the same answers give the same.
 *
 * @throws {InputError} when deltas were given and no sentence can be spliced.
 */
export function deriveStages(rows: readonly AnsweredRow[], inputs: StageInputs): DerivedStages {
  const { material: { data: given, stages }, marks, threshold, maxPoints } = inputs;
  const options = { threshold, problems: inputs.problems };
  if (given.table !== null) {
    const selection = selectPoints(given, options);
    const effects = given.placement?.placed.map(({ effect }) => effect) ?? [];
    return {
      data: given,
      chosen: NONE,
      effects,
      deltas: "given",
      selection,
      points: most(requirePoints(selection), maxPoints),
    };
  }
  const problems = withRecorded(given.problems, rows, marks);
  const wanted = inputs.problems === null
    ? problems
    : problems.filter(({ id }) => inputs.problems?.includes(id));
  const recorded = !stages.includes("record") || rowsOf(rows, "record").length > 0;
  const chosen = recorded ? chooseChains(wanted, clusterProblems(wanted, [])) : NONE;
  const data = { ...given, problems };
  const measured = rowsOf(rows, "deltas");
  if (measured.length === 0 || !isAnswered(measured)) {
    return { data, chosen, effects: null, deltas: "measured", selection: null, points: [] };
  }
  const effects = measuredEffects(chosen.chains, measured, marks);
  const select = (by: readonly SentenceEffect[], deltas: DerivedStages["deltas"]): DerivedStages => {
    const joined = withEffects(data, chosen, by);
    const selection = selectPoints(joined, options);
    return { data: joined, chosen, effects, deltas, selection, points: most(selection.points, maxPoints) };
  };
  const found = select(effects, "measured");
  if (found.points.length > 0 || chosen.source !== "written") return found;
  return select(chosen.chains.flatMap(({ problem, chain }) => writtenEffects(problem.id, chain)), "written");
}

/**
 * The rows that can be asked for now: those of the first stage, then those that follow from its answers. Nothing follows
 * from a stage in which a row failed: what it would have answered may change what follows.
 */
export function nextRows(rows: readonly AnsweredRow[], inputs: StageInputs): SpliceRow[] {
  const { stages, data: given } = inputs.material;
  if (rows.length === 0 && stages.includes("record")) return inputs.record(given.problems);
  if (!isAnswered(rows)) return [];
  const { data, chosen, effects, points } = deriveStages(rows, inputs);
  if (effects === null) return inputs.deltas(chosen.chains);
  return inputs.splice(points, new Map(data.problems.map((problem) => [problem.id, problem])));
}

/** Inputs with measured deltas in place of a table. */
function withEffects(
  data: SpliceData,
  { chains }: ChosenChains,
  effects: readonly SentenceEffect[],
): SpliceData {
  const path = "the measured deltas";
  const rows = effects.map((effect) => {
    const problem = data.problems.find(({ id }) => id === effect.problem) as SpliceProblem;
    return { ...effect, correct: problem.correct, hinted: problem.hinted, stated: effect.delta };
  });
  const cut = chains.map(({ problem, chain }) => ({ ...problem, chains: [chain] }));
  return {
    ...data,
    table: { path, records: rows.length, rows, dropped: [], chainBreaks: [], unevenRates: 0 },
    placement: placeEffects(rows, cut, path),
    clusters: clusterProblems(cut, []),
  };
}

/** The points with the largest deltas, in their order. */
function most(points: readonly SplicePoint[], count: number | null): readonly SplicePoint[] {
  if (count === null || points.length <= count) return points;
  const kept = new Set(points.toSorted((a, b) => b.delta - a.delta).slice(0, count));
  return points.filter((point) => kept.has(point));
}
