/**
 * `deno task steering-sweep`: executes notebooks/steering_sweep.ipynb headless.
 * @module
 */
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { steeringSweepKind } from "../lib/steering/start_steering_sweep.ts";
import { SWEEP_FLAGS } from "./steering_flags.ts";

await runExperimentTask({
  kind: steeringSweepKind,
  about:
    "Steers a model with a trait's vectors at every layer and strength, chooses on half of the questions, and " +
    "reports on the other half beside controls.",
  flags: SWEEP_FLAGS,
});
