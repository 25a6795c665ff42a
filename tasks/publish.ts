/**
 * `deno task publish`: executed notebooks as a site.
 * @module
 */
import { resolve } from "node:path";
import { INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import { type Flags, flagsHelp, pathFlag, readFlags, textFlag } from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import { publish } from "../lib/site/publish.ts";

const FLAGS: Flags = {
  from: pathFlag(
    "DIR",
    "take the executed notebooks of a results folder, instead of executing all anew in test mode",
  ),
  to: pathFlag("DIR", "where the site is written (site)"),
  only: textFlag("A[,B]", "only these notebooks: niah, repeated-words"),
};

async function main(): Promise<number> {
  const given = readFlags(Deno.args, FLAGS, "deno task publish");
  if (given["help"]) {
    console.log(
      `Writes notebooks as a site: an index, a page for each, and the rows behind their figures.\n\ndeno task publish [flags]\n\n${
        flagsHelp(FLAGS)
      }\n`,
    );
    return 0;
  }
  const stop = new AbortController();
  using signals = stopOnSignal(() => stop.abort());
  try {
    const { to, notebooks, runs } = await publish({
      from: typeof given["from"] === "string" ? given["from"] : null,
      to: typeof given["to"] === "string" ? given["to"] : resolve("site"),
      only: typeof given["only"] === "string" ? given["only"].split(",") : null,
      date: new Date(),
      log,
      signal: stop.signal,
    });
    console.log(
      `${notebooks.length} notebooks and the rows of ${runs.length} runs are in ${to}: open index.html`,
    );
    return 0;
  } catch (error) {
    if (signals.interrupted) return INTERRUPTED_EXIT;
    throw error;
  }
}

await setExitCode(main);
