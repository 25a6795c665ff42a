/**
 * Who is at a run, seen from outside.
 * @module
 */
import { hostname } from "node:os";
import { z } from "zod";
import { readTextIfExists } from "../base/files.ts";

/** The process that holds a run's lock. */
export interface LockHolder {
  /** Its id on its machine. */
  readonly pid: number;
  /** Its machine. */
  readonly host: string;
  /** When it took the lock, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

const holderSchema = z.object({ pid: z.int(), host: z.string(), since: z.string() });

/** A lock of another machine is taken for a living one as long as its run wrote something within this time. */
const FRESH_MS = 10 * 60_000;

/**
 * The living process that holds a lock, or null. The lock itself is left alone: a process that was killed leaves its
 * file behind, so its holder is looked up by its id, and on other machines by how lately `attempts` was written.
 */
export async function lockHolder(lock: string, attempts: string): Promise<LockHolder | null> {
  const text = await readTextIfExists(lock).catch(() => undefined);
  if (text === undefined) return null;
  let holder: z.output<typeof holderSchema>;
  try {
    holder = holderSchema.parse(JSON.parse(text));
  } catch {
    return null; // not written yet
  }
  const sinceMs = Date.parse(holder.since);
  const { pid, host } = holder;
  const alive = host === hostname() && Deno.build.os === "linux"
    ? await Deno.stat(`/proc/${pid}`).then(() => true, () => false)
    : Date.now() - Math.max(sinceMs, await modified(attempts)) < FRESH_MS;
  return alive ? { pid, host, sinceMs } : null;
}

async function modified(path: string): Promise<number> {
  return (await Deno.stat(path).catch(() => null))?.mtime?.getTime() ?? 0;
}
