/**
 * `deno task steer --experiment NAME --trait TRAIT`: the sweep of one trait, without a notebook.
 * @module
 */
import { log } from "../lib/base/log.ts";
import { planRuns } from "../lib/runs/plan_runs.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import { startSteeringSweep, steeringSweepKind } from "../lib/steering/start_steering_sweep.ts";
import { readSteeringFlags, runToEnd } from "./steering.ts";
import { SWEEP_FLAGS } from "./steering_flags.ts";

const COMMAND = "deno task steer";

async function main(args: readonly string[]): Promise<number> {
  const read = readSteeringFlags(
    args,
    SWEEP_FLAGS,
    COMMAND,
    "Steers a model with a trait's vectors: layers and " +
      "strengths are tried on half of the questions; the best is reported on the other half, beside its controls.",
  );
  if (read === null) return 0;
  const { plan, parameters } = read;
  if (plan) {
    const planned = await planRuns(steeringSweepKind, parameters);
    console.log([...planned.map(({ text }) => text), "Nothing was sent or written."].join("\n\n"));
    return 0;
  }
  const results = await runToEnd(
    await startSteeringSweep(parameters, { log }),
    `${COMMAND} ${args.join(" ")}`,
  );
  if (results === null) return 130;
  for (const { report, files } of results) {
    if (report === null) continue;
    const figures = Object.keys(report.figures).map((name) => files.figure(name, "png"));
    console.log(["", report.summary, ...figures].join("\n"));
  }
  return results.some(({ done }) => done > 0) ? 0 : 1;
}

if (import.meta.main) await setExitCode(() => main(Deno.args));
