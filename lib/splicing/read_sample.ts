/**
 * What a sample says, whichever way its backend gives reasoning and answer.
 * @module
 */
import { reasoningIn, splitTurn } from "../backends/reasoning.ts";
import type { ReasoningMarks } from "../backends/variants.ts";
import type { Attempt } from "../runs/experiment.ts";
import { gradeSample, type ParsedAnswer } from "./answers.ts";
import type { SplicePrompt } from "./prompt_book.ts";
import { type Letter, LETTERS, type RecordedChain, type SampleGrade, type SpliceProblem } from "./types.ts";

/** A sample that was read. */
export interface ReadSample extends ParsedAnswer {
  /** What the model wrote, its marks included. */
  readonly continuation: string;
  /** The whole turn: what was begun, and what the model wrote. */
  readonly turn: string;
  /** How it was graded. */
  readonly grade: SampleGrade;
}

/** What an attempt answered, as far as it is read here. */
export type SampleAttempt = Pick<Attempt, "status" | "output" | "reasoning" | "finish_reason">;

/** Reads and grades a sample. A reasoning that the output cap cut off states no answer, whatever letters it weighs. */
export function readSample(
  { problem, asked }: { readonly problem: SpliceProblem; readonly asked: SplicePrompt },
  attempt: SampleAttempt,
  marks: ReasoningMarks,
): ReadSample {
  const continuation = continuationOf(attempt, asked, marks);
  const turn = (asked.prefix ?? "") + continuation;
  const capped = attempt.finish_reason === "length";
  if (attempt.status === "error") {
    return {
      answer: null,
      pattern: "none",
      reason: "the request failed",
      continuation,
      turn,
      grade: "error",
    };
  }
  const close = marks.close.trim();
  const isOpen = asked.reasoning !== null && !turn.includes(close);
  const { correct, hinted } = problem;
  return {
    ...gradeSample({ text: isOpen && capped ? "" : turn, capped, correct, hinted }, {
      letters: lettersOf(problem),
      close,
    }),
    continuation,
    turn,
  };
}

/** The chain that a sample records: its reasoning without marks, and its answer; null where it holds no reasoning. */
export function chainOf(
  row: {
    readonly problem: SpliceProblem;
    readonly asked: SplicePrompt;
    readonly params: { readonly arm: string; readonly sample_num: number };
  },
  attempt: SampleAttempt,
  marks: ReasoningMarks,
): RecordedChain | null {
  const { turn, answer } = readSample(row, attempt, marks);
  const reasoning = splitTurn(marks, turn).reasoning ?? reasoningIn(marks, turn);
  if (reasoning.trim() === "") return null;
  return {
    arm: row.params.arm === "base" ? "base" : "hinted",
    sample: row.params.sample_num,
    reasoning,
    answer,
  };
}

/** The letters that a problem's choices have; A to D where its file does not list them. */
export function lettersOf({ choices }: Pick<SpliceProblem, "choices">): readonly Letter[] {
  return choices === null ? LETTERS.slice(0, 4) : LETTERS.filter((letter) => choices[letter] !== undefined);
}

/** Reasoning and answer that came apart are put together as the model wrote them. */
function continuationOf(
  { output, reasoning }: SampleAttempt,
  asked: SplicePrompt,
  marks: ReasoningMarks,
): string {
  const isApart = reasoning !== null || asked.reasoning !== null && !asked.forced && isHarmony(marks);
  if (!isApart) return output;
  return (asked.prefix === undefined ? marks.open : "") + (reasoning ?? "") +
    (output === "" ? "" : marks.close + output);
}

const isHarmony = ({ close }: ReasoningMarks) => close.includes("<|channel|>final");
