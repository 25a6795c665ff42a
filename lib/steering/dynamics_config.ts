/**
 * What a user may choose of trait dynamics.
 * @module
 */
import { z } from "zod";
import { STEERED_COMPONENTS } from "./sweep_config.ts";
import { EXTRACTION_METHODS } from "./methods.ts";

/** The settings of trait dynamics; everything has a default. */
export const dynamicsConfigSchema = z.strictObject({
  /** 6 prompts, short answers. */
  test: z.boolean().default(false),
  /** The experiment: `data/experiments/{experiment}`, `results/{experiment}`. */
  experiment: z.string().min(1).default("styles"),
  /** Traits, separated by commas; null for all that have vectors, or can have them. */
  traits: z.string().min(1).nullable().default(null),
  /** The folder of traits; null for the one that ships. */
  traitsFolder: z.string().min(1).nullable().default(null),
  /** The folder of experiments; null for the one that ships. */
  experiments: z.string().min(1).nullable().default(null),
  /** The variants that are read, separated by commas; null for the experiment's default. */
  modelVariant: z.string().min(1).nullable().default(null),
  /** The variant whose vectors are projected onto; null for the experiment's default. */
  vectorsFrom: z.string().min(1).nullable().default(null),
  /** The variant whose responses all variants read; null: each reads its own. */
  responsesFrom: z.string().min(1).nullable().default(null),
  /** A file in `data/prompt_sets`, or a file. */
  promptSet: z.string().min(1).default("styles"),
  /** Most prompts; null for all, or 6 in a test. */
  prompts: z.int().min(1).nullable().default(null),
  /** Where vectors were read: frame[slice]. */
  position: z.string().min(1).default("response[:]"),
  component: z.enum(STEERED_COMPONENTS).default("residual"),
  method: z.enum(EXTRACTION_METHODS).default("mean_diff"),
  /** Layers, separated by commas; null for the one in the middle. */
  layers: z.string().min(1).nullable().default(null),
  /** Most tokens of an answer; null for 256, or 64 in a test. */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  temperature: z.number().min(0).max(2).default(0),
  seed: z.int().default(0),
});

/** The settings of trait dynamics, checked and with defaults. */
export type DynamicsConfig = z.output<typeof dynamicsConfigSchema>;

/** Prompts that a test reads. */
export const TEST_PROMPTS = 6;
