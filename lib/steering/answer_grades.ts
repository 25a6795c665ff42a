/**
 * Grades of scored and measured answers, with every measure as a column, and the answers that such columns say.
 * @module
 */
import { z } from "zod";
import { judgementOf } from "../runs/judge_rows.ts";
import type { Cell, GradableRow, Grade, GradedRow, Row } from "../runs/experiment.ts";
import type { Coherence, CoherenceScale } from "./coherence.ts";

/** An answer, scored and measured. */
export interface ScoredAnswer {
  /** The text. */
  readonly text: string;
  /** How strongly it shows what is looked for, 0..100; null when it cannot be said. */
  readonly score: number | null;
  /** How it was scored: `weighted`, `parsed`, `markers`, `learned`; null without a score. */
  readonly how: string | null;
  /** Whether it is text. */
  readonly coherence: Coherence;
}

/** What grading needs besides rows and answers. */
export interface GradeOptions<A extends ScoredAnswer> {
  /** The stage of the judges' rows. */
  readonly stage: string;
  /** The judge that is graded by; undefined for markers. */
  readonly judge: string | undefined;
  /** What likelihood was held against. */
  readonly scale: CoherenceScale | null;
  /** Columns of the experiment's own. */
  readonly columns?: (answer: A) => Readonly<Record<string, Cell>>;
}

/** Grades rows by their answers: right is a score above 50, unless a person said otherwise. */
export function gradeAnswers<A extends ScoredAnswer & { readonly row: Row }>(
  rows: readonly GradableRow[],
  answers: readonly A[],
  options: GradeOptions<A>,
): GradedRow[] {
  const known = new Map(answers.map((answer) => [answer.row.id, answer]));
  return rows.map(({ row, attempt, attempts, judgements, label }): GradedRow => {
    const answer = known.get(row.id);
    if (attempt === null) return { row, attempt, attempts, grade: null };
    if (answer === undefined) {
      const grade = { validity: "error", correct: null, judge: "", judge_output: "" } as const;
      return { row, attempt, attempts, grade };
    }
    const said = judgementOf(judgements, options.stage)?.attempt.output;
    return { row, attempt, attempts, grade: gradeOf(answer, options, said, label?.correct) };
  });
}

function gradeOf<A extends ScoredAnswer>(
  answer: A,
  { judge = "markers", scale, columns }: GradeOptions<A>,
  said: string | undefined,
  label: boolean | null | undefined,
): Grade {
  const { score, how, coherence } = answer;
  const correct = label ?? (score === null ? null : score > 50);
  return {
    validity: !coherence.coherent ? "degenerate" : correct === null ? "error" : correct ? "correct" : "wrong",
    correct,
    judge,
    judge_output: said ?? String(score),
    extra: {
      score,
      scored_by: how,
      ...columns?.(answer),
      coherent: coherence.coherent,
      fault: coherence.fault,
      nll: coherence.nll,
      delta_nll: coherence.deltaNll,
      repetition: coherence.repetition,
      compression: coherence.compression,
      text_nll: scale?.text ?? null,
      salad_nll: scale?.salad ?? null,
    },
  };
}

const extraSchema = z.object({
  score: z.number().nullable(),
  scored_by: z.string().nullable(),
  coherent: z.boolean(),
  fault: z.enum(["empty", "unlikely", "repeats", "compresses"]).nullable(),
  nll: z.number().nullable(),
  delta_nll: z.number().nullable(),
  repetition: z.number(),
  compression: z.number(),
  text_nll: z.number().nullable(),
  salad_nll: z.number().nullable(),
});

/** A graded row as an answer; null when it was not answered. */
export function answerOf({ attempt, grade }: GradedRow): ScoredAnswer | null {
  const extra = extraSchema.safeParse(grade?.extra);
  if (attempt?.status !== "done" || !extra.success) return null;
  const { score, scored_by, coherent, fault, nll, delta_nll, repetition, compression } = extra.data;
  return {
    text: attempt.output,
    score,
    how: scored_by,
    coherence: { coherent, fault, nll, deltaNll: delta_nll, repetition, compression },
  };
}

/** The scale that rows were graded with. */
export function scaleOf(rows: readonly GradedRow[]): CoherenceScale | null {
  for (const { grade } of rows) {
    const { data } = extraSchema.safeParse(grade?.extra);
    if (data && data.text_nll !== null && data.salad_nll !== null) {
      return { text: data.text_nll, salad: data.salad_nll };
    }
  }
  return null;
}
