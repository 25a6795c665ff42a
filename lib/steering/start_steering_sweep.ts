/**
 * The steering sweep as a kind of experiment: one run for each trait.
 * @module
 */
import { basename, extname } from "node:path";
import { InputError } from "../base/errors.ts";
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { runSettingsSchema } from "../runs/run_settings.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { type ConfigOptions, getModelVariant } from "./experiment_config.ts";
import { parsePosition, positionName } from "./position.ts";
import { STYLES } from "./style.ts";
import { type SweepConfig, sweepConfigSchema } from "./sweep_config.ts";
import { createSweep } from "./sweep_experiment.ts";
import { loadSweepTrait } from "./sweep_trait.ts";
import { loadSweepVectors, markersOfExtraction } from "./sweep_vectors.ts";
import type { TraitOptions } from "./traits.ts";

/** The steering sweep, for tasks and notebooks. */
export const steeringSweepKind: ExperimentKind = defineKind({
  name: "steering-sweep",
  title: "Steering sweep",
  short: "sweep",
  config: sweepConfigSchema,
  experiments: (config) =>
    traitNames(config).map((trait) => {
      const name = sweepName(config, trait);
      return {
        name,
        title: `Steering sweep of ${trait}`,
        async create(options) {
          const results = options.results ?? "results";
          return createSweep({
            config,
            name,
            trait: await loadSweepTrait(trait, config.promptSet, traitOptions(config)),
            loadVectors: (model, candidates, signal) =>
              loadSweepVectors({ config, trait, results, model, candidates, signal }),
            learnMarkers: () => markersOfExtraction({ ...config, trait, results }),
          }, options);
        },
      };
    }),
  choose: async (config, model) => [
    await getModelVariant(
      config.experiment,
      config.modelVariant ?? modelNamed(model),
      "application",
      configOptions(config),
    ),
  ],
});

/** Starts the sweeps of all traits, one after the other, see {@linkcode startRuns}. @throws {InputError} */
export function startSteeringSweep(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(steeringSweepKind, input, options);
}

/** The setting `model` as a variant of an experiment; null where it is what stands there when nothing is given. */
export function modelNamed(model: string): string | null {
  return model === runSettingsSchema.shape.model.parse(undefined) ? null : model;
}

/** Where the experiments of a config lie. */
export function configOptions({ experiments }: Pick<SweepConfig, "experiments">): ConfigOptions {
  return experiments === null ? {} : { experiments };
}

/** Where the traits of a config lie. */
function traitOptions({ traitsFolder }: Pick<SweepConfig, "traitsFolder">): TraitOptions {
  return traitsFolder === null ? {} : { traits: traitsFolder };
}

/** The traits of a config: those it names, else the styles that ship; the first of them alone in a test. */
export function traitNames({ traits, test }: Pick<SweepConfig, "traits" | "test">): string[] {
  const all = traits === null
    ? STYLES.map((style) => `styles/${style}`)
    : traits.split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (all.length === 0) throw new InputError(`--traits ${traits} names no trait.`);
  return [...new Set(traits === null && test ? ["styles/step_by_step_reasoning"] : all)];
}

/** Name of a sweep in files: what is not the default is in it. */
export function sweepName(
  { experiment, promptSet, position, component }: SweepConfig,
  trait: string,
): string {
  const where = positionName(parsePosition(position));
  return [
    "steering-sweep",
    experiment,
    trait.replaceAll("/", "-"),
    ...(promptSet === "steering" ? [] : [basename(promptSet, extname(promptSet))]),
    ...(where === "response_all" ? [] : [where]),
    ...(component === "residual" ? [] : [component]),
  ].join("-");
}
