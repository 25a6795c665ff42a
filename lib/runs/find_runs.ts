/**
 * The runs whose files lie in a results folder.
 * @module
 */
import { basename, join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import { ATTEMPTS_FORMAT } from "./attempt_records.ts";

/** A run that was found by its files. */
export interface FoundRun {
  /** File name without its ending: `test_gpt_oss_20b_niah`. */
  readonly name: string;
  /** The experiment, as in file names. */
  readonly experiment: string;
  /** The variant, as in models.json; of imported runs what the import called it. */
  readonly variant: string;
  /** What the variant's model is called. */
  readonly model: string | null;
  /** Test runs and full runs share no file; imported runs have no mode. */
  readonly mode: "full" | "test" | null;
  /** The part of the rows, when machines share the run: `1/4`. */
  readonly shard: string | null;
  /** Whether the rows are from another program. */
  readonly imported: boolean;
  /** What was in its folder, by path. */
  readonly files: FoundFiles;
}

/** Paths of a run's files; whether they are there is for the reader to see. */
export interface FoundFiles {
  /** The results folder. */
  readonly folder: string;
  /** Configuration and rows. */
  readonly plan: string;
  /** Every try at every row. */
  readonly attempts: string;
  /** Every try at a judge's rows. */
  readonly judgeAttempts: string;
  /** The evaluated CSVs that are there. */
  readonly evaluated: readonly string[];
  /** Statistics. */
  readonly reportJson: string;
  /** The summary. */
  readonly reportText: string;
  /** Tokens and cost. */
  readonly tokenSummary: string;
  /** The lock, there while a process is at the run. */
  readonly lock: string;
  /** The SVG figures that are there. */
  readonly figures: readonly string[];
}

const headSchema = z.object({
  experiment: z.string(),
  variant: z.string(),
  model: z.string().nullish(),
  mode: z.enum(["full", "test"]).nullish(),
  shard: z.string().nullish(),
  imported: z.unknown().optional(),
});

/**
 * Finds every run in a folder, by its attempts or its report, in the order of their names. Files of other kinds and
 * files that cannot be read are passed over and named in `onProblem`.
 *
 * @throws {InputError} when the folder cannot be read.
 */
export async function findRuns(
  folder: string,
  options: { readonly onProblem?: (problem: string) => void } = {},
): Promise<FoundRun[]> {
  const names = await namesIn(folder);
  const stems = new Set<string>();
  for (const name of names) {
    if (name.startsWith(".")) continue;
    if (name.endsWith("_judge_attempts.jsonl")) continue;
    const stem = /^(.+)_(?:attempts\.jsonl|report\.json)$/.exec(name)?.[1];
    if (stem !== undefined) stems.add(stem);
  }
  const runs: FoundRun[] = [];
  for (const stem of [...stems].sort()) {
    try {
      const head = await readHead(folder, stem);
      if (head === null) continue;
      const { experiment, variant, model, mode, shard, imported } = head;
      runs.push({
        name: stem,
        experiment,
        variant,
        model: model ?? null,
        mode: mode ?? null,
        shard: shard ?? null,
        imported: imported !== undefined,
        files: await filesOf(folder, stem, names, stems),
      });
    } catch (error) {
      options.onProblem?.(`${stem} cannot be read as a run: ${messageOf(error)}`);
    }
  }
  return runs;
}

/** What a run was asked to do: the settings in its plan file, or null when there is none. */
export async function readRunConfig(files: Pick<FoundFiles, "plan">): Promise<Record<string, Json> | null> {
  try {
    const plan = JSON.parse(await readTextIfExists(files.plan) ?? "null");
    return configSchema.parse(plan).config;
  } catch {
    return null; // a courtesy to readers; runs write it anew
  }
}

const configSchema = z.object({ config: z.record(z.string(), z.json()) });

async function readHead(folder: string, stem: string): Promise<z.output<typeof headSchema> | null> {
  const first = await firstLine(join(folder, `${stem}_attempts.jsonl`));
  if (first !== null) {
    const header: unknown = JSON.parse(first);
    if ((header as { format?: unknown }).format !== ATTEMPTS_FORMAT) return null;
    return headSchema.parse(header);
  }
  const report = headSchema.safeParse(
    JSON.parse(await readTextIfExists(join(folder, `${stem}_report.json`)) ?? "null"),
  );
  return report.success ? report.data : null;
}

/** The first line of a file, of at most 64 kB; null when there is no file. */
async function firstLine(path: string): Promise<string | null> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(1 << 16);
    let filled = 0;
    for (let n = await file.read(bytes); n !== null && n > 0; n = await file.read(bytes.subarray(filled))) {
      filled += n;
      if (bytes.subarray(0, filled).includes(10)) break;
    }
    const text = new TextDecoder().decode(bytes.subarray(0, filled));
    return text === "" ? null : text.split("\n", 1)[0] as string;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function filesOf(
  folder: string,
  stem: string,
  names: readonly string[],
  stems: ReadonlySet<string>,
): Promise<FoundFiles> {
  const others = [...stems].filter((other) => other !== stem && other.startsWith(`${stem}_`));
  const own = names.filter((name) =>
    name.startsWith(stem) && !others.some((other) => name.startsWith(other))
  );
  const at = (ending: string) => join(folder, `${stem}_${ending}`);
  const inFolder = names.includes(`${stem}_evaluated`) ? await namesIn(at("evaluated")).catch(() => []) : [];
  return {
    folder,
    plan: at("plan.json"),
    attempts: at("attempts.jsonl"),
    judgeAttempts: at("judge_attempts.jsonl"),
    evaluated: own.filter((name) => /^_(?:.+_)?evaluated\.csv$/.test(name.slice(stem.length))).map((name) =>
      join(folder, name)
    ),
    reportJson: at("report.json"),
    reportText: at("report.txt"),
    tokenSummary: at("results_token_summary.json"),
    lock: join(folder, `.${stem}.lock`),
    figures: [
      ...own.filter((name) => name.endsWith(".svg")).map((name) => join(folder, name)),
      ...inFolder.filter((name) => name.endsWith(".svg")).map((name) => join(at("evaluated"), name)),
    ],
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  } catch (error) {
    throw new InputError(
      `Cannot read the folder ${basename(folder)} (${
        messageOf(error)
      }): give a results folder, or run an experiment first.`,
      { cause: error },
    );
  }
}
