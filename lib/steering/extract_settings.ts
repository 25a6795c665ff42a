/**
 * What may be chosen of an extraction.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { settingsProblems } from "../runs/experiment_kind.ts";
import { LAYER_CONVENTIONS } from "./formats/control_vectors.ts";
import { EXTRACTION_METHODS } from "./methods.ts";
import { parsePosition, positionText } from "./position.ts";
import { COMPONENTS } from "./site.ts";

/** Names separated by commas, or a list of them. */
const names = z.union([z.string().transform((text) => text.split(",")), z.array(z.string())])
  .transform((list) => [...new Set(list.map((name) => name.trim()))].filter((name) => name !== ""));
const oneOrMore = { error: "give at least one" };

/** The settings of an extraction; everything but the experiment has a default. */
export const extractSchema = z.strictObject({
  /** 40 pairs, in an experiment of its own (`test_`). */
  test: z.boolean().default(false),
  /** The experiment: `data/experiments/{experiment}/config.json`, `results/{experiment}/`. */
  experiment: z.string().min(1).default("styles"),
  /** Traits, separated by commas; null for all in the folder of the experiment's name. */
  traits: names.pipe(z.array(z.string()).min(1, oneOrMore)).nullable().default(null),
  /** The variant whose activations are read; null for the experiment's default. */
  modelVariant: z.string().min(1).nullable().default(null),
  /** frame[slice]: which tokens. */
  position: z.string().min(1).default("response[:]").transform((text) => positionText(parsePosition(text))),
  component: names.pipe(z.array(z.enum(COMPONENTS)).min(1, oneOrMore)).default(["residual"]),
  method: names.pipe(z.array(z.enum(EXTRACTION_METHODS)).min(1, oneOrMore))
    .default(["mean_diff", "probe", "pca_diff", "random_baseline"]),
  /** Layers; null for all. */
  layers: z.array(z.int().nonnegative()).min(1).nullable().default(null),
  /** Most tokens of a response. */
  maxOutputTokens: z.int().min(1).max(4096).default(32),
  temperature: z.number().min(0).max(2).default(0),
  /** Share of the pairs that vectors are tested on and not made from. */
  heldOut: z.number().min(0).max(0.9).default(0.3),
  /** Only the first so many pairs; null for all. */
  pairs: z.int().min(1).nullable().default(null),
  /** Draws what is held out, random vectors, and responses above temperature 0. */
  seed: z.int().default(0),
  /** Also writes each method's residual vectors as a GGUF control vector, layers counted as this program does. */
  gguf: z.enum(LAYER_CONVENTIONS).nullable().default(null),
  /** The results folder. */
  results: z.string().min(1).default("results"),
  /** The folder of traits; null for the one that ships. */
  traitsFolder: z.string().min(1).nullable().default(null),
  /** The folder of experiments; null for the one that ships. */
  experiments: z.string().min(1).nullable().default(null),
});

/** The settings, checked and with defaults. */
export type ExtractSettings = z.output<typeof extractSchema>;

/** Pairs of a test. */
const TEST_PAIRS = 40;

/** Checks settings. @throws {InputError} naming each wrong one. */
export function parseExtractSettings(input: unknown): ExtractSettings {
  const parsed = extractSchema.safeParse(input);
  if (!parsed.success) {
    throw new InputError(`Wrong extract settings: ${settingsProblems(parsed.error)}.`, {
      cause: parsed.error,
    });
  }
  const { test, pairs } = parsed.data;
  return test ? { ...parsed.data, pairs: Math.min(pairs ?? TEST_PAIRS, TEST_PAIRS) } : parsed.data;
}

/** The experiment as its results folder is named: tests have one of their own. */
export function resultsExperiment(
  { experiment, test }: Pick<ExtractSettings, "experiment" | "test">,
): string {
  return test ? `test_${experiment}` : experiment;
}
