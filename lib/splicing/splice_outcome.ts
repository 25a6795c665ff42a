/**
 * A splice experiment with its answers.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import type { Variant } from "../backends/variants.ts";
import type { PromptBook } from "./prompt_book.ts";
import type { Sizes, SpliceConfig } from "./splice_config.ts";
import type { SpliceMaterial } from "./splice_material.ts";
import type { DerivedStages } from "./splice_plan.ts";
import type { AnsweredRow } from "./splice_stages.ts";
import type { ArmName } from "./types.ts";

/** What is known of an experiment when its files are written. */
export interface SpliceOutcome {
  /** Rows with their answers. */
  readonly answered: readonly AnsweredRow[];
  /** What follows from them. */
  readonly derived: DerivedStages;
  /** The settings. */
  readonly config: SpliceConfig;
  /** The settings that depend on others. */
  readonly sizes: Sizes;
  /** The arms that were drawn. */
  readonly arms: readonly ArmName[];
  /** The model. */
  readonly variant: Variant;
  /** What the experiment began with. */
  readonly material: SpliceMaterial;
  /** The prompts. */
  readonly book: PromptBook;
  /** Counts and cuts the model's text. */
  readonly tokenizer: Tokenizer;
}
