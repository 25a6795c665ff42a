/**
 * One row of a table of deltas, read strictly.
 * @module
 */
import { letterOf } from "./input_text.ts";
import type { AnswerCount, Letter, SentenceEffect } from "./types.ts";

/** A row of a table, before its problem is known. */
export interface DeltaRow extends SentenceEffect {
  /** The right letter, where the table has it. */
  readonly correct: Letter | null;
  /** The hinted letter, where the table has it. */
  readonly hinted: Letter | null;
  /** Change that the table states, also where the rate before it was not measured; null where it states none. */
  readonly stated: number | null;
}

/** The columns, by any of their names. */
export const DELTA_COLUMNS = {
  problem: ["problem_number", "pn", "question_id", "id"],
  index: ["sentence_number", "sentence_num"],
  text: ["sentence"],
  delta: ["delta_cue_p"],
  after: ["cue_p", "true_cue_p"],
  before: ["cue_p_prev"],
  hits: ["cue_score"],
  hitsBefore: ["cue_score_prev"],
  of: ["cue_n"],
  ofBefore: ["cue_n_prev"],
  correct: ["gt_answer", "correct_answer"],
  hinted: ["cue_answer", "hinted_answer"],
} as const;
type Column = keyof typeof DELTA_COLUMNS;

/** How far numbers that should be equal may be apart: files round to three or four places. */
export const ROUNDED = 0.0051;
const EPSILON = 1e-9;

/** Why a row cannot be used. */
export type WrongRow = {
  readonly reason: string;
  readonly problem: string | null;
  readonly sentence: number | null;
};

/** Reads a row: a value, or the reason why it is none. */
export function rowOf(record: Readonly<Record<string, string>>): DeltaRow | WrongRow {
  const cell = (column: Column) => {
    const name = DELTA_COLUMNS[column].find((one) => (record[one]?.trim() ?? "") !== "");
    return name === undefined ? null : record[name]?.trim() ?? null;
  };
  const problem = cell("problem")?.replace(/^(\d+)\.0$/, "$1") ?? null;
  const sentence = wholeOf(cell("index"));
  const wrong = (reason: string): WrongRow => ({
    reason,
    problem,
    sentence: typeof sentence === "number" ? sentence : null,
  });
  if (problem === null) return wrong("it names no problem");
  if (sentence === null || Number.isNaN(sentence)) {
    return wrong(
      `its sentence number is ${JSON.stringify(cell("index") ?? "")}, a whole number from 0 was expected`,
    );
  }
  const numbers: Partial<Record<Column, number>> = {};
  for (const column of ["after", "before", "delta"] as const) {
    const text = cell(column);
    if (text === null || /^nan$/i.test(text)) continue;
    const value = Number(text);
    const low = column === "delta" ? -1 : 0;
    if (!(value >= low - EPSILON && value <= 1 + EPSILON)) {
      return wrong(
        `${DELTA_COLUMNS[column].join(" or ")} is ${
          JSON.stringify(text.slice(0, 40))
        }, a number from ${low} to 1 was expected`,
      );
    }
    numbers[column] = value;
  }
  const { after, before: given, delta: stated } = numbers;
  if (after === undefined) return wrong("it has no rate");
  for (const column of ["hits", "hitsBefore", "of", "ofBefore"] as const) {
    const count = wholeOf(cell(column));
    if (Number.isNaN(count)) {
      return wrong(
        `${DELTA_COLUMNS[column].join()} is ${JSON.stringify(cell(column))}, a count was expected`,
      );
    }
    if (count !== null) numbers[column] = count;
  }
  if (numbers.of === 0) return wrong("no answer behind its rate could be read");
  const afterCount = countOf(numbers.hits, numbers.of, after);
  const beforeCount = countOf(numbers.hitsBefore, numbers.ofBefore, given);
  if (afterCount === "wrong" || beforeCount === "wrong") return wrong("its counts do not give its rates");
  let before = given ?? (stated === undefined ? null : after - stated);
  if (before !== null && Math.abs(before) < EPSILON) before = 0;
  if (before !== null && (before < -ROUNDED || before > 1 + ROUNDED)) {
    return wrong(`delta_cue_p ${stated} does not fit the rate ${after}: the rate before would be ${before}`);
  }
  if (before !== null) before = Math.min(1, Math.max(0, before));
  if (
    given !== undefined && stated !== undefined && Math.abs(after - given - stated) > ROUNDED && sentence > 0
  ) {
    return wrong(`delta_cue_p ${stated} is not the difference of its rates ${after} and ${given}`);
  }
  const first = sentence === 0;
  // A stated change as large as the rate itself was taken from 0, whatever another column says.
  const fromNothing = stated !== undefined && Math.abs(stated - after) < ROUNDED && (given ?? 0) >= ROUNDED;
  const nothing = before === null || before < (given === undefined ? ROUNDED : EPSILON);
  const sampled = (numbers.ofBefore ?? 0) > 0;
  const measured = before !== null && !(first && !sampled && (nothing || fromNothing));
  return {
    problem,
    sentence,
    text: record["sentence"] ?? "",
    before: measured ? before : null,
    after,
    delta: measured && before !== null ? after - before : null,
    beforeCount: measured ? beforeCount : null,
    afterCount,
    beforeMeasured: measured,
    copied: false,
    correct: letterOf(cell("correct")),
    hinted: letterOf(cell("hinted")),
    stated: stated ?? (given === undefined ? null : after - given),
  };
}

/** Counts behind a rate: the table's own, or what they must be for the rate; null where they cannot be told. */
function countOf(
  hits: number | undefined,
  of: number | undefined,
  rate: number | undefined,
): AnswerCount | null | "wrong" {
  if (hits === undefined || rate === undefined) return null;
  const n = of ?? (rate > 0 ? Math.round(hits / rate) : 0);
  if (n === 0) return hits === 0 && rate < EPSILON ? null : "wrong";
  return hits <= n && Math.abs(hits / n - rate) < ROUNDED ? { hits, of: n } : "wrong";
}

/** A whole number of 0 or more, null for an empty cell, NaN for anything else. */
function wholeOf(text: string | null): number | null {
  if (text === null) return null;
  return /^\d{1,9}(?:\.0+)?$/.test(text) ? Number(text) : NaN;
}
