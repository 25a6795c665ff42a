/**
 * What was downloaded into the data folder, so that a later download is known to be the same.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "./errors.ts";
import { readTextIfExists, writeAtomic } from "./files.ts";

/** A file as it was when it was first downloaded. */
export interface LockedFile {
  /** Bytes. */
  readonly size: number;
  /** Of its contents, in hex. */
  readonly sha256: string;
  /** Where it came from. */
  readonly from: string;
  /** ISO time of the first download. */
  readonly recorded: string;
}

const lockSchema: z.ZodType<{ readonly files: Readonly<Record<string, LockedFile>> }> = z.strictObject({
  files: z.record(
    z.string(),
    z.strictObject({
      size: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      from: z.string(),
      recorded: z.string(),
    }),
  ),
});

/** Where a folder's record is. */
export function lockPath(folder: string): string {
  return join(folder, "downloads.lock.json");
}

/**
 * The record of a folder, by file name; empty when there is none.
 *
 * @throws {InputError} when the file is damaged.
 */
export async function readDataLock(folder: string): Promise<Readonly<Record<string, LockedFile>>> {
  const path = lockPath(folder);
  const text = await readTextIfExists(path);
  if (text === undefined) return {};
  try {
    return lockSchema.parse(JSON.parse(text)).files;
  } catch (cause) {
    throw new InputError(`${path} is damaged: mend it, or remove it to record what is downloaded anew.`, {
      cause,
    });
  }
}

/** Adds files to a folder's record; others stay as they are. */
export async function recordInDataLock(
  folder: string,
  added: Readonly<Record<string, LockedFile>>,
): Promise<void> {
  const files = Object.fromEntries(
    Object.entries({ ...await readDataLock(folder), ...added }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  await writeAtomic(lockPath(folder), JSON.stringify({ files }, null, 2) + "\n");
}
