/**
 * Recording chains of thought as a kind of experiment.
 * @module
 */
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { batched } from "./batched.ts";
import { createRecording } from "./record_experiment.ts";
import { recordConfigSchema, sizesOf } from "./splice_config.ts";

/** Recording chains of thought, for tasks, notebooks and workflows. */
export const recordCotsKind: ExperimentKind = defineKind({
  name: "record-cots",
  title: "Recorded chains of thought",
  short: "recording",
  config: recordConfigSchema,
  experiments: (config) => [{
    name: "record-cots",
    title: "Recorded chains of thought",
    create: (options) => createRecording(config, options),
  }],
  choose: (config, model, known) => batched(model, known, config.numSamples ?? sizesOf(config).record),
});

/** Starts the runs of all chosen variants, see {@linkcode startRuns}. @throws {InputError} */
export function startRecordCots(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(recordCotsKind, input, options);
}
