/**
 * What a sweep needs to know of a trait.
 * @module
 */
import type { Markers } from "./markers.ts";

/** A trait with the questions that it is swept on. */
export interface SweepTrait {
  /** `style/hedges` */
  readonly name: string;
  /** What it is: a rubric for scores from 0 to 100. */
  readonly definition: string;
  /** A question for the judge of the trait's own, with `{question}` and `{answer}` in it. */
  readonly evalPrompt?: string | undefined;
  /** Words that give it away; null where there are none. */
  readonly markers: Markers | null;
  /** What asks for it in a prompt; null where there is none. */
  readonly instruction: string | null;
  /** What stands in the instruction's place in the questions; null where nothing does. */
  readonly neutral: string | null;
  /** The questions of the prompt set. */
  readonly questions: readonly string[];
}
