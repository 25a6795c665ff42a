/**
 * The response cache: answers on disk, by everything that determines them.
 * @module
 */
import { mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { unwritable } from "../base/files.ts";
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import { log } from "../base/log.ts";
import type { Completion, ContinueRequest, GenerateRequest } from "./backend.ts";
import { variantPrints } from "./checkpoint_print.ts";
import type { Environment, Variant } from "./variants.ts";

/** Answers on disk. Only answers are kept, never errors. */
export interface ResponseCache extends Disposable {
  /** The answer stored under a key, or undefined. */
  get(key: string): Completion | undefined;
  /** Stores an answer; one under the same key is replaced. */
  set(key: string, completion: Completion): void;
  /** How many answers there are, and the characters of their JSON. */
  stats(): { readonly entries: number; readonly bytes: number };
  /** Removes every answer. */
  clear(): void;
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
  logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })).nullable(),
  recoveries: z.array(z.string()).optional(),
});

/**
 * What decides which model answers a variant's requests: backend kind, base URL, provider, model, revision, LoRA,
 * dtype, and the fields added to every request. A local folder counts with what its files hold, so that a checkpoint
 * that was trained again is another model.
 */
export function backendIdentity(variant: Variant, env: Environment = Deno.env): Json {
  const { backend } = variant;
  if (backend === "simulated") {
    const { description: _, limits: __, name: ___, ...rest } = variant;
    return JSON.parse(JSON.stringify(rest)) as Json;
  }
  const { model, revision = null, lora = null, dtype = null } = variant;
  const format = variant.format === undefined
    ? {}
    : { format: variant.format, harmony: variant.harmony ?? {} };
  if (backend === "local") {
    return {
      backend,
      model,
      revision,
      lora,
      dtype,
      device: variant.device,
      ...variantPrints(variant),
      ...format as Record<string, Json>,
    };
  }
  const { baseUrl, baseUrlEnv, provider = null, protocol, extraBody, headers } = variant;
  const url = ((baseUrlEnv && env.get(baseUrlEnv)) || baseUrl) ?? null;
  return {
    backend,
    url,
    provider,
    model,
    revision,
    lora,
    dtype,
    protocol,
    extraBody: extraBody as Json,
    headers,
    ...format as Record<string, Json>,
  };
}

/**
 * SHA-256 (hex) of the backend's identity and the whole request. The epoch tells samples of one request apart.
 *
 * @param identity what {@linkcode backendIdentity} gives.
 */
export function cacheKey(identity: Json, request: GenerateRequest | ContinueRequest, epoch = 0): string {
  return sha256(canonicalJson({ identity, request, epoch } as unknown as Json));
}

/**
 * Opens the cache file, made when missing. SQLite in WAL mode: a killed process leaves every finished write. A file
 * that is not a database is moved aside (`.damaged-<time>`), said so on stderr, and begun anew.
 *
 * @throws {InputError} when the file cannot be made, or is damaged inside.
 */
export function openCache(path: string): ResponseCache {
  let db: DatabaseSync;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = prepare(path);
  } catch (error) {
    if (!isDamage(error)) throw unopened(path, error);
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
  const insert = db.prepare("INSERT OR REPLACE INTO responses (key, completion) VALUES (?, ?)");
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
      return parsed.data;
    },
    set(key, completion) {
      const { fromCache: _, ...stored } = completion;
      guarded(() => insert.run(key, JSON.stringify(stored)));
    },
    stats() {
      const row = guarded(() =>
        db.prepare("SELECT count(*) AS entries, coalesce(sum(length(completion)), 0) AS bytes FROM responses")
          .get()
      );
      return { entries: Number(row?.["entries"]), bytes: Number(row?.["bytes"]) };
    },
    clear() {
      guarded(() => db.exec("DELETE FROM responses; VACUUM;"));
    },
    [Symbol.dispose]: () => db.close(),
  };
}

function prepare(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000;" +
        "CREATE TABLE IF NOT EXISTS responses (key TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID;" +
        "SELECT key FROM responses LIMIT 1;",
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
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
