/**
 * `deno task trait-dynamics`: executes notebooks/trait_dynamics.ipynb headless.
 * @module
 */
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { traitDynamicsKind } from "../lib/steering/start_trait_dynamics.ts";
import { DYNAMICS_FLAGS } from "./steering_flags.ts";

await runExperimentTask({
  kind: traitDynamicsKind,
  about: "How far responses lean towards a trait, token by token, and variants side by side.",
  flags: DYNAMICS_FLAGS,
});
