/**
 * `deno task cache stats|clear`: what the response cache holds, and how to get rid of it.
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CacheSelection, openCache, type ResponseCache } from "../lib/backends/cache.ts";
import { INPUT_ERROR_EXIT, InputError, messageOf } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { table } from "../lib/notebooks/table.ts";

const USAGE = `Usage: deno task cache stats [--results DIR] [--json]
       deno task cache clear --all | --variant NAME | --older-than 30d  [--dry-run] [--results DIR]
  stats          answers by variant and model: how many, how large, how old, how often given
  clear          removes answers; with --variant and --older-than those that are both
  --older-than   stored longer ago than this: 90m, 12h, 30d, 8w
  --dry-run      says what would be removed, and removes nothing
  --results      folder whose .cache.sqlite is meant (results)
Runs fill the cache with --cache. Clearing it touches no result.`;

const MILLISECONDS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

interface Flags {
  readonly command: "stats" | "clear" | "help";
  readonly path: string;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly selection: CacheSelection;
}

function readFlags(args: readonly string[], now: number): Flags {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        results: { type: "string", default: "results" },
        json: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        variant: { type: "string" },
        "older-than": { type: "string" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { results, json, all, variant, "older-than": age, "dry-run": dryRun, help } = values;
    const [command, ...more] = positionals;
    const path = join(results, ".cache.sqlite");
    if (help) return { command: "help", path, json, dryRun, selection: {} };
    if ((command !== "stats" && command !== "clear") || more.length > 0) {
      throw new Error(`Say stats or clear, not ${JSON.stringify(positionals.join(" "))}`);
    }
    const selects = variant !== undefined || age !== undefined;
    if (command === "stats" && (all || selects || dryRun)) {
      throw new Error("stats takes --results and --json alone");
    }
    if (command === "clear" && json) throw new Error("--json belongs to stats");
    if (command === "clear" && all === selects) {
      throw new Error("clear needs --all, or else --variant or --older-than");
    }
    return {
      command,
      path,
      json,
      dryRun,
      selection: { variant, before: age === undefined ? undefined : now - milliseconds(age) },
    };
  } catch (cause) {
    throw new InputError(`${messageOf(cause)}.\n${USAGE}`, { cause });
  }
}

function milliseconds(age: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(age) ?? [];
  if (amount === undefined) {
    throw new Error(`--older-than is ${JSON.stringify(age)}: give a time such as 12h or 30d`);
  }
  return Number(amount) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

async function main(args: readonly string[]): Promise<void> {
  const { command, path, json, dryRun, selection } = readFlags(args, Date.now());
  if (command === "help") return console.log(USAGE);
  const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (!isThere) {
    if (json) console.log("[]");
    return log(`There is no response cache at ${path}: a run with --cache makes one.`);
  }
  using cache = openCache(path, { keepDamaged: true });
  if (command === "stats") return printStats(cache, path, json);
  const { entries, bytes } = dryRun ? cache.stats(selection) : cache.clear(selection);
  log(
    `${path}: ${entries} answer${entries === 1 ? "" : "s"} (${size(bytes)}) ${
      dryRun ? "would be" : "were"
    } removed`,
  );
  if (dryRun) log("Nothing was removed. The same command without --dry-run removes them.");
}

function printStats(cache: ResponseCache, path: string, json: boolean): void {
  const groups = cache.groups();
  if (json) return console.log(JSON.stringify(groups, null, 2));
  const day = (time: number | null) => time === null ? "" : new Date(time).toISOString().slice(0, 10);
  const rows = groups.map(({ origin, entries, bytes, hits, oldest, newest, lastUsed }) => ({
    variant: origin?.variant ?? "(not recorded)",
    backend: origin?.backend ?? "",
    model: origin?.model ?? "",
    answers: entries,
    size: size(bytes),
    given: hits,
    "first stored": day(oldest),
    "last stored": day(newest),
    "last given": day(lastUsed),
  }));
  const { entries, bytes } = cache.stats();
  const onDisk = Deno.statSync(path).size;
  console.log(table(rows, { maxRows: Infinity }).text);
  console.log(
    `\n${entries} answer${entries === 1 ? "" : "s"}, ${size(bytes)}; ${path} takes ${size(onDisk)}`,
  );
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exit(INPUT_ERROR_EXIT);
  }
}
