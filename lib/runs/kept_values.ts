/**
 * Values that took long to compute, kept in a file so that a run that is resumed need not compute them again.
 * @module
 */
import { dirname } from "node:path";
import type { z } from "zod";
import { readTextIfExists, unwritable } from "../base/files.ts";

/** Values by key. */
export interface KeptValues<T> {
  /** The value of a key, or undefined when it is not kept. */
  get(key: string): T | undefined;
  /** Keeps a value. @throws {InputError} when the file cannot be written. */
  put(key: string, value: T): Promise<void>;
}

/**
 * Opens a file of values, or begins it with the first that is kept. Lines that cannot be read, or whose value is not of
 * the schema, are as good as missing: what is in the file can always be computed again.
 *
 * @param path null keeps nothing in a file, but in memory.
 * @param name of the value in a line: `metrics`.
 * @throws {InputError} when a folder stands where the file should be, or a file where its folder should.
 */
export async function keptValues<T>(
  path: string | null,
  name: string,
  schema: z.ZodType<T>,
): Promise<KeptValues<T>> {
  const known = new Map<string, T>();
  const text = path === null ? undefined : await readTextIfExists(path).catch((error) => {
    throw unwritable(path, error);
  });
  for (const line of (text ?? "").split("\n")) {
    const json = parseJson(line);
    if (typeof json !== "object" || json === null) continue;
    const { key, [name]: value } = json as Record<string, unknown>;
    const parsed = schema.safeParse(value);
    if (typeof key === "string" && parsed.success) known.set(key, parsed.data);
  }
  let began = false;
  return {
    get: (key) => known.get(key),
    async put(key, value) {
      known.set(key, value);
      if (path === null) return;
      const line = JSON.stringify({ key, [name]: value });
      try {
        if (!began) await Deno.mkdir(dirname(path), { recursive: true });
        // A line that a killed process began does not swallow this one.
        await Deno.writeTextFile(path, `${began ? "" : "\n"}${line}\n`, { append: true });
        began = true;
      } catch (error) {
        throw unwritable(path, error);
      }
    },
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
