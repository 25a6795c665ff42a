/**
 * `deno task longmemeval`: executes notebooks/longmemeval.ipynb headless.
 * @module
 */
import { longMemEvalKind } from "../lib/context_rot/start_longmemeval.ts";
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { LONGMEMEVAL_FLAGS } from "./longmemeval_flags.ts";

await runExperimentTask({
  kind: longMemEvalKind,
  about: "LongMemEval: asks about earlier chats, with the relevant ones alone and with the whole history.",
  flags: LONGMEMEVAL_FLAGS,
});
