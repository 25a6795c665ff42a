/**
 * `deno task steering-factory`: executes notebooks/steering_factory.ipynb headless.
 * @module
 */
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { steeringFactoryKind } from "../lib/steering/start_steering_factory.ts";
import { STEERING_FACTORY_FLAGS } from "./steering_factory_flags.ts";

await runExperimentTask({
  kind: steeringFactoryKind,
  about:
    "Steering vector factory: contrastive pairs to key and value vectors, evaluated on held-out questions with controls.",
  flags: STEERING_FACTORY_FLAGS,
});
