/**
 * The splice experiment as a kind of experiment.
 * @module
 */
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { batched } from "./batched.ts";
import { sizesOf, spliceConfigSchema } from "./splice_config.ts";
import { createSplice } from "./splice_experiment.ts";

/** The splice experiment, for tasks, notebooks and workflows. */
export const spliceKind: ExperimentKind = defineKind({
  name: "splice",
  title: "Splice",
  short: "splice",
  config: spliceConfigSchema,
  experiments: (config) => [{
    name: "splice",
    title: "Splice",
    create: (options) => createSplice(config, options),
  }],
  choose: (config, model, known) => batched(model, known, sizesOf(config).samples),
});

/** Starts the runs of all chosen variants, see {@linkcode startRuns}. @throws {InputError} */
export function startSplice(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(spliceKind, input, options);
}
