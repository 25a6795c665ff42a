/**
 * One process at a time for a run.
 * @module
 */
import { hostname } from "node:os";
import { dirname } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, unwritable } from "../base/files.ts";

const holderSchema = z.object({ pid: z.number(), host: z.string(), since: z.string() });

/**
 * Takes the exclusive lock of a run, or says who has it.
 *
 * The lock is the operating system's (`flock`), so it dies with its process however that ends, holds between
 * containers that share a folder of one machine although their process ids mean nothing to each other, and between
 * machines where the network file system passes locks on (NFS does). The file's text only says who holds it.
 *
 * @throws {InputError} when another process has the lock, naming it, or when the folder cannot be written.
 */
export async function lockRun(path: string): Promise<Disposable> {
  for (;;) {
    const file = await open(path);
    let locked = false;
    try {
      locked = await file.tryLock(true);
    } catch (error) {
      file.close();
      throw new InputError(
        `Cannot lock ${path}: its file system has no locks. Choose another folder with --results.`,
        {
          cause: error,
        },
      );
    }
    if (!locked) {
      file.close();
      throw await heldElsewhere(path);
    }
    // Its last holder may have removed the file between our opening and locking it: then the lock is on nothing.
    if (!await isAt(file, path)) {
      file.close();
      continue;
    }
    try {
      const holder = { pid: Deno.pid, host: hostname(), since: new Date().toISOString() };
      await file.truncate(0);
      await file.write(new TextEncoder().encode(JSON.stringify(holder) + "\n"));
    } catch (error) {
      file.close();
      throw unwritable(path, error);
    }
    return {
      [Symbol.dispose]() {
        try {
          Deno.removeSync(path);
        } catch {
          // Someone removed the file by hand; closing it ends the lock all the same.
        }
        file.close();
      },
    };
  }
}

async function open(path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [held, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return held.ino === there.ino && held.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function heldElsewhere(path: string): Promise<InputError> {
  let who = "another process";
  try {
    const { pid, host, since } = holderSchema.parse(JSON.parse(await readTextIfExists(path) ?? ""));
    who = `process ${pid} on ${host} (since ${since})`;
  } catch {
    // The holder has not written its name yet.
  }
  return new InputError(
    `This run is already going on in ${who}, which holds ${path}. Wait for it, or stop it (Ctrl+C there), then start ` +
      `again. To share a run among machines use --shard i/n.`,
  );
}
