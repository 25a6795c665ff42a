/**
 * What a user may choose of a NIAH run.
 * @module
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { makeNeedle, type Needle, NEEDLE_KINDS, type NeedleKind, needleSchema } from "./needles.ts";

/** The settings of a run; everything has a default. */
export const niahConfigSchema = z.strictObject({
  /** The small grid: 4 lengths x 3 depths. */
  test: z.boolean().default(false),
  /** Input lengths in tokens; null for the standard grid. */
  lengths: z.array(z.number()).nullable().default(null),
  /** Needle depths in percent; null for the standard grid. */
  depths: z.array(z.number()).nullable().default(null),
  /** Rows per cell, each over another stretch of haystack. */
  trials: z.int().min(1).max(1_000_000).default(1),
  /** Draws haystack, places and varied needles. */
  seed: z.int().default(0),
  /** A folder of .txt and .md files, `generated`, or null: data/PaulGrahamEssays when it is there, else generated. */
  haystack: z.string().min(1).nullable().default(null),
  haystackOrder: z.enum(["sequential", "shuffled"]).default("sequential"),
  /** A pair that ships, or a .json file of `{needle, question, answer, accept?, hops?, distractors?}`. */
  needle: z.string().min(1).default("low-overlap"),
  /** Another needle of the same kind in every trial. */
  varyNeedle: z.boolean().default(false),
  /** How many of the needle's distractors stand in the haystack. */
  distractors: z.int().min(0).max(4).default(0),
  /** Most tokens of an answer; null for a 64th of the window, at least 64 and at most 2,048. */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  temperature: z.number().min(0).max(2).default(0),
});

/** The settings of a run, checked and with defaults. */
export type NiahConfig = z.output<typeof niahConfigSchema>;

/** Most tokens of an answer: as configured, else a 64th of the window (64 to 2,048), never more than the variant gives. */
export function outputCap(
  config: Pick<NiahConfig, "maxOutputTokens">,
  variant: { readonly contextWindow: number; readonly maxOutputTokens: number },
): number {
  const usual = Math.min(2048, Math.max(64, Math.floor(variant.contextWindow / 64)));
  return Math.min(config.maxOutputTokens ?? usual, variant.maxOutputTokens);
}

/** The folder of a config's haystack, or null for generated prose. */
export function haystackFolder(config: NiahConfig): string | null {
  if (config.haystack === "generated") return null;
  if (config.haystack !== null) return config.haystack;
  const shipped = fileURLToPath(new URL("../../data/PaulGrahamEssays", import.meta.url));
  try {
    return Deno.statSync(shipped).isDirectory ? shipped : null;
  } catch {
    return null;
  }
}

/** A needle of its own for every trial, or the same for all. */
export type NeedleSource = { readonly kind: NeedleKind } | { readonly needle: Needle };

/**
 * The needle a config names.
 *
 * @throws {InputError} when it is no shipped pair and no readable .json file, or the file has wrong fields.
 */
export async function needleSource(config: NiahConfig): Promise<NeedleSource> {
  const kind = NEEDLE_KINDS.find((name) => name === config.needle);
  if (kind !== undefined) return config.varyNeedle ? { kind } : { needle: makeNeedle(kind) };
  const remedy = `Shipped needles: ${NEEDLE_KINDS.join(", ")}; or give a .json file of ` +
    `{"needle": "...", "question": "...", "answer": "..."}.`;
  if (!config.needle.endsWith(".json")) {
    throw new InputError(`There is no needle ${JSON.stringify(config.needle)}. ${remedy}`);
  }
  if (config.varyNeedle) {
    throw new InputError("--vary-needle needs a shipped needle: a file holds one needle only.");
  }
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(config.needle));
  } catch (error) {
    throw new InputError(`Cannot read the needle file ${config.needle}: ${messageOf(error)}. ${remedy}`, {
      cause: error,
    });
  }
  const parsed = needleSchema.safeParse(json);
  if (!parsed.success) {
    throw new InputError(
      `The needle file ${config.needle} has wrong fields:\n${z.prettifyError(parsed.error)}`,
      {
        cause: parsed.error,
      },
    );
  }
  const needle = parsed.data;
  if (config.distractors > needle.distractors.length) {
    throw new InputError(
      `--distractors is ${config.distractors}, but ${config.needle} holds ${needle.distractors.length}: ` +
        `add some to the file or ask for fewer.`,
    );
  }
  return { needle };
}
