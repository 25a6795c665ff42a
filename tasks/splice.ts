/**
 * `deno task splice`: executes notebooks/splice.ipynb headless. `--calibrate` times one splice point instead.
 * @module
 */
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { spliceKind } from "../lib/splicing/start_splice.ts";
import { calibrateTask } from "./splice_calibrate.ts";
import { SPLICE_FLAGS } from "./splice_flags.ts";

const COMMAND = "deno task splice";

if (Deno.args.includes("--calibrate")) await calibrateTask(COMMAND);
else {
  await runExperimentTask({
    kind: spliceKind,
    about:
      "Splice: cuts chains of thought that a hint has swayed, lets the model go on from each cut without the hint, " +
      `and sees how far the answer follows. ${COMMAND} --calibrate times one point on this machine.`,
    flags: SPLICE_FLAGS,
  });
}
