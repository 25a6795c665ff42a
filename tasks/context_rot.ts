/**
 * `deno task context-rot`: executes notebooks/context_rot.ipynb headless.
 * @module
 */
import { resolve } from "node:path";
import { z } from "zod";
import { readTextIfExists } from "../lib/base/files.ts";
import type { Json } from "../lib/base/hash.ts";
import { log } from "../lib/base/log.ts";
import { camelCase } from "../lib/base/names.ts";
import { comparisonFiles } from "../lib/context_rot/comparison_files.ts";
import { CONTEXT_ROT_KINDS } from "../lib/context_rot/context_rot_settings.ts";
import { type ContextRotPlan, planContextRot } from "../lib/context_rot/plan_context_rot.ts";
import { executeRuns, MODEL_FLAGS, RUN_FLAGS, setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import { type Flags, flagsHelp, readFlags, textFlag } from "../lib/notebooks/task_flags.ts";
import { shardOf } from "../lib/runs/run_settings.ts";
import { LONGMEMEVAL_FLAGS } from "./longmemeval_flags.ts";
import { NIAH_FLAGS } from "./niah_flags.ts";
import { REPEATED_WORDS_FLAGS } from "./repeated_words_flags.ts";

const NAMES = CONTEXT_ROT_KINDS.map(({ name }) => name);

/** The flags of each experiment. */
const KIND_FLAGS: Readonly<Record<string, Flags>> = {
  niah: NIAH_FLAGS,
  longmemeval: LONGMEMEVAL_FLAGS,
  "repeated-words": REPEATED_WORDS_FLAGS,
};

const FLAGS: Flags = {
  ...MODEL_FLAGS,
  only: textFlag("A[,B]", `run these alone: ${NAMES.join(", ")}`),
  skip: textFlag("A[,B]", "leave these out"),
  ...RUN_FLAGS,
};

/** `--trials` of NIAH as `--niah-trials`. */
const PREFIXED: Flags = Object.fromEntries(
  Object.entries(KIND_FLAGS).flatMap(([kind, flags]) =>
    Object.entries(flags).map(([name, flag]) => [`${kind}-${name}`, flag])
  ),
);

const COMMAND = "deno task context-rot";
const RULE = "=".repeat(42);

/** Flags as the notebook's parameters: those of a kind in an object of their own. */
function parametersOf(given: Readonly<Record<string, Json>>): Record<string, Json> {
  const parameters: Record<string, Json> = { test: false, results: resolve("results"), ...given };
  for (const [kind, flags] of Object.entries(KIND_FLAGS)) {
    const own: Record<string, Json> = {};
    for (const name of Object.keys(flags)) {
      const key = camelCase(`${kind}-${name}`);
      const value = parameters[key];
      delete parameters[key];
      if (value !== undefined) own[camelCase(name)] = value;
    }
    if (Object.keys(own).length > 0) parameters[camelCase(kind)] = own;
  }
  return parameters;
}

async function main(args: readonly string[]): Promise<number> {
  const { help, plan, ...given } = readFlags(args, { ...FLAGS, ...PREFIXED }, COMMAND);
  if (help) {
    console.log(
      `All context-rot experiments (${
        NAMES.join(", ")
      }) on all chosen variants: run, judged, drawn and compared.\n\n` +
        `${COMMAND} [--test] [flags]\n\n${flagsHelp(FLAGS)}\n\nFlags of one experiment:\n\n${
          flagsHelp(PREFIXED)
        }\n\n` +
        "Stop with Ctrl+C; the same command goes on where it was.\n",
    );
    return 0;
  }
  const parameters = parametersOf(given);
  const planned = await planContextRot(parameters);
  if (plan) {
    console.log(`${planned.text}\n\nNothing was sent or written.`);
    return 0;
  }
  const { code, outPath } = await executeRuns({
    name: "context-rot",
    parsed: planned.kinds,
    planned: planned.runs,
    parameters,
    args,
  });
  return code === 0 ? await printOutcome(planned, outPath) : code;
}

const comparisonSchema = z.object({
  statistics: z.object({
    runs: z.array(z.object({
      experiment: z.string(),
      variant: z.string(),
      errors: z.number(),
      failure: z.string().nullable(),
    })),
  }),
});

/** Says what was found and where everything is. @returns 1 when a run failed, else 0. */
async function printOutcome({ settings, test, runs }: ContextRotPlan, notebook: string): Promise<number> {
  const shard = shardOf(settings);
  if (shard !== null) {
    log(`Shard ${shard.index}/${shard.count} is complete: put the shards together with deno task merge.`);
    return 0;
  }
  const files = comparisonFiles(settings.results, test);
  console.log(`\n${await readTextIfExists(files.text) ?? ""}`);
  const { statistics } = comparisonSchema.parse(JSON.parse(await readTextIfExists(files.json) ?? "null"));
  const failed = statistics.runs.filter(({ failure }) => failure !== null);
  const errors = statistics.runs.reduce((sum, run) => sum + run.errors, 0);
  for (
    const line of [
      RULE,
      failed.length > 0
        ? `EXPERIMENTS ENDED, ${failed.length} OF ${statistics.runs.length} RUNS FAILED`
        : "ALL EXPERIMENTS COMPLETE!",
      RULE,
    ]
  ) log(line);
  if (errors > 0) log(`${errors} rows ended in an error: start the same command to try them again.`);
  log(`Everything is in ${settings.results}:`);
  for (const { files, experiment, variant } of runs) {
    if (failed.some((run) => run.experiment === experiment.name && run.variant === variant.name)) continue;
    log(`  ${files.name}*: results and evaluated CSVs, report, figures, attempts, tokens`);
  }
  log(`  comparison: ${files.text}, ${files.png}`);
  log(`  notebook:   ${notebook}`);
  return failed.length > 0 ? 1 : 0;
}

await setExitCode(() => main(Deno.args));
