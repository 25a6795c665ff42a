/**
 * `deno task project --experiment NAME --trait TRAIT`: raw activations of a prompt set, projected onto traits' vectors.
 * @module
 */
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import { planRuns } from "../lib/runs/plan_runs.ts";
import { startTraitDynamics, traitDynamicsKind } from "../lib/steering/start_trait_dynamics.ts";
import { readSteeringFlags, runToEnd } from "./steering.ts";
import { DYNAMICS_FLAGS } from "./steering_flags.ts";

const COMMAND = "deno task project";

async function main(args: readonly string[]): Promise<number> {
  const read = readSteeringFlags(
    args,
    DYNAMICS_FLAGS,
    COMMAND,
    "Captures the activations of a prompt set and of the " +
      "responses to it, and projects them onto traits' vectors, token by token.",
  );
  if (read === null) return 0;
  const { plan, parameters } = read;
  if (plan) {
    const planned = await planRuns(traitDynamicsKind, parameters);
    console.log([...planned.map(({ text }) => text), "Nothing was sent or written."].join("\n\n"));
    return 0;
  }
  const run = await startTraitDynamics(parameters, { log });
  if (await runToEnd(run, `${COMMAND} ${args.join(" ")}`) === null) return 130;
  for (const { report, figures, projections } of await run.read() ?? []) {
    const folders = Object.entries(projections).map(([variant, folder]) => `${variant}: ${folder}`);
    console.log(["", report.summary, ...folders, ...Object.values(figures)].join("\n"));
  }
  return 0;
}

if (import.meta.main) await setExitCode(() => main(Deno.args));
