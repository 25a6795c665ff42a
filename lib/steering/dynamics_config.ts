/**
 * What a user may choose of trait dynamics.
 * @module
 */
import { z } from "zod";
import { EXTRACTION_METHODS } from "./methods.ts";
import { traitFields, vectorFields } from "./trait_fields.ts";

/** The settings of trait dynamics; everything has a default. */
export const dynamicsConfigSchema = z.strictObject({
  /** 6 prompts, short answers. */
  test: z.boolean().default(false),
  ...traitFields,
  /** The variant whose responses all variants read; null: each reads its own. */
  responsesFrom: z.string().min(1).nullable().default(null),
  /** A file in `data/prompt_sets`, or a file. */
  promptSet: z.string().min(1).default("styles"),
  /** Most prompts; null for all, or 6 in a test. */
  prompts: z.int().min(1).nullable().default(null),
  ...vectorFields,
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
