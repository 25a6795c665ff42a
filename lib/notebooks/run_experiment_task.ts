/**
 * The body of every task that runs an experiment's notebook.
 * @module
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { missingEnvironment, snakeName } from "../backends/variants.ts";
import { INPUT_ERROR_EXIT, InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import type { ExperimentKind, ParsedKind } from "../runs/experiment_kind.ts";
import { lockRun } from "../runs/lock.ts";
import { type PlannedRun, planRuns } from "../runs/plan_runs.ts";
import { chosenVariants, type RunSettings, shardOf } from "../runs/run_settings.ts";
import { readRunStatus, statusDashboard } from "../runs/status.ts";
import { runNotebookTask } from "./run_notebook_task.ts";
import { type Flags, flagsHelp, numberFlag, readFlags, switchFlag, textFlag } from "./task_flags.ts";

/** A task that runs the notebook of one kind of experiment. */
export interface ExperimentTask {
  /** What it runs; `deno task {kind.name}`, `notebooks/{kind_name}.ipynb`. */
  readonly kind: ExperimentKind;
  /** What it does, in a sentence. */
  readonly about: string;
  /** The kind's own flags, each a setting of the kind and a parameter of the notebook. */
  readonly flags: Flags;
}

/** The flags that choose what runs, in every such task. */
export const MODEL_FLAGS: Flags = {
  model: textFlag("A[,B]", "variants of models/models.json (default pocket, the embedded model)"),
  test: switchFlag("the small version, in files of its own (test_)"),
  plan: switchFlag("print rows, tokens, cost and time; send and write nothing"),
};

/** The flags of how it runs, in every such task. */
export const RUN_FLAGS: Flags = {
  judge: textFlag("A[,B]", "models that judge what code cannot; of several the first decides"),
  regrade: switchFlag("grade and draw again; nothing is sent twice"),
  "max-usd": numberFlag("N", "stop before this is spent"),
  cache: switchFlag("answer from the response cache"),
  "tokens-per-minute": numberFlag("N", "most tokens in a minute (default: the variant's own limit)"),
  "requests-per-minute": numberFlag("N", "most requests in a minute"),
  concurrency: numberFlag("N", "most requests at once"),
  shard: textFlag("i/n", "a part of the rows; put parts together with deno task merge"),
  results: textFlag("DIR", "where everything is written (default results)", (text) => resolve(text)),
};

const SHOW: Flags = { show: textFlag("ROW_ID", "print a row's prompt, byte for byte") };

/** Runs an experiment task and sets the exit code: 0, 1 when nothing was answered, 2 for wrong input, 130 when stopped. */
export function runExperimentTask(task: ExperimentTask, args: readonly string[] = Deno.args): Promise<void> {
  return setExitCode(() => main(task, args));
}

/** Sets the exit code to what `main` gives; wrong input is said in its own words, with {@linkcode INPUT_ERROR_EXIT}. */
export async function setExitCode(main: () => Promise<number>): Promise<void> {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exitCode = INPUT_ERROR_EXIT;
  }
}

async function main(task: ExperimentTask, args: readonly string[]): Promise<number> {
  const { kind } = task;
  const command = `deno task ${kind.name}`;
  const flags = { ...MODEL_FLAGS, ...task.flags, ...RUN_FLAGS, ...SHOW };
  const { help, plan, show, ...given } = readFlags(args, flags, command);
  if (help) {
    console.log(
      `${task.about}\n\n${command} [--test] [flags]\n\n${flagsHelp(flags)}\n\n` +
        "Stop with Ctrl+C; the same command goes on where it was.\n",
    );
    return 0;
  }
  const parameters: Record<string, Json> = { test: false, results: resolve("results"), ...given };
  const planned = await planRuns(kind, parameters);
  if (plan) {
    console.log([...planned.map(({ text }) => text), "Nothing was sent or written."].join("\n\n"));
    return 0;
  }
  if (typeof show === "string") return await showRow(planned, show);
  const { code } = await executeRuns({
    name: kind.name,
    parsed: [kind.parse(parameters)],
    planned,
    parameters,
    args,
  });
  return code === 0 ? await printReports(planned) : code;
}

/** Runs of a notebook. */
export interface NotebookRuns {
  /** Name of task, notebook and executed notebook: `repeated-words`. */
  readonly name: string;
  /** The kinds, which share the settings of the first. */
  readonly parsed: readonly [ParsedKind, ...ParsedKind[]];
  /** The runs that can be planned. */
  readonly planned: readonly PlannedRun[];
  /** The notebook's parameters. */
  readonly parameters: Readonly<Record<string, Json>>;
  /** The command line, for the line that says how to go on. */
  readonly args: readonly string[];
}

/**
 * Executes a notebook of runs for a person at a terminal: says who else is at them, shows the status dashboard, and
 * runs. @returns the exit code and where the executed notebook is.
 *
 * @throws {InputError} when another process holds a run, the state is damaged, or the judge cannot be asked.
 */
export async function executeRuns(
  runs: NotebookRuns,
): Promise<{ readonly code: number; readonly outPath: string }> {
  const { name, parsed: [{ settings, test, choose }], planned, parameters, args } = runs;
  const { results } = settings;
  await checkJudges(settings);
  const { variants: chosen } = await chosenVariants(settings, choose);
  const variants = chosen.map((variant) => variant.name);
  const experiments = runs.parsed.flatMap((kind) => kind.experiments);
  const dashboard = (interrupted: boolean) =>
    statusDashboard({ results, test, variants, experiments, interrupted, planned });
  for (const { files } of planned) (await lockRun(files.lock))[Symbol.dispose](); // says now who else is at it
  console.error(await dashboard(false));
  const shard = shardOf(settings);
  const outName = [
    ...(test ? ["test"] : []),
    ...variants.map(snakeName),
    snakeName(name),
    ...(shard === null ? [] : [`shard_${shard.index}_of_${shard.count}`]),
  ].join("_");
  const outPath = join(results, `${outName}.ipynb`);
  const code = await runNotebookTask({
    path: fileURLToPath(new URL(`../../notebooks/${snakeName(name)}.ipynb`, import.meta.url)),
    parameters,
    outPath,
    resume: commandLine(`deno task ${name}`, args),
    status: () => dashboard(true),
  });
  return { code, outPath };
}

async function checkJudges(settings: RunSettings): Promise<void> {
  const { judges } = await chosenVariants(settings);
  const judge = judges.find((variant) => missingEnvironment(variant).length > 0);
  if (judge === undefined) return;
  const missing = missingEnvironment(judge);
  throw new InputError(
    `The judge ${judge.name} needs ${
      missing.join(" and ")
    }: set it in the environment or in .env (see .env.example), or ` +
      `leave --judge out.`,
  );
}

/** A command as it can be typed again. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args.map((arg) => /^[\w./:=,-]+$/.test(arg) ? arg : JSON.stringify(arg))].join(" ");
}

/** Prints what the runs found and where their figures are. @returns 1 when no row of a run was answered, else 0. */
export async function printReports(planned: readonly Pick<PlannedRun, "files">[]): Promise<number> {
  let code = 0;
  for (const { files } of planned) {
    const report = await readTextIfExists(files.reportText); // a shard has none yet
    if (report !== undefined) {
      const figures =
        figuresSchema.parse(JSON.parse(await readTextIfExists(files.reportJson) ?? "{}")).figures;
      const lines = Object.keys(figures).map((name) => `${figureTitle(name)}: ${files.figure(name, "png")}`);
      console.log(`\n${report}${lines.join("\n")}`);
    }
    const status = await readRunStatus(files);
    if (status?.done === 0 && status.errors > 0) code = 1;
  }
  return code;
}

const figuresSchema = z.object({ figures: z.record(z.string(), z.string()).default({}) });

const figureTitle = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

async function showRow(planned: readonly PlannedRun[], id: string): Promise<number> {
  for (const { experiment } of planned) {
    const row = experiment.rows.find((candidate) => candidate.id === id);
    if (row === undefined) continue;
    const { messages, prefix } = await experiment.prompt(row);
    const turns = messages.map(({ role, content }) => `${role}:\n${content}`);
    if (prefix !== undefined) turns.push(`assistant, begun:\n${prefix}`);
    console.log(turns.join("\n\n"));
    return 0;
  }
  throw new InputError(
    `There is no row ${
      JSON.stringify(id)
    } in this plan: take an id from the results CSV and give the run's own flags.`,
  );
}
