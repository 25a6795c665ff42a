/**
 * What a user may choose of a splice experiment.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { ARM_NAMES, type ArmName } from "./types.ts";

const file = z.string().min(1).nullable().default(null);
const count = z.int().min(1).max(10_000);

/** What recording chains and splicing them have in common. */
export const samplingSettings = {
  /** Problems of our own, a few short samples of each, answers of 160 tokens. */
  test: z.boolean().default(false),
  /** Ids of the problems to take, separated by commas; null for all. */
  problems: z.string().min(1).nullable().default(null),
  /** Problems of our own to draw where no file is given; null for 40, or 4 in a test. */
  problemCount: count.nullable().default(null),
  /** Draws our own problems, and moves the samples' seeds: they are `seed`, `seed + 1`, ... */
  seed: z.int().min(0).max(1_000_000_000).default(0),
  temperature: z.number().min(0).max(2).default(0.7),
  topP: z.number().gt(0).max(1).default(0.95),
  /** Most tokens of a sample; null for 2,048, or 160 in a test. Never more than the variant gives. */
  maxNewTokens: z.int().min(1).nullable().default(null),
};

/** The settings of recording chains; everything has a default. */
export const recordConfigSchema = z.strictObject({
  ...samplingSettings,
  /** Problems with their prompts; null for problems of our own. */
  problemsFile: file,
  /** Samples of each prompt; null for 10, or 6 in a test. */
  numSamples: count.nullable().default(null),
});

/** The settings of a splice experiment; everything has a default. */
export const spliceConfigSchema = z.strictObject({
  ...samplingSettings,
  /** Recorded chains: cot_responses.json, or a thought-branches file; null to record chains on our own problems. */
  cotData: file,
  /** Prompts and choices of the problems, where the recorded chains do not hold them. */
  problemsFile: file,
  /** How far each sentence moved the answer, as CSV. */
  deltas: file,
  /** Measure how far each sentence moves the answer, by resampling behind every sentence. */
  measureDeltas: z.boolean().default(false),
  /** Sentences that moved the answer at least so far are spliced; null for 0.5, or 0.3 in a test. */
  deltaThreshold: z.number().gt(0).max(1).nullable().default(null),
  /** Samples of each arm of a splice point; null for 50, or 8 in a test. */
  numSamples: count.nullable().default(null),
  /** Samples of each prompt where chains are recorded; null for 10, or 6 in a test. */
  recordSamples: count.nullable().default(null),
  /** Samples behind each sentence where deltas are measured; null for as many as of each arm. */
  deltaSamples: count.nullable().default(null),
  /** Names of arms, separated by commas, or `all`, or `splice` for the splice, its check and the base alone. */
  arms: z.string().min(1).default("all"),
  /** Most splice points, the largest deltas first; null for all. */
  maxPoints: count.nullable().default(null),
});

/** The settings of recording chains, checked and with defaults. */
export type RecordConfig = z.output<typeof recordConfigSchema>;
/** The settings of a splice experiment, checked and with defaults. */
export type SpliceConfig = z.output<typeof spliceConfigSchema>;

/** Settings whose default depends on whether it is a test. */
export interface Sizes {
  /** Problems of our own. */
  readonly problems: number;
  /** Samples of each arm. */
  readonly samples: number;
  /** Samples of each prompt that is recorded. */
  readonly record: number;
  /** Samples behind each sentence. */
  readonly deltas: number;
  /** Least delta of a splice point. */
  readonly threshold: number;
  /** Most tokens of a sample. */
  readonly maxNewTokens: number;
}

/** The sizes of an experiment. */
export function sizesOf(
  config:
    & Pick<SpliceConfig, "test" | "problemCount" | "numSamples" | "maxNewTokens">
    & Partial<Pick<SpliceConfig, "recordSamples" | "deltaSamples" | "deltaThreshold">>,
): Sizes {
  const by = (full: number, test: number) => config.test ? test : full;
  const samples = config.numSamples ?? by(50, 8);
  return {
    problems: config.problemCount ?? by(40, 4),
    samples,
    record: config.recordSamples ?? by(10, 6),
    deltas: config.deltaSamples ?? samples,
    threshold: config.deltaThreshold ?? by(0.5, 0.3),
    maxNewTokens: config.maxNewTokens ?? by(2048, 160),
  };
}

const SPLICE_ALONE: readonly ArmName[] = [
  "unhinted_anchor_included",
  "unhinted_anchor_excluded",
  "no_prefix",
];

/**
 * The arms that a setting names, in the order of tables.
 *
 * @throws {InputError} when a name is not an arm's, or the splice itself is left out.
 */
export function armsOf(text: string): readonly ArmName[] {
  if (text.trim() === "all") return ARM_NAMES;
  if (text.trim() === "splice") return SPLICE_ALONE;
  const names = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const wrong = names.find((name) => !ARM_NAMES.some((arm) => arm === name));
  if (wrong !== undefined || names.length === 0) {
    throw new InputError(
      `--arms names ${JSON.stringify(wrong ?? text)}: give all, splice, or some of ${ARM_NAMES.join(", ")}.`,
    );
  }
  const [splice] = SPLICE_ALONE;
  return ARM_NAMES.filter((arm) => arm === splice || names.includes(arm));
}

/** The ids that `--problems` names, or null for all. @throws {InputError} when it names none. */
export function problemIds(text: string | null): ReadonlySet<string> | null {
  if (text === null) return null;
  const ids = text.split(",").map((id) => id.trim()).filter((id) => id !== "");
  if (ids.length === 0) throw new InputError(`--problems ${JSON.stringify(text)} names no problem.`);
  return new Set(ids);
}
