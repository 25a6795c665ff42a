/**
 * What a user may choose of a comparison.
 * @module
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { AGREEMENT_CRITERION } from "./pair_statistics.ts";
import { DESIGNS } from "./sampling_design.ts";
import { SAMPLE_PATH } from "./toxicchat.ts";

const share = z.number().gt(0).lt(1);

/** The settings of a comparison; everything has a default. */
export const compareConfigSchema = z.strictObject({
  /** 80 messages of the sample that ships, short answers. */
  test: z.boolean().default(false),
  /** Messages classified; null for 100, or 80 in a test. */
  sampleSize: z.int().min(1).max(1_000_000).nullable().default(null),
  /** A policy that ships, or a .md or .txt file. */
  policy: z.string().min(1).default("toxic_simple"),
  /** A .csv or .parquet file in ToxicChat's columns; null for data/toxicchat.parquet, .csv or _test.csv, else the sample that ships. */
  data: z.string().min(1).nullable().default(null),
  design: z.enum(DESIGNS).default("balanced"),
  /** Share of other and of toxic messages that backends are expected to label differently, for design neyman. */
  expectedDisagreement: z.tuple([share, share]).nullable().default(null),
  /** Draws the sample, seeds answers above temperature 0, permutations and bootstraps. */
  seed: z.int().default(0),
  /** How often each backend is asked the same; the second pass makes the noise floor. */
  passes: z.int().min(1).max(20).default(2),
  temperature: z.number().min(0).max(2).default(0),
  /** Most tokens of an answer; null for a 64th of the window, at least 64 and at most 2,048 (32 in a test). */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  /** Whether to ask for log-probabilities; null: of in-process models and our own server. */
  logprobs: z.boolean().nullable().default(null),
  /** Share of equal labels that is wanted. */
  criterion: share.default(AGREEMENT_CRITERION),
  /** Two ways to reach the model: `api`, `local`, `served` or names of variants. */
  backends: z.string().min(1).nullable().default(null),
  /** Two variants by name; wins over `backends`. */
  variants: z.string().min(1).nullable().default(null),
});

/** The settings of a comparison, checked and with defaults. */
export type CompareConfig = z.output<typeof compareConfigSchema>;

/** Messages to classify. */
export function sampleSize(config: Pick<CompareConfig, "sampleSize" | "test">): number {
  return config.sampleSize ?? (config.test ? 80 : 100);
}

/** Most tokens of an answer, never more than the variant gives. */
export function answerCap(
  config: Pick<CompareConfig, "maxOutputTokens" | "test">,
  variant: { readonly contextWindow: number; readonly maxOutputTokens: number },
): number {
  const usual = config.test ? 32 : Math.min(2048, Math.max(64, Math.floor(variant.contextWindow / 64)));
  return Math.min(config.maxOutputTokens ?? usual, variant.maxOutputTokens);
}

/** The data set of a config. */
export function dataPath(config: Pick<CompareConfig, "data" | "test">): string {
  if (config.data !== null) return config.data;
  if (!config.test) {
    for (const name of ["toxicchat.parquet", "toxicchat.csv", "toxicchat_test.csv"]) {
      const path = fileURLToPath(new URL(`../../data/${name}`, import.meta.url));
      try {
        if (Deno.statSync(path).isFile) return path;
      } catch {
        // not downloaded
      }
    }
  }
  return SAMPLE_PATH;
}
