/**
 * Joining the shards of a run.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import { log as logLine } from "../base/log.ts";
import { type AttemptsHeader, scanAttempts } from "./attempt_records.ts";
import { openAttempts } from "./attempts.ts";
import type { Attempt } from "./experiment.ts";
import { lockRun } from "./lock.ts";

/** What became of one run. */
export interface MergedRun {
  /** File name of the whole run: `pocket_niah`. */
  readonly name: string;
  /** Shard files read, and parts of the run that were in none of the folders. */
  readonly shards: number;
  /** The parts, as `i/n`. */
  readonly missing: readonly string[];
  /** Attempts added; 0 when everything was there already. */
  readonly added: number;
}

interface ShardFile {
  readonly path: string;
  readonly name: string;
  readonly index: number;
  readonly count: number;
}

const SHARD_FILE = /^(.+)_shard_(\d+)_of_(\d+)_attempts\.jsonl$/;

/**
 * Adds the attempts of all shard files in the folders to the attempts files of their whole runs, where the same
 * command without `--shard` then goes on. Shard files are only read. Every attempt is kept, also when two shards tried
 * the same row: the first that is done counts, and done counts more than an error. Doing it again adds nothing.
 *
 * @throws {InputError} when there are no shards, or shards of one run come from different plans: nothing is then added
 * for that run.
 */
export async function mergeShards(options: {
  readonly from: readonly string[];
  readonly into: string;
  readonly log?: (line: string) => void;
}): Promise<MergedRun[]> {
  const { from, into, log = logLine } = options;
  const runs = new Map<string, ShardFile[]>();
  for (const folder of from) {
    for (const file of await shardFiles(folder)) runs.set(file.name, [...runs.get(file.name) ?? [], file]);
  }
  if (runs.size === 0) {
    throw new InputError(
      `There is no *_shard_i_of_n_attempts.jsonl in ${
        from.join(", ")
      }: name the results folders of the machines that ` +
        `ran with --shard.`,
    );
  }
  const merged: MergedRun[] = [];
  for (const [name, files] of runs) merged.push(await mergeRun(name, files, into, log));
  return merged;
}

async function shardFiles(folder: string): Promise<ShardFile[]> {
  const files: ShardFile[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const match = SHARD_FILE.exec(entry.name);
      if (!match) continue;
      const [, name = "", index, count] = match;
      files.push({ path: join(folder, entry.name), name, index: Number(index), count: Number(count) });
    }
  } catch (cause) {
    throw new InputError(`Cannot read the folder ${folder}: give --from the results folders of the shards.`, {
      cause,
    });
  }
  return files.sort((a, b) => a.index - b.index);
}

async function mergeRun(
  name: string,
  files: readonly ShardFile[],
  into: string,
  log: (line: string) => void,
): Promise<MergedRun> {
  const target = join(into, `${name}_attempts.jsonl`);
  using _ = await lockRun(join(into, `.${name}.lock`));
  const present = new Set<string>();
  let whole: AttemptsHeader | undefined;
  await scanAttempts(target, {
    header: (header) => void (whole = header),
    attempt: (attempt) => void present.add(keyOf(attempt)),
  });
  const shardHeader = await commonHeader(files, target, whole);

  let added = 0;
  {
    const rows = whole?.rows ?? await planSize(files, shardHeader);
    using store = await openAttempts(target, { ...shardHeader, rows, shard: null }, { log });
    for (const file of files) {
      const news: Attempt[] = [];
      const scan = await scanAttempts(file.path, {
        attempt(attempt) {
          const key = keyOf(attempt);
          if (present.has(key)) return;
          present.add(key);
          news.push(attempt);
        },
      });
      if (scan.torn !== null) {
        log(`${file.path}: its last line is torn and left out; the shard may still be running`);
      }
      for (const attempt of news) store.append(attempt);
      added += news.length;
    }
  }
  const count = files[0]?.count ?? 0;
  const indexes = new Set(files.filter((file) => file.count === count).map((file) => file.index));
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((i) => !indexes.has(i)).map((i) =>
    `${i}/${count}`
  );
  return { name, shards: files.length, missing, added };
}

/** What tells attempts apart: everything but their number, which counts anew in the whole run. */
function keyOf(attempt: Attempt): string {
  const { attempt: _, ...rest } = attempt;
  return sha256(canonicalJson(rest as unknown as Json));
}

async function commonHeader(
  files: readonly ShardFile[],
  target: string,
  whole: AttemptsHeader | undefined,
): Promise<AttemptsHeader> {
  let first = whole && { path: target, header: whole };
  let found: AttemptsHeader | undefined;
  for (const { path } of files) {
    let header: AttemptsHeader | undefined;
    await scanAttempts(path, { header: (next) => void (header = next) });
    if (!header) throw new InputError(`${path} is empty: run that shard again, or delete the file.`);
    first ??= { path, header };
    for (const key of ["experiment", "variant", "model", "mode", "plan"] as const) {
      if (header[key] === first.header[key]) continue;
      throw new InputError(
        `${path} and ${first.path} are of different plans: ${key} is ${
          JSON.stringify(header[key])
        } in the one and ` +
          `${
            JSON.stringify(first.header[key])
          } in the other. Nothing was added. Merge only shards that were started ` +
          `with the same options, or choose another folder with --into.`,
      );
    }
    found ??= header;
  }
  return found as AttemptsHeader;
}

/** Rows of the whole plan: the sum over the shards of one division. */
async function planSize(files: readonly ShardFile[], first: AttemptsHeader): Promise<number> {
  const sizes = new Map<number, number>();
  for (const file of files.filter((f) => f.count === files[0]?.count)) {
    await scanAttempts(file.path, { header: (header) => void sizes.set(file.index, header.rows) });
  }
  return [...sizes.values()].reduce((sum, n) => sum + n, 0) || first.rows;
}
