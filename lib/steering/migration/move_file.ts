/**
 * Moves single files so that nothing is ever overwritten and a killed move can be finished.
 * @module
 */
import { dirname } from "node:path";
import { InputError, messageOf } from "../../base/errors.ts";
import { fileChunks, unwritable } from "../../base/files.ts";

/** How a copy is called while it is not whole. */
export const UNFINISHED = ".migrating";

/** What was found and done. */
export type Moved = "moved" | "there already" | "missing";

/** What the move of a file may replace, for tests. */
export interface MoveTools {
  /** Makes a second name of a file; fails where the file systems differ. */
  link(from: string, to: string): Promise<void>;
  /** Called between the steps of a move. */
  between?(step: "linked" | "copied"): void;
}

const tools: MoveTools = { link: (from, to) => Deno.link(from, to) };

/**
 * Moves a file, or finishes a move that was killed: the file has its new name before it loses the old one.
 *
 * @returns `there already` when it had been moved before, `missing` when it is at neither place.
 * @throws {InputError} when another file is at the new place, or a folder cannot be written.
 */
export async function moveFile(
  from: string,
  to: string,
  { link, between }: MoveTools = tools,
): Promise<Moved> {
  const [old, taken] = [await statOf(from), await statOf(to)];
  if (old === null) return taken === null ? "missing" : "there already";
  try {
    if (taken === null) {
      await Deno.mkdir(dirname(to), { recursive: true });
      try {
        await link(from, to);
        between?.("linked");
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) throw occupied(from, to);
        if (!cannotLink(error)) throw error;
        await copyWhole(from, to, old);
        between?.("copied");
      }
    } else if (
      !(taken.ino !== null && taken.ino === old.ino && taken.dev === old.dev) && !await equal(from, to)
    ) {
      throw occupied(from, to);
    }
    await Deno.remove(from);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unwritable(to, error, "--to");
  }
  return "moved";
}

function occupied(from: string, to: string): InputError {
  return new InputError(
    `${to} exists and is another file than ${from}: nothing is overwritten. Move one of them away and start again, or ` +
      "undo everything with --roll-back.",
  );
}

/** Whether a second name failed for a reason that a copy does not mind. */
function cannotLink(error: unknown): boolean {
  return /os error (1|18|31|38|95)\b|EXDEV|EPERM|EMLINK|ENOSYS|ENOTSUP|EOPNOTSUPP/.test(messageOf(error)) ||
    error instanceof Deno.errors.NotSupported;
}

async function copyWhole(from: string, to: string, { mode, mtime, atime }: Deno.FileInfo): Promise<void> {
  const part = to + UNFINISHED;
  await Deno.remove(part).catch(() => {});
  {
    using file = await Deno.open(part, { write: true, createNew: true });
    for await (const chunk of fileChunks(from)) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    await file.sync();
  }
  if (mode !== null && Deno.build.os !== "windows") await Deno.chmod(part, mode & 0o7777);
  if (mtime !== null) await Deno.utime(part, atime ?? mtime, mtime);
  if (!await equal(from, part)) throw new Error(`The copy of ${from} differs from it.`);
  if (await statOf(to) !== null) throw occupied(from, to);
  await Deno.rename(part, to);
}

async function equal(a: string, b: string): Promise<boolean> {
  const [first, second] = [await Deno.lstat(a), await Deno.lstat(b)];
  if (!first.isFile || !second.isFile || first.size !== second.size) return false;
  const other = fileChunks(b)[Symbol.asyncIterator]();
  let rest = new Uint8Array();
  for await (const chunk of fileChunks(a)) {
    for (let at = 0; at < chunk.length;) {
      if (rest.length === 0) rest = (await other.next()).value ?? rest;
      if (rest.length === 0) return false;
      const count = Math.min(rest.length, chunk.length - at);
      for (let i = 0; i < count; i++) if (chunk[at + i] !== rest[i]) return false;
      at += count;
      rest = rest.subarray(count);
    }
  }
  await other.return?.(undefined);
  return true;
}

async function statOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    // A file where a folder should be: the name is not free, and making the folder will say so.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
