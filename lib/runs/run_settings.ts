/**
 * The settings that every experiment's runs share.
 * @module
 */
import { z } from "zod";
import {
  type Limits,
  limitsOf,
  loadVariants,
  modelsPath,
  pickVariant,
  type Variant,
} from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { parseShard, type Shard } from "./shard.ts";

/** What may be set of every run, whatever its experiment. */
export const runSettingsSchema = z.strictObject({
  /** One or several variants, separated by commas. */
  model: z.string().trim().min(1).default("pocket"),
  /** The variants that judge what code cannot, separated by commas, the one that decides first; null for none. */
  judge: z.string().min(1).nullable().default(null),
  /** Whether to grade and draw again although nothing has changed. */
  regrade: z.boolean().default(false),
  /** The results folder. */
  results: z.string().min(1).default("results"),
  /** Most US dollars the runs may spend together, over all sessions, judge included; null for no limit. */
  maxUsd: z.number().positive().nullable().default(null),
  /** `i/n`: only this part of the rows. */
  shard: z.string().nullable().default(null),
  /** Whether to answer from and fill the response cache of the results folder. */
  cache: z.boolean().default(false),
  tokensPerMinute: z.int().positive().nullable().default(null),
  requestsPerMinute: z.int().positive().nullable().default(null),
  concurrency: z.int().positive().nullable().default(null),
});

/** The shared settings, checked and with defaults. */
export type RunSettings = z.output<typeof runSettingsSchema>;

/** The part of the rows that is run, or null for all. @throws {InputError} */
export function shardOf(settings: Pick<RunSettings, "shard">): Shard | null {
  return settings.shard === null ? null : parseShard(settings.shard);
}

/** The limits that were set for a run; they win over the variant's own. */
export function limitsFrom(settings: RunSettings): Partial<Limits> {
  return {
    ...(settings.tokensPerMinute === null ? {} : { tokensPerMinute: settings.tokensPerMinute }),
    ...(settings.requestsPerMinute === null ? {} : { requestsPerMinute: settings.requestsPerMinute }),
    ...(settings.concurrency === null ? {} : { maxConcurrency: settings.concurrency }),
  };
}

/** How fast a variant is asked under these settings. */
export function limitsIn(settings: RunSettings, variant: Variant): Limits {
  return { ...limitsOf(variant), ...limitsFrom(settings) };
}

/**
 * The variants of a run and its judges, by the models.json in use.
 *
 * @param choose chooses the variants instead of the setting `model`
 *
 * @throws {InputError} when there is no variant of a name.
 */
export async function chosenVariants(
  settings: Pick<RunSettings, "model" | "judge">,
  choose?: (known: ReadonlyMap<string, Variant>) => readonly Variant[] | Promise<readonly Variant[]>,
): Promise<{ readonly variants: readonly Variant[]; readonly judges: readonly Variant[] }> {
  const path = modelsPath();
  const all = await loadVariants(path);
  const picked = (flag: string, text: string) => {
    const names = [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "");
    if (names.length === 0) throw new InputError(`--${flag} ${text} names no variant.`);
    return names.map((name) => pickVariant(all, name, path));
  };
  return {
    variants: await choose?.(all) ?? picked("model", settings.model),
    judges: settings.judge === null ? [] : picked("judge", settings.judge),
  };
}
