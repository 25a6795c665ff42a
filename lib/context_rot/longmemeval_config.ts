/**
 * What a user may choose of a LongMemEval run, and where its files are.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { CONDITIONS } from "./longmemeval_file.ts";

/** The settings of a run; everything has a default. */
export const longMemEvalConfigSchema = z.strictObject({
  /** 20 questions of each condition, spread evenly. */
  test: z.boolean().default(false),
  /**
   * A folder with `cleaned_longmemeval_s_focused.csv` and `cleaned_longmemeval_s_full.csv` (or the one file of both that
   * the hub has, `longmemeval_s_cleaned.csv`), `sample` for our own sample, or null: the folder `data` when they are
   * there, else the sample.
   */
  data: z.string().min(1).nullable().default(null),
  /** A JSON file with the kinds of the questions; null to look for one beside the data. */
  questionTypes: z.string().min(1).nullable().default(null),
  /** Draws samples when the temperature is above 0. */
  seed: z.int().default(0),
  /** Most tokens of an answer; null for a 64th of the window, at least 64 and at most 2,048. */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  temperature: z.number().min(0).max(2).default(0),
});

/** The settings of a run, checked and with defaults. */
export type LongMemEvalConfig = z.output<typeof longMemEvalConfigSchema>;

/** The files of a run. */
export interface LongMemEvalPaths {
  /** The relevant chats alone. */
  readonly focused: string;
  /** The whole histories. */
  readonly full: string;
  /** The kinds of the questions, or null when there is no file of them. */
  readonly types: string | null;
  /** Whether they are our own sample. */
  readonly sample: boolean;
}

/** The folder that ships small data and takes downloads. */
export function dataFolder(): string {
  return fileURLToPath(new URL("../../data", import.meta.url));
}

/** The published file of both conditions. */
const BOTH_CONDITIONS = "longmemeval_s_cleaned.csv";

/** Names of the files with the kinds of the questions, the smallest first. */
const TYPE_FILES = [
  ...["longmemeval_oracle.json", "longmemeval_s_cleaned.json", "longmemeval_s.json", "longmemeval_m.json"],
  ...["longmemeval_oracle", "longmemeval_s"],
];

/**
 * The files that a config names.
 *
 * @throws {InputError} when one of them is missing.
 */
export function longMemEvalPaths(
  config: Pick<LongMemEvalConfig, "data" | "questionTypes">,
  folder = dataFolder(),
): LongMemEvalPaths {
  const { data, questionTypes } = config;
  if (questionTypes !== null && !exists(questionTypes)) {
    throw new InputError(
      `There is no ${questionTypes}: give LongMemEval's JSON file, or leave --question-types out.`,
    );
  }
  const place = data === null || data === "sample" ? folder : data;
  const pair = CONDITIONS.map((name) => join(place, `cleaned_longmemeval_s_${name}.csv`)) as [string, string];
  const missing = pair.filter((path) => !exists(path));
  const both = join(place, BOTH_CONDITIONS);
  const [focused, full] = missing.length > 0 && data !== "sample" && exists(both) ? [both, both] : pair;
  if (data === "sample" || (data === null && missing.length === 2 && focused !== both)) {
    const sample = (name: string) => join(folder, `longmemeval_sample${name}`);
    const [a, b] = CONDITIONS.map((name) => sample(`_${name}.csv`)) as [string, string];
    return { focused: a, full: b, types: questionTypes ?? sample("_types.json"), sample: true };
  }
  if (missing.length > 0 && focused !== both) {
    throw new InputError(
      `There is no ${
        missing.join(" and no ")
      }. Download both with deno task data longmemeval, give their folder with ` +
        `--data, or use our own sample with --data sample.`,
    );
  }
  const types = questionTypes ?? TYPE_FILES.map((name) => join(place, name)).find(exists) ?? null;
  return { focused, full, types, sample: false };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
