/**
 * LongMemEval as a kind of experiment.
 * @module
 */
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import { type PlannedRun, planRuns } from "../runs/plan_runs.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { createLongMemEval } from "./longmemeval.ts";
import { longMemEvalConfigSchema } from "./longmemeval_config.ts";

/** LongMemEval, for tasks, notebooks and workflows. */
export const longMemEvalKind: ExperimentKind = defineKind({
  name: "longmemeval",
  title: "LongMemEval",
  short: "LongMemEval",
  config: longMemEvalConfigSchema,
  compared: {
    unit: null,
    place({ params }) {
      const { custom_id, condition } = params;
      return {
        key: JSON.stringify([custom_id, condition]),
        length: 0,
        condition: String(condition),
        cluster: String(custom_id), // a question and its answer, whatever stands around them
      };
    },
  },
  experiments: (config) => [{
    name: "longmemeval",
    title: "LongMemEval",
    create: (options) => createLongMemEval(config, options),
  }],
});

/** Plans the runs of all chosen variants, see {@linkcode planRuns}. @throws {InputError} */
export function planLongMemEval(input: unknown): Promise<PlannedRun[]> {
  return planRuns(longMemEvalKind, input);
}

/** Starts the runs of all chosen variants, see {@linkcode startRuns}. @throws {InputError} */
export function startLongMemEval(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(longMemEvalKind, input, options);
}
