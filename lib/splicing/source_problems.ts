/**
 * What every reader of recorded reasoning gives.
 * @module
 */
import type { SpliceProblem } from "./types.ts";

/** Something that a file holds and that is not used. */
export interface Dropped {
  /** The file it stands in. */
  readonly file: string;
  /** Id of the problem; null where it has none. */
  readonly problem: string | null;
  /** Index of the sentence; null when a whole problem or chain was dropped. */
  readonly sentence: number | null;
  /** Why, for people. */
  readonly reason: string;
}

/** The problems of a file. */
export interface SourceProblems {
  /** Which schema the file has. */
  readonly kind: "cot_responses" | "thought_branches";
  /** Records in the file. */
  readonly records: number;
  /** Problems that can be used, in the order of the file. */
  readonly problems: readonly SpliceProblem[];
  /** Records and chains that cannot, each with its reason. */
  readonly dropped: readonly Dropped[];
  /** The model that wrote the chains, by problem, where the file says it. */
  readonly writers: ReadonlyMap<string, string>;
}
