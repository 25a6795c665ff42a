/**
 * The factory of steering vectors as a kind of experiment: one for each style.
 * @module
 */
import { loadVariants } from "../backends/variants.ts";
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import {
  extractionVariant,
  factoryConfigSchema,
  stylesOf,
  targetVariants,
  withFactoryFile,
} from "./factory_config.ts";
import { createFactory } from "./factory_experiment.ts";
import { loadStyle, styleNameOf } from "./style.ts";

/** The factory of steering vectors, for tasks, notebooks and workflows. */
export const steeringFactoryKind: ExperimentKind = defineKind({
  name: "steering-factory",
  title: "Steering vector factory",
  short: "factory",
  config: factoryConfigSchema,
  experiments: (settings) => {
    const config = withFactoryFile(settings);
    return stylesOf(config).map((style) => {
      const short = styleNameOf(style);
      const name = `steering-factory-${short.replaceAll("_", "-")}`;
      return {
        name,
        title: `Steering vector factory: ${short}`,
        async create(options) {
          const { experiment, test, mark } = config;
          return await createFactory({
            name,
            style: await loadStyle(style),
            config,
            place: { results: options.results ?? "results", experiment, test, mark },
            from: await extractionVariant(config, options.variant, await loadVariants()),
          }, options);
        },
      };
    });
  },
  choose: (settings, model, known) => targetVariants(withFactoryFile(settings), model, known),
});

/**
 * Starts the runs of the factory, one for each style and variant: pairs to vectors, where there are none yet, and their
 * evaluation.
 *
 * @throws {InputError} when a setting, a variant, a checkpoint or an input is wrong.
 */
export function startSteeringFactory(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(steeringFactoryKind, input, options);
}
