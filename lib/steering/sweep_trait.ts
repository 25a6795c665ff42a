/**
 * What a sweep needs to know of a trait.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { STEERING_PROMPTS } from "./layout.ts";
import type { Markers } from "./markers.ts";
import { loadPromptSet } from "./prompt_set.ts";
import { readTrait, type TraitOptions } from "./traits.ts";

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

const words = z.array(z.string().trim().min(1));
const ownSchema = z.looseObject({
  markers: z.strictObject({ positive: words.default([]), negative: words.default([]) })
    .refine(({ positive, negative }) => positive.length + negative.length > 0, "give at least one")
    .optional(),
  instruction: z.string().trim().min(1).optional(),
  neutral: z.string().trim().min(1).optional(),
});

/**
 * Reads a trait and the questions that it is swept on: its own (prompt set `steering`), or those of another set. Beside
 * what every trait has, its steering.json may hold `markers` ({"positive": [...], "negative": [...]}, words or
 * `/expressions/`), an `instruction` that asks for the trait, and what stands in its place in the questions, `neutral`.
 * Without an instruction the first system message of its positive side is taken.
 *
 * @throws {InputError} when there is no such trait or prompt set, or a field is wrong.
 */
export async function loadSweepTrait(
  name: string,
  promptSet: string = STEERING_PROMPTS,
  options: TraitOptions = {},
): Promise<SweepTrait> {
  const trait = await readTrait(name, options);
  const own = ownSchema.safeParse(trait.steering ?? {});
  if (!own.success) {
    throw new InputError(
      `steering.json of the trait ${name} has wrong fields; correct them:\n${z.prettifyError(own.error)}`,
      { cause: own.error },
    );
  }
  const { markers = null, instruction, neutral = null } = own.data;
  const system = trait.positive[0]?.messages.find(({ role }) => role === "system")?.content ?? null;
  return {
    name,
    definition: trait.definition,
    evalPrompt: trait.steering?.eval_prompt,
    markers,
    instruction: instruction ?? system,
    neutral,
    questions: promptSet === STEERING_PROMPTS
      ? trait.steering?.questions ?? []
      : (await loadPromptSet(promptSet)).prompts.map(({ text }) => text),
  };
}
