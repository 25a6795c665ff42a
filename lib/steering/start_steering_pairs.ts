/**
 * The making of contrastive pairs by a teacher as a kind of experiment: one for each style.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { defineKind, type ExperimentKind, splitSettings } from "../runs/experiment_kind.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { factoryConfigSchema, stylesOf, variantNamed, withFactoryFile } from "./factory_config.ts";
import { factoryFiles } from "./factory_files.ts";
import { createPairs } from "./pairs_experiment.ts";
import { loadStyle, styleNameOf } from "./style.ts";

/** The making of pairs by a teacher, for tasks, notebooks and workflows. */
export const steeringPairsKind: ExperimentKind = defineKind({
  name: "steering-pairs",
  title: "Contrastive pairs",
  short: "pairs",
  config: factoryConfigSchema,
  experiments: (settings) => {
    const config = withFactoryFile(settings);
    return stylesOf(config).map((style) => {
      const name = `steering-pairs-${styleNameOf(style).replaceAll("_", "-")}`;
      return {
        name,
        title: `Contrastive pairs: ${styleNameOf(style)}`,
        create: async (options) => createPairs({ name, style: await loadStyle(style), config }, options),
      };
    });
  },
  choose: (settings, _, known) => {
    const { teacher } = withFactoryFile(settings);
    if (teacher === null) {
      throw new InputError(
        "No teacher was named: give one with --teacher VARIANT, or use the pairs that ship.",
      );
    }
    return [variantNamed(known, teacher)];
  },
});

const recordSchema = z.record(z.string(), z.unknown());

/**
 * The settings of the runs that make pairs for a factory: null when it has no teacher, or all pairs are there and are
 * not to be made anew.
 *
 * @throws {InputError} when a setting is wrong.
 */
export async function pairsSettings(input: unknown): Promise<Record<string, unknown> | null> {
  const { settings } = steeringPairsKind.parse(input); // says what is wrong with them
  const given = recordSchema.parse(input);
  const config = withFactoryFile(factoryConfigSchema.parse(splitSettings(given).own));
  if (config.teacher === null || config.pairs !== null) return null;
  const { experiment, test, mark, file } = config;
  const files = factoryFiles({ results: settings.results, experiment, test, mark });
  const missing: string[] = [];
  for (const style of stylesOf(config)) {
    if (await readTextIfExists(files.dataset(styleNameOf(style))) === undefined) missing.push(style);
  }
  if (missing.length === 0 && !file.regenerate_datasets) return null;
  return {
    ...given,
    judge: null,
    styles: (file.regenerate_datasets ? stylesOf(config) : missing).join(),
    requestsPerMinute: settings.requestsPerMinute ??
      (file.api_delay ? Math.max(1, Math.floor(60 / file.api_delay)) : null),
  };
}

/**
 * Starts the runs that make pairs, one for each style; null when there is nothing to make.
 *
 * @throws {InputError} when a setting or the teacher is wrong.
 */
export async function startSteeringPairs(
  input: unknown,
  options: StartOptions = {},
): Promise<RunSequence | null> {
  const settings = await pairsSettings(input);
  return settings === null ? null : await startRuns(steeringPairsKind, settings, options);
}
