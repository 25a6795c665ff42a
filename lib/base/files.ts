/**
 * Files that are either whole or not there.
 * @module
 */
import { dirname } from "node:path";
import { InputError, messageOf } from "./errors.ts";

/**
 * Writes a file through a temporary neighbour and a rename: a reader sees the old content or the new, never a part.
 * A large text is given in pieces, so that it never lies in memory whole.
 *
 * @throws {InputError} when the folder cannot be written or the disk is full.
 */
export async function writeAtomic(
  path: string,
  data: string | Uint8Array | Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const temporary = `${path}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    if (typeof data === "string") await Deno.writeTextFile(temporary, data);
    else if (data instanceof Uint8Array) await Deno.writeFile(temporary, data);
    else await Deno.writeTextFile(temporary, ReadableStream.from(data));
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw unwritable(path, error);
  }
}

/**
 * Turns a failed write into an error that says what to do; anything else is returned as it is.
 *
 * @param flag chooses where to write
 */
export function unwritable(path: string, error: unknown, flag = "--results"): Error {
  const text = messageOf(error);
  if (/os error (28|122)\b|ENOSPC|EDQUOT/i.test(text)) {
    return new InputError(
      `No space left on the disk while writing ${path}: free some space and start again.`,
      {
        cause: error,
      },
    );
  }
  if (
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ||
    /os error 30\b|EROFS|EACCES/i.test(text)
  ) {
    return new InputError(
      `Cannot write ${path}: make its folder writable or choose another with ${flag}.`,
      {
        cause: error,
      },
    );
  }
  if (
    error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists
  ) {
    return new InputError(
      `Cannot write ${path}: a file stands where a folder should be, or a folder where a file should. Move it away or ` +
        `choose another folder with ${flag}.`,
      { cause: error },
    );
  }
  return error instanceof Error ? error : new Error(text);
}

/** The file's text, or undefined when it does not exist. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The bytes of a file in pieces, so that it never lies in memory whole. Closes it when the reader stops. */
export async function* fileChunks(path: string, size = 2 ** 18): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(path);
  while (true) {
    const chunk = new Uint8Array(size);
    const count = await file.read(chunk);
    if (count === null) return;
    yield chunk.subarray(0, count);
  }
}
