/**
 * Downloads one file of a hub repository: resumed where an earlier try ended, checked before it counts.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { unwritable } from "../base/files.ts";

/** Tries of one file after the first, counted anew whenever bytes have come. */
const RETRIES = 5;
const FIRST_WAIT_MS = 500;

/** What is to be fetched, and what it must turn out to be. */
export interface RemoteFile {
  /** Where it is. */
  readonly url: string;
  /** Its name, for messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hex digest: `sha256` of the content, or the `git` object id (SHA-1 of a header and the content). */
  readonly digest: { readonly kind: "sha256" | "git"; readonly hex: string };
}

/** How it is fetched. */
export interface DownloadOptions {
  /** Sent to the hub, and to no server that the hub redirects to. */
  readonly token: string | undefined;
  /** Waits between tries. */
  readonly clock: Clock;
  /** Stops; what has come stays on the disk for the next try. */
  readonly signal: AbortSignal | undefined;
}

/** A failed request that may succeed later. */
class Transient extends Error {}

/**
 * Fetches a file to `path` through `path.incomplete`, which a later call goes on from. Only one process at a time
 * writes; the others wait and find the file.
 *
 * @throws {InputError} when the server refuses, keeps failing, or serves something else than it announced.
 */
export async function downloadFile(file: RemoteFile, path: string, options: DownloadOptions): Promise<void> {
  const partial = `${path}.incomplete`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    using out = await Deno.open(partial, { create: true, read: true, write: true });
    await out.lock(true);
    if (await sizeOf(path) === file.size) { // another process was faster
      await Deno.remove(partial).catch(() => {});
      return;
    }
    await fill(file, out, partial, options);
    await out.sync();
    await Deno.rename(partial, path);
  } catch (error) {
    if (error instanceof InputError || options.signal?.aborted) throw error;
    throw unwritable(path, error);
  }
}

/** Brings the open file to the announced content. */
async function fill(
  file: RemoteFile,
  out: Deno.FsFile,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  let failures = 0;
  let refetched = false;
  while (true) {
    options.signal?.throwIfAborted();
    let { size } = await out.stat();
    if (size > file.size) await out.truncate(size = 0);
    if (size === file.size) {
      const hex = await digestOf(file, path);
      if (hex === file.digest.hex) return;
      await out.truncate(0);
      if (refetched) {
        throw new InputError(
          `${file.name} arrived twice with the digest ${hex} instead of ${file.digest.hex}: ` +
            "the file or the connection is damaged. Nothing of it was kept; try again later.",
        );
      }
      refetched = true;
      size = 0;
    }
    try {
      await append(file, out, size, options);
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (!(error instanceof Transient)) throw error;
      const grown = (await out.stat()).size > size;
      failures = grown ? 1 : failures + 1;
      if (failures > RETRIES) {
        throw new InputError(
          `Cannot download ${file.name}: ${
            messageOf(error)
          }, ${failures} times in a row. Start again later: ` +
            "what has come is kept. With `offline: true` only what is on this disk is used.",
          { cause: error },
        );
      }
      await options.clock.sleep(FIRST_WAIT_MS * 2 ** (failures - 1), options.signal);
    }
  }
}

/** Appends what follows the first `from` bytes. */
async function append(
  file: RemoteFile,
  out: Deno.FsFile,
  from: number,
  { token, signal }: DownloadOptions,
): Promise<void> {
  if (file.size === 0) return;
  const response = await request(file.url, {
    token,
    signal,
    headers: from === 0 ? {} : { range: `bytes=${from}-` },
  });
  if (!response.ok) throw await refusal(response, file.name);
  // A server that knows no ranges sends the whole file again.
  let at = response.status === 206 ? from : 0;
  await out.truncate(at);
  await out.seek(at, Deno.SeekMode.Start);
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined) {
      const { value, done } = await reader.read().catch((cause) => {
        throw new Transient("the connection broke", { cause });
      });
      if (done) break;
      at += value.length;
      if (at > file.size) {
        await out.truncate(0);
        throw new InputError(
          `${file.name} is longer than the ${file.size} bytes that the hub announced: it was not kept.`,
        );
      }
      for (let done = 0; done < value.length;) done += await out.write(value.subarray(done));
    }
  } finally {
    await reader?.cancel().catch(() => {});
  }
  if (at < file.size) throw new Transient(`the answer ended after ${at} of ${file.size} bytes`);
}

/** Requests a file of the hub; a failure to connect may be tried again. */
async function request(
  url: string,
  options: { token: string | undefined; signal: AbortSignal | undefined; headers: Record<string, string> },
): Promise<Response> {
  const { token, signal, headers } = options;
  try {
    return await fetch(url, {
      headers: {
        ...headers,
        "accept-encoding": "identity",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(signal ? { signal } : {}),
    });
  } catch (cause) {
    throw new Transient("no connection", { cause });
  }
}

/** What a refused request means for the person who asked. */
async function refusal(response: Response, name: string): Promise<Error> {
  await response.body?.cancel();
  const { status } = response;
  if (status === 408 || status === 429 || status >= 500) return new Transient(`the hub answers ${status}`);
  return hubRefusal(status, name);
}

/** The error for a status with which the hub refuses for good. */
export function hubRefusal(status: number, what: string, cause?: unknown): InputError {
  if (status === 401 || status === 403) {
    return new InputError(
      `The hub refuses ${what} (${status}): it does not exist, or is private or gated. Check the name; otherwise ` +
        "accept its terms on its page and put a token that may read it into HF_TOKEN.",
      { cause },
    );
  }
  if (status === 404) {
    return new InputError(`The hub has no ${what} (404): check the name and the revision.`, { cause });
  }
  return new InputError(`The hub refuses ${what} (${status}).`, { cause });
}

async function digestOf({ digest, size }: RemoteFile, path: string): Promise<string> {
  const hash = createHash(digest.kind === "sha256" ? "sha256" : "sha1");
  if (digest.kind === "git") hash.update(`blob ${size}\0`);
  using file = await Deno.open(path);
  const buffer = new Uint8Array(2 ** 20);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return undefined;
  }
}
