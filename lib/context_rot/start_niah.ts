/**
 * Needle in a haystack as a kind of experiment.
 * @module
 */
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import { type PlannedRun, planRuns } from "../runs/plan_runs.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { createNiah } from "./niah.ts";
import { niahConfigSchema } from "./niah_config.ts";

/** Needle in a haystack, for tasks, notebooks and workflows. */
export const niahKind: ExperimentKind = defineKind({
  name: "niah",
  title: "Needle in a haystack",
  short: "NIAH",
  config: niahConfigSchema,
  compared: {
    unit: "tokens",
    place({ params }) {
      const { approximate_input_length: length, needle_depth, trial, question, answer } = params;
      return {
        key: JSON.stringify([length, needle_depth, trial, question, answer]),
        length: Number(length),
        condition: null,
        cluster: `${length}/${trial}`, // all depths of a length stand in one haystack
      };
    },
  },
  experiments: (config) => [{
    name: "niah",
    title: "Needle in a haystack",
    create: (options) => createNiah(config, options),
  }],
});

/** Plans the runs of all chosen variants, see {@linkcode planRuns}. @throws {InputError} */
export function planNiah(input: unknown): Promise<PlannedRun[]> {
  return planRuns(niahKind, input);
}

/** Starts the runs of all chosen variants, see {@linkcode startRuns}. @throws {InputError} */
export function startNiah(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(niahKind, input, options);
}
