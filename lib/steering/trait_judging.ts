/**
 * Judges that score an experiment's answers, 0 to 100: what they are asked, and how they are sampled.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { type AskedJudge, judgementOf, judgePrompt, judgeRow } from "../runs/judge_rows.ts";
import type { Judgement, Row } from "../runs/experiment.ts";
import type { PlannedExperiment } from "../runs/experiment_kind.ts";
import { JUDGED_TOKENS, TRAIT_JUDGE_VERSION, type TraitScore, traitScore } from "./trait_judge.ts";

/** What judges are asked. */
export interface TraitJudging<R extends Row> {
  /** The stage of their rows: `trait`. */
  readonly stage: string;
  /** Most tokens of an answer. */
  readonly answerTokens: number;
  /** Most tokens of the reply of an in-process judge without a format of its own; those of any judge when left out. */
  readonly plainCap?: number;
  /** The question about an answer. */
  question(row: R, answer: string): readonly Message[];
}

/** The part of an experiment that is about judges; without a judge nothing is asked. */
export function traitJudging<R extends Row>(
  judges: readonly AskedJudge[],
  { stage, answerTokens, plainCap = Infinity, question }: TraitJudging<R>,
): Pick<PlannedExperiment<R>, "judging" | "judgeRows" | "judgePrompt" | "judgeSampling"> {
  if (judges.length === 0) return { judging: null };
  return {
    judging: { callsPerRow: 1, tokens: 400 + answerTokens, maxTokens: 1024 },
    judgeRows: (rows, which = 0) =>
      rows.flatMap(({ row, attempt }) => {
        const judge = judges[which];
        if (attempt?.status !== "done" || judge === undefined || attempt.output.trim() === "") return [];
        const messages = question(row, attempt.output);
        const asked = judgeRow({ row, stage, version: `trait/${TRAIT_JUDGE_VERSION}`, messages, judge });
        // A number is short; a server's model may reason before it.
        const plain = judge.variant.backend === "local" && judge.variant.format === undefined;
        return [{ ...asked, maxTokens: plain ? Math.min(asked.maxTokens, plainCap) : asked.maxTokens }];
      }),
    judgePrompt: (row, which = 0) => judgePrompt(row, judges[which] as AskedJudge),
    judgeSampling: (which) => {
      const judge = judges[which]?.variant;
      const silent = judge === undefined || (judge.backend === "api" && judge.protocol === "responses");
      return { temperature: 0, ...(silent ? {} : { topLogprobs: JUDGED_TOKENS }) };
    },
  };
}

/** The score that a judge gave; null when it gave none. */
export function judgedScore(judgements: readonly Judgement[], stage: string): TraitScore | null {
  const judged = judgementOf(judgements, stage);
  return judged === undefined ? null : traitScore(judged.attempt);
}
