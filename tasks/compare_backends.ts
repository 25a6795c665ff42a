/**
 * `deno task compare-backends`: executes notebooks/compare_backends.ipynb headless, and prints the comparison.
 * `--from labels.csv` reports a table of labels instead.
 * @module
 */
import { join, resolve } from "node:path";
import { INPUT_ERROR_EXIT, InputError } from "../lib/base/errors.ts";
import { readTextIfExists } from "../lib/base/files.ts";
import { log } from "../lib/base/log.ts";
import { MODEL_FLAGS, RUN_FLAGS, runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { flagsHelp, numberFlag, pathFlag, readFlags, textFlag } from "../lib/notebooks/task_flags.ts";
import { comparePublished } from "../lib/parity/compare_published.ts";
import { compareBackendsKind, comparisonName } from "../lib/parity/start_compare_backends.ts";
import { chosenVariants } from "../lib/runs/run_settings.ts";
import { COMPARE_FLAGS, FROM_FLAGS } from "./compare_backends_flags.ts";

const COMMAND = "deno task compare-backends";

/** Reports a table of labels. */
async function reportTable(): Promise<void> {
  const flags = { ...FROM_FLAGS, seed: numberFlag("N", ""), results: pathFlag("DIR", "") };
  const { from, json, seed, results } = readFlags(Deno.args, flags, COMMAND);
  if (typeof from !== "string" || from === "") {
    throw new InputError(`--from needs a file: ${COMMAND} --from labels.csv.`);
  }
  const written = await comparePublished(from, {
    results: typeof results === "string" ? results : resolve("results"),
    log,
    ...(typeof seed === "number" ? { seed } : {}),
  });
  console.log(json ? JSON.stringify(written.json, null, 2) : written.text.trimEnd());
  for (const [kind, path] of Object.entries(written.files)) log(`${kind}: ${path}`);
}

/** Runs both backends through the notebook, then prints the comparison that it has written. */
async function runBoth(): Promise<void> {
  await runExperimentTask({
    kind: compareBackendsKind,
    about: "Do two backends serve the same model? Both classify the same messages, twice. " +
      `${COMMAND} --from LABELS.csv reports a published table of labels.`,
    flags: COMPARE_FLAGS,
  });
  if (Deno.exitCode !== 0) return;
  const { help, plan, show, ...given } = readFlags(Deno.args, {
    ...MODEL_FLAGS,
    ...COMPARE_FLAGS,
    ...RUN_FLAGS,
    show: textFlag("", ""),
  }, COMMAND);
  if (help) return console.log(`${flagsHelp(FROM_FLAGS)}`);
  if (plan || show !== undefined || given["shard"] !== undefined) return;
  const parsed = compareBackendsKind.parse({ results: resolve("results"), ...given });
  const { variants } = await chosenVariants(parsed.settings, parsed.choose);
  const name = comparisonName(variants.map((variant) => variant.name) as [string, string], parsed.test);
  const path = (ending: string) => join(parsed.settings.results, `${name}_${ending}`);
  const report = await readTextIfExists(path("report.txt"));
  if (report === undefined) return;
  console.log(`\n${report.trimEnd()}\n`);
  for (
    const ending of [
      "agreement.png",
      "confusion.png",
      "similarity.png",
      "rows.csv",
      "rows.parquet",
      "statistics.json",
    ]
  ) {
    if (await Deno.stat(path(ending)).then(() => true, () => false)) console.log(path(ending));
  }
}

try {
  await (Deno.args.some((arg) => /^--from(=|$)/.test(arg)) ? reportTable() : runBoth());
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exitCode = INPUT_ERROR_EXIT;
}
