/**
 * `deno task view`: the results folder in a browser, until Ctrl+C.
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import { type Flags, flagsHelp, numberFlag, pathFlag, readFlags } from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import { codeVersion } from "../lib/site/provenance.ts";
import { findKinds } from "../lib/site/run_kinds.ts";
import { startViewer } from "../lib/site/view/start_viewer.ts";

const FLAGS: Flags = {
  results: pathFlag("DIR", "the results folder (results)"),
  port: numberFlag("N", "port to listen on (8090; 0 takes any free one)"),
};

async function main(): Promise<number> {
  const given = readFlags(Deno.args, FLAGS, "deno task view");
  if (given["help"]) {
    console.log(
      `Serves a results folder to this machine: runs under way, rows, notebooks, variants.\n\ndeno task view [flags]\n\n${
        flagsHelp(FLAGS)
      }\n`,
    );
    return 0;
  }
  const results = typeof given["results"] === "string" ? given["results"] : resolve("results");
  const port = Number(given["port"] ?? 8090);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InputError(`--port is ${port}: give a whole number from 0 to 65535.`);
  }
  if (!await Deno.stat(results).then(({ isDirectory }) => isDirectory, () => false)) {
    throw new InputError(
      `${results} is no folder: give a results folder with --results, or run an experiment first.`,
    );
  }
  const stop = Promise.withResolvers<void>();
  using _signals = stopOnSignal(() => stop.resolve());
  const root = fileURLToPath(new URL("..", import.meta.url));
  await using viewer = startViewer({
    results,
    port,
    kinds: await findKinds({ onProblem: log }),
    version: await codeVersion(root),
  });
  console.log(`${viewer.url} shows ${results}; Ctrl+C stops it.`);
  await stop.promise;
  return 0;
}

await setExitCode(main);
