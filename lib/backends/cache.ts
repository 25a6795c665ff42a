/**
 * The response cache: answers on disk, by everything that determines them.
 * @module
 */
import { mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Clock, systemClock } from "../base/clock.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { unwritable } from "../base/files.ts";
import { log } from "../base/log.ts";
import type { Completion } from "./backend.ts";

/** Whose answer it is; for people, and to clear by. Never part of the key. */
export interface CacheOrigin {
  /** The variant's name. */
  readonly variant: string;
  /** The kind of backend. */
  readonly backend: string;
  /** The model, as the variant names it. */
  readonly model: string;
}

/** Answers of one origin. */
export interface CacheGroup {
  /** Null for answers stored before origins were. */
  readonly origin: CacheOrigin | null;
  /** How many answers. */
  readonly entries: number;
  /** Bytes of their JSON. */
  readonly bytes: number;
  /** How often one of them was given. */
  readonly hits: number;
  /** When the first and the last of them were stored, milliseconds since the epoch; null where it is not known. */
  readonly oldest: number | null;
  /** See `oldest`. */
  readonly newest: number | null;
  /** When one of them was last given; null when none was. */
  readonly lastUsed: number | null;
}

/** Which answers; all conditions given must hold. */
export interface CacheSelection {
  /** Those of this variant. */
  readonly variant?: string | undefined;
  /** Those stored before this time, milliseconds since the epoch; answers of unknown age are not among them. */
  readonly before?: number | undefined;
}

/** Answers on disk. Only answers are kept, never errors. */
export interface ResponseCache extends Disposable {
  /** The answer stored under a key, or undefined. Counts as a hit. */
  get(key: string): Completion | undefined;
  /** Whether there is an answer under a key. Does not count as a hit. */
  has(key: string): boolean;
  /** Stores an answer; one under the same key is replaced. */
  set(key: string, completion: Completion, origin?: CacheOrigin): void;
  /** How many answers there are, and the bytes of their JSON. */
  stats(selection?: CacheSelection): { readonly entries: number; readonly bytes: number };
  /** The answers by origin, the largest share of the disk first. */
  groups(): CacheGroup[];
  /** Removes every answer, or the selected ones. @returns how many were removed, and their bytes. */
  clear(selection?: CacheSelection): { readonly entries: number; readonly bytes: number };
}

/** Options of {@linkcode openCache}. */
export interface OpenCacheOptions {
  /** Tells when answers are stored and given. */
  readonly clock?: Clock;
  /** Fails on a file that is not a database instead of moving it aside. */
  readonly keepDamaged?: boolean;
}

const count = z.number().nullable();
const completionSchema = z.object({
  text: z.string(),
  reasoning: z.string().nullable(),
  finishReason: z.enum(["stop", "length", "content_filter", "aborted", "unknown"]),
  usage: z.object({
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count,
    reasoningTokens: count,
  }),
  requestId: z.string().nullable(),
  model: z.string().nullable(),
  logprobs: z.array(z.object({
    token: z.string(),
    logprob: z.number(),
    top: z.array(z.object({ token: z.string(), logprob: z.number() })).optional(),
  })).nullable(),
  recoveries: z.array(z.string()).optional(),
});

const groupSchema = z.object({
  variant: z.string().nullable(),
  backend: z.string().nullable(),
  model: z.string().nullable(),
  entries: z.number(),
  bytes: z.number(),
  hits: z.number(),
  oldest: z.number().nullable(),
  newest: z.number().nullable(),
  last_used: z.number().nullable(),
});

/**
 * Opens the cache file, made when missing. SQLite in WAL mode: a killed process leaves every finished write. A file
 * that is not a database is moved aside (`.damaged-<time>`), said so on stderr, and begun anew.
 *
 * @throws {InputError} when the file cannot be made, or is damaged inside.
 */
export function openCache(path: string, options: OpenCacheOptions = {}): ResponseCache {
  const { clock = systemClock, keepDamaged = false } = options;
  let db: DatabaseSync;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = prepare(path);
  } catch (error) {
    if (keepDamaged || !isDamage(error)) throw unopened(path, error);
    const aside = `${path}.damaged-${Date.now()}`;
    try {
      renameSync(path, aside);
      for (const tail of ["-wal", "-shm"]) removeIfThere(path + tail);
      db = prepare(path);
    } catch (again) {
      throw unopened(path, again);
    }
    log(`The response cache ${path} was damaged; it is kept as ${aside} and a new one begins.`);
  }
  const select = db.prepare("SELECT completion FROM responses WHERE key = ?");
  const hit = db.prepare("UPDATE responses SET hits = hits + 1, last_used = ? WHERE key = ?");
  const insert = db.prepare(
    "INSERT OR REPLACE INTO responses (key, completion, variant, backend, model, created) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const guarded = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw unopened(path, error);
    }
  };
  return {
    get(key) {
      const row = guarded(() => select.get(key));
      if (!row) return undefined;
      const text = row["completion"];
      const parsed = completionSchema.safeParse(typeof text === "string" ? parseJson(text) : undefined);
      if (!parsed.success) throw damaged(path, parsed.error);
      guarded(() => hit.run(clock.now(), key));
      return parsed.data;
    },
    has: (key) => guarded(() => select.get(key)) !== undefined,
    set(key, completion, origin) {
      const { fromCache: _, ...stored } = completion;
      const { variant = null, backend = null, model = null } = origin ?? {};
      guarded(() => insert.run(key, JSON.stringify(stored), variant, backend, model, clock.now()));
    },
    stats: (selection) => guarded(() => statsOf(db, selection)),
    groups() {
      const rows = guarded(() =>
        db.prepare(
          `SELECT variant, backend, model, count(*) AS entries, sum(${BYTES}) AS bytes, sum(hits) AS hits,
           min(created) AS oldest, max(created) AS newest, max(last_used) AS last_used
           FROM responses GROUP BY variant, backend, model ORDER BY bytes DESC, variant`,
        ).all()
      );
      return rows.map((row) => {
        const { variant, backend, model, last_used, ...rest } = groupSchema.parse(row);
        const origin = variant === null || backend === null || model === null
          ? null
          : { variant, backend, model };
        return { origin, ...rest, lastUsed: last_used };
      });
    },
    clear(selection) {
      return guarded(() => {
        const removed = statsOf(db, selection);
        const { where, values } = conditions(selection);
        db.prepare(`DELETE FROM responses ${where}`).run(...values);
        compact(db);
        return removed;
      });
    },
    [Symbol.dispose]: () => db.close(),
  };
}

const BYTES = "length(CAST(completion AS BLOB))";

function conditions(
  { variant, before }: CacheSelection = {},
): { where: string; values: (string | number)[] } {
  const all: [string, string | number | undefined][] = [["variant = ?", variant], ["created < ?", before]];
  const given = all.filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  const where = given.length === 0 ? "" : `WHERE ${given.map(([condition]) => condition).join(" AND ")}`;
  return { where, values: given.map(([, value]) => value) };
}

function statsOf(db: DatabaseSync, selection?: CacheSelection): { entries: number; bytes: number } {
  const { where, values } = conditions(selection);
  const row = db.prepare(
    `SELECT count(*) AS entries, coalesce(sum(${BYTES}), 0) AS bytes FROM responses ${where}`,
  )
    .get(...values);
  return { entries: Number(row?.["entries"]), bytes: Number(row?.["bytes"]) };
}

/** Gives the disk back what was cleared. Files from before this was prepared for use the space again instead. */
function compact(db: DatabaseSync): void {
  // VACUUM would need a second database, which Deno opens only for programs that may do everything.
  db.prepare("PRAGMA incremental_vacuum").all(); // a row for each page it frees
  db.exec("PRAGMA wal_checkpoint(TRUNCATE);");
}

/** Columns that came after the first version, with what they hold for answers from before. */
const LATER_COLUMNS = {
  variant: "TEXT",
  backend: "TEXT",
  model: "TEXT",
  created: "INTEGER",
  last_used: "INTEGER",
  hits: "INTEGER NOT NULL DEFAULT 0",
};

function prepare(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec(
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000;" +
        "CREATE TABLE IF NOT EXISTS responses (key TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID;" +
        "SELECT key FROM responses LIMIT 1;",
    );
    const columns = new Set(db.prepare("PRAGMA table_info(responses)").all().map((column) => column["name"]));
    for (const [name, type] of Object.entries(LATER_COLUMNS)) {
      if (!columns.has(name)) addColumn(db, name, type);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Another process may be adding it at the same time. */
function addColumn(db: DatabaseSync, name: string, type: string): void {
  try {
    db.exec(`ALTER TABLE responses ADD COLUMN ${name} ${type}`);
  } catch (error) {
    if (!/duplicate column/i.test(messageOf(error))) throw error;
  }
}

function isDamage(error: unknown): boolean {
  return /not a database|malformed|corrupt/i.test(messageOf(error));
}

function damaged(path: string, cause: unknown): InputError {
  return new InputError(
    `The response cache ${path} is damaged inside: remove it (answers in results are not touched) or leave --cache out.`,
    { cause },
  );
}

function unopened(path: string, error: unknown): Error {
  if (isDamage(error)) return damaged(path, error);
  if (
    /readonly|read-only|unable to open|EACCES|EROFS|ENOENT|ENOTDIR|EEXIST|permission/i.test(messageOf(error))
  ) {
    return new InputError(
      `Cannot write the response cache ${path}: make its folder writable or choose another.`,
      {
        cause: error,
      },
    );
  }
  return unwritable(path, /full/i.test(messageOf(error)) ? new Error("ENOSPC", { cause: error }) : error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
