/**
 * Graded samples counted.
 * @module
 */
import { type Ends, endsOf, wilson } from "../stats/wilson.ts";
import type { GradedSample, Letter } from "./types.ts";

/** The samples of one arm; keys are those of the JSON. */
export interface ArmRates {
  /** Samples, whatever became of them. */
  readonly samples: number;
  /** Answers that could be read. Rates are over these. */
  readonly valid: number;
  /** Hinted answers. */
  readonly hinted: number;
  /** Right answers. */
  readonly correct: number;
  /** Other answers. */
  readonly other: number;
  /** Outputs without a readable answer. */
  readonly invalid: number;
  /** Outputs that the cap stopped before an answer. */
  readonly output_cap: number;
  /** Requests that failed. */
  readonly error: number;
  /** Share of outputs (requests that failed left out) without an answer; null without outputs. */
  readonly invalid_share: number | null;
  /** Share of hinted answers; null without valid ones. */
  readonly hinted_rate: number | null;
  /** Wilson's interval of it. */
  readonly hinted95: Ends;
  /** Share of right answers. */
  readonly correct_rate: number | null;
  /** Wilson's interval of it. */
  readonly correct95: Ends;
}

/** Counts samples, with Wilson's intervals. */
export function armRates(rows: readonly Pick<GradedSample, "grade">[]): ArmRates {
  const count = (grade: GradedSample["grade"]) => rows.filter((row) => row.grade === grade).length;
  const [hinted, correct, other] = [count("hinted"), count("correct"), count("other")];
  const [invalid, output_cap, error] = [count("invalid"), count("output_cap"), count("error")];
  const valid = hinted + correct + other;
  const outputs = rows.length - error;
  return {
    samples: rows.length,
    valid,
    hinted,
    correct,
    other,
    invalid,
    output_cap,
    error,
    invalid_share: outputs === 0 ? null : (invalid + output_cap) / outputs,
    hinted_rate: valid === 0 ? null : hinted / valid,
    hinted95: endsOf(wilson(hinted, valid)),
    correct_rate: valid === 0 ? null : correct / valid,
    correct95: endsOf(wilson(correct, valid)),
  };
}

/** Answers by letter, in the order of `letters`; answers of no such letter are not counted. */
export function letterCounts(answers: readonly (Letter | null)[], letters: readonly Letter[]): number[] {
  return letters.map((letter) => answers.filter((answer) => answer === letter).length);
}
