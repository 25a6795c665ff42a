/**
 * `deno task niah`: executes notebooks/niah.ipynb headless.
 * @module
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError } from "../lib/base/errors.ts";
import { readTextIfExists } from "../lib/base/files.ts";
import { snakeName } from "../lib/backends/variants.ts";
import { parseNiahSettings, type PlannedNiah, planNiah } from "../lib/context_rot/start_niah.ts";
import { runNotebookTask } from "../lib/notebooks/run_notebook_task.ts";
import { lockRun } from "../lib/runs/lock.ts";
import { readRunStatus, statusDashboard } from "../lib/runs/status.ts";
import { parseShard } from "../lib/runs/shard.ts";

const HELP = `Needle in a haystack: hides a fact in long texts and asks for it at every length and depth.

deno task niah [--test] [flags]

  --model A[,B]            variants of models/models.json (default pocket, the embedded model)
  --test                   the small grid: 4 lengths x 3 depths
  --plan                   print rows, tokens, cost and time; send and write nothing
  --lengths 500,1000       input lengths in tokens       --depths 0,50,100   needle depths in percent
  --trials N               rows per cell                 --seed N            draws texts and places
  --haystack DIR           .txt and .md files, or "generated" (default data/PaulGrahamEssays, else generated)
  --haystack-order ORDER   sequential or shuffled
  --needle NAME|FILE.json  low-overlap (default), high-overlap, two-hop, or a file of {needle, question, answer}
  --vary-needle            another needle of the same kind in every trial
  --distractors 0..4       sentences that look like the needle
  --judge VARIANT          a model that judges what matching cannot
  --max-output-tokens N    cap of an answer              --temperature T
  --max-usd N              stop before this is spent     --cache             answer from the response cache
  --tokens-per-minute N    --requests-per-minute N       --concurrency N
  --shard i/n              a part of the rows; put parts together with deno task merge
  --results DIR            where everything is written (default results)
  --show ROW_ID            print a row's prompt, byte for byte

Stop with Ctrl+C; the same command goes on where it was.
`;

const FLAGS = {
  model: { type: "string" },
  judge: { type: "string" },
  results: { type: "string" },
  haystack: { type: "string" },
  "haystack-order": { type: "string" },
  needle: { type: "string" },
  shard: { type: "string" },
  show: { type: "string" },
  lengths: { type: "string" },
  depths: { type: "string" },
  trials: { type: "string" },
  seed: { type: "string" },
  distractors: { type: "string" },
  temperature: { type: "string" },
  "max-output-tokens": { type: "string" },
  "max-usd": { type: "string" },
  "tokens-per-minute": { type: "string" },
  "requests-per-minute": { type: "string" },
  concurrency: { type: "string" },
  test: { type: "boolean" },
  plan: { type: "boolean" },
  cache: { type: "boolean" },
  "vary-needle": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const NUMBERS = new Set([
  ...["trials", "seed", "distractors", "temperature", "max-output-tokens", "max-usd"],
  ...["tokens-per-minute", "requests-per-minute", "concurrency"],
]);
const LISTS = new Set(["lengths", "depths"]);
/** Flags of the task alone. */
const OWN = new Set(["plan", "show", "help"]);

type Value = string | number | boolean | number[];

function parseFlags(args: string[]): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({ args, options: FLAGS, allowNegative: false }).values;
  } catch (error) {
    throw new InputError(
      `${(error as Error).message.replace(/\.?$/, ".")} Run deno task niah --help for the flags.`,
      {
        cause: error,
      },
    );
  }
}

function number(flag: string, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new InputError(`--${flag} is ${JSON.stringify(text)}: give a number.`);
  }
  return value;
}

/** Flags as the notebook's parameters: camel case, numbers parsed, paths made absolute. */
function parametersOf(flags: Record<string, string | boolean | undefined>): Record<string, Value> {
  const parameters: Record<string, Value> = {
    test: flags["test"] === true,
    results: resolve(String(flags["results"] ?? "results")),
  };
  for (const [flag, value] of Object.entries(flags)) {
    if (value === undefined || OWN.has(flag) || flag in parameters) continue;
    const name = flag.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
    if (typeof value === "boolean") parameters[name] = value;
    else if (NUMBERS.has(flag)) parameters[name] = number(flag, value);
    else if (LISTS.has(flag)) parameters[name] = value.split(",").map((part) => number(flag, part));
    else if (flag === "haystack" && value !== "generated") parameters[name] = resolve(value);
    else if (flag === "needle" && value.endsWith(".json")) parameters[name] = resolve(value);
    else parameters[name] = value;
  }
  return parameters;
}

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args);
  if (flags["help"]) {
    console.log(HELP);
    return 0;
  }
  const parameters = parametersOf(flags);
  const settings = parseNiahSettings(parameters);
  const planned = await planNiah(settings);
  if (flags["plan"]) {
    console.log([...planned.map(({ text }) => text), "Nothing was sent or written."].join("\n\n"));
    return 0;
  }
  if (typeof flags["show"] === "string") return await showRow(planned, flags["show"]);
  const { results, test } = settings;
  const variants = planned.map(({ variant }) => variant.name);
  const resume = [
    "deno task niah",
    ...args.map((arg) => /^[\w./:=,-]+$/.test(arg) ? arg : JSON.stringify(arg)),
  ].join(" ");
  const dashboard = (interrupted: boolean) =>
    statusDashboard({
      results,
      test,
      variants,
      experiments: [{ name: "niah", title: "Needle in a haystack" }],
      interrupted,
    });
  for (const { files } of planned) (await lockRun(files.lock))[Symbol.dispose](); // says now who else is at it
  console.error(await dashboard(false));
  const shard = settings.shard === null ? null : parseShard(settings.shard);
  const name = [
    ...(test ? ["test"] : []),
    ...variants.map(snakeName),
    "niah",
    ...(shard === null ? [] : [`shard_${shard.index}_of_${shard.count}`]),
  ].join("_");
  const code = await runNotebookTask({
    path: fileURLToPath(new URL("../notebooks/niah.ipynb", import.meta.url)),
    parameters,
    outPath: join(results, `${name}.ipynb`),
    resume,
    status: () => dashboard(true),
  });
  return code === 0 ? await printReports(planned) : code;
}

/** Prints what the runs found and where their figures are. @returns 1 when no row of a run was answered, else 0. */
async function printReports(planned: readonly PlannedNiah[]): Promise<number> {
  let code = 0;
  for (const { files } of planned) {
    const report = await readTextIfExists(files.reportText); // a shard has none yet
    if (report !== undefined) console.log(`\n${report}Heatmap: ${files.figure("heatmap", "png")}`);
    const status = await readRunStatus(files);
    if (status?.done === 0 && status.errors > 0) code = 1;
  }
  return code;
}

async function showRow(planned: readonly PlannedNiah[], id: string): Promise<number> {
  for (const { niah } of planned) {
    const row = niah.rows.find((candidate) => candidate.id === id);
    if (row === undefined) continue;
    const { messages } = await niah.prompt(row);
    console.log(messages.map(({ role, content }) => `${role}:\n${content}`).join("\n\n"));
    return 0;
  }
  throw new InputError(
    `There is no row ${
      JSON.stringify(id)
    } in this plan: take an id from the results CSV and give the run's own flags.`,
  );
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exitCode = INPUT_ERROR_EXIT;
}
