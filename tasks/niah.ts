/**
 * `deno task niah`: executes notebooks/niah.ipynb headless.
 * @module
 */
import { niahKind } from "../lib/context_rot/start_niah.ts";
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { NIAH_FLAGS } from "./niah_flags.ts";

await runExperimentTask({
  kind: niahKind,
  about: "Needle in a haystack: hides a fact in long texts and asks for it at every length and depth.",
  flags: NIAH_FLAGS,
});
