/**
 * A problem that can be used, or why it cannot.
 * @module
 */
import type { Letter, SpliceProblem } from "./types.ts";

/** A problem as a file has it: its letters may be unreadable. */
export type FoundProblem = Omit<SpliceProblem, "correct" | "hinted"> & {
  readonly correct: Letter | null;
  readonly hinted: Letter | null;
};

/** The problem, or the reason why an experiment on it could not tell the hint's effect. */
export function problemOf(found: FoundProblem): SpliceProblem | string {
  const { correct, hinted } = found;
  if (correct === null) return "its right answer is not a letter";
  if (hinted === null) return "its hinted answer is not a letter";
  if (correct === hinted) {
    return `the hint names the right answer (${correct}): its effect cannot be told from being right`;
  }
  return { ...found, correct, hinted };
}
