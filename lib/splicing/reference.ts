/**
 * What answers are like without a splice.
 * @module
 */
import { letterCounts } from "./arm_rates.ts";
import type { GradedSample, Letter, SpliceProblem } from "./types.ts";

/** What answers are like without a splice. */
export interface Reference {
  /** Answers by letter, in the order of the problem's letters. */
  readonly counts: readonly number[];
  /** Hinted answers. */
  readonly hits: number;
  /** Answers that could be read. */
  readonly n: number;
  /** `sampled` in an arm of this run; `recorded` in the file, maybe by another model. */
  readonly source: "sampled" | "recorded";
}

/** Fewer recorded answers than this are no distribution. */
const FEWEST_RECORDED = 5;

/**
 * Answers to a prompt without a prefix: those of its arm, else those that were recorded; null where there are too few.
 *
 * @param arm the recorded chains of that prompt
 */
export function referenceOf(
  sampled: readonly GradedSample[],
  problem: SpliceProblem | undefined,
  arm: "base" | "hinted",
  letters: readonly Letter[],
  hinted: Letter | undefined,
): Reference | null {
  const read = sampled.map(({ answer }) => answer).filter((answer) => answer !== null);
  const recorded =
    problem?.chains.filter((chain) => chain.arm === arm).flatMap(({ answer }) => answer ?? []) ?? [];
  const source = read.length > 0 ? "sampled" : "recorded";
  const answers = source === "sampled" ? read : recorded;
  if (source === "recorded" && answers.length < FEWEST_RECORDED) return null;
  const hits = source === "sampled"
    ? sampled.filter(({ grade }) => grade === "hinted").length
    : answers.filter((answer) => answer === hinted).length;
  return { counts: letterCounts(answers, letters), hits, n: answers.length, source };
}

/** The letters that answers of a problem have, where its choices are not known. */
export function seenLetters(rows: readonly GradedSample[], problem: string): Letter[] {
  const seen = rows.flatMap((row) => row.problem === problem && row.answer !== null ? [row.answer] : []);
  return [...new Set<Letter>(["A", "B", "C", "D", ...seen])].sort();
}
