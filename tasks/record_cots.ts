/**
 * `deno task record-cots`: executes notebooks/record_cots.ipynb headless.
 * @module
 */
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { recordCotsKind } from "../lib/splicing/start_record_cots.ts";
import { RECORD_FLAGS } from "./splice_flags.ts";

await runExperimentTask({
  kind: recordCotsKind,
  about: "Records chains of thought on problems with and without a hint, for deno task splice.",
  flags: RECORD_FLAGS,
});
