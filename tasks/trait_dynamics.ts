/**
 * `deno task trait-dynamics`: executes notebooks/trait_dynamics.ipynb headless, and prints what it found.
 * @module
 */
import { join } from "node:path";
import { readTextIfExists } from "../lib/base/files.ts";
import { MODEL_FLAGS, RUN_FLAGS, runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { readFlags, textFlag } from "../lib/notebooks/task_flags.ts";
import { splitSettings } from "../lib/runs/experiment_kind.ts";
import { dynamicsConfigSchema } from "../lib/steering/dynamics_config.ts";
import { dynamicsName, traitDynamicsKind } from "../lib/steering/start_trait_dynamics.ts";
import { traitNames } from "../lib/steering/start_steering_sweep.ts";
import { DYNAMICS_FLAGS } from "./steering_flags.ts";

await runExperimentTask({
  kind: traitDynamicsKind,
  about: "How far responses lean towards a trait, token by token, and variants side by side.",
  flags: DYNAMICS_FLAGS,
});
if (Deno.exitCode === 0) await printDynamics();

/** Prints the reports that the notebook has written. */
async function printDynamics(): Promise<void> {
  const flags = { ...MODEL_FLAGS, ...DYNAMICS_FLAGS, ...RUN_FLAGS, show: textFlag("", "") };
  const { help, plan, show, ...given } = readFlags(Deno.args, flags, "deno task trait-dynamics");
  if (help || plan || show !== undefined || given["shard"] !== undefined) return;
  const { settings, json } = traitDynamicsKind.parse({ test: false, ...given });
  const config = dynamicsConfigSchema.parse(splitSettings(json as Record<string, unknown>).own);
  for (const trait of traitNames({ traits: config.traits, test: false })) {
    const path = join(settings.results, dynamicsName(config, trait));
    const report = await readTextIfExists(`${path}_report.txt`);
    if (report !== undefined) console.log(`\n${report}Figures: ${path}_*.png`);
  }
}
