/**
 * Downloads a file: resumed where an earlier try ended, checked before it counts.
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Clock } from "./clock.ts";
import { InputError, messageOf } from "./errors.ts";
import { fileChunks, readTextIfExists, unwritable, writeAtomic } from "./files.ts";

/** Tries of one file after the first, counted anew whenever bytes have come. */
const RETRIES = 5;
const FIRST_WAIT_MS = 500;

/** What a file's content must hash to. */
export interface Digest {
  /** `sha256` of the content, or the `git` object id (SHA-1 of a header and the content). */
  readonly kind: "sha256" | "git";
  /** In hex. */
  readonly hex: string;
}

/** What is to be fetched, and what it must turn out to be. */
export interface RemoteFile {
  /** Where it is. */
  readonly url: string;
  /** Its name, for messages. */
  readonly name: string;
  /** Bytes; left out where only the server can say. */
  readonly size?: number;
  /** Its digest; left out where nobody knows it yet. */
  readonly digest?: Digest;
}

/** How it is fetched. */
export interface DownloadOptions {
  /** Sent to the server, and to none that it redirects to. */
  readonly token?: string | undefined;
  /** Waits between tries. */
  readonly clock: Clock;
  /** Stops; what has come stays on the disk for the next try. */
  readonly signal: AbortSignal | undefined;
  /** What the server is called in messages: `the hub`. */
  readonly server: string;
  /** What to do without a connection, as a sentence. */
  readonly advice: string;
  /** What to do when the content has another digest, as a sentence. */
  readonly changed?: string;
  /** Ending of the file that holds what has come so far: `.incomplete`. */
  readonly partial: string;
  /** The error of a status with which the server refuses for good. */
  readonly refuse: (status: number, name: string) => Error;
  /** The flag that chooses where the file is put, for messages. */
  readonly flag?: string;
  /** Told of what has come so far. */
  readonly onProgress?: (bytes: number, size: number | null) => void;
}

/** A failed request that may succeed later. */
class Transient extends Error {}

/**
 * Fetches a file to `path` through a partial file beside it, which a later call goes on from. Only one process at a
 * time writes; the others wait and find the file. A file whose digest is not known is resumed only while the server
 * says that it is still the same (ETag or Last-Modified).
 *
 * @throws {InputError} when the server refuses, keeps failing, or serves something else than was announced.
 */
export async function downloadFile(file: RemoteFile, path: string, options: DownloadOptions): Promise<void> {
  const partial = path + options.partial;
  const tag = `${partial}.tag`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    using out = await Deno.open(partial, { create: true, read: true, write: true });
    await out.lock(true);
    if (file.size !== undefined && await sizeOf(path) === file.size) { // another process was faster
      await Deno.remove(partial).catch(() => {});
      return;
    }
    await new Download(file, out, { partial, tag }, options).fill();
    await out.sync();
    await Deno.rename(partial, path);
    await Deno.remove(tag).catch(() => {});
  } catch (error) {
    if (error instanceof InputError || options.signal?.aborted) throw error;
    throw unwritable(path, error, options.flag);
  }
}

/** The digest of a file's content. */
export async function digestOf(path: string, kind: Digest["kind"]): Promise<Digest> {
  const hash = createHash(kind === "sha256" ? "sha256" : "sha1");
  if (kind === "git") hash.update(`blob ${(await Deno.stat(path)).size}\0`);
  for await (const chunk of fileChunks(path)) hash.update(chunk);
  return { kind, hex: hash.digest("hex") };
}

/** One file on its way. */
class Download {
  /** Bytes of the whole file, once they are known. */
  #size: number | undefined;
  #whole = false;

  constructor(
    private readonly file: RemoteFile,
    private readonly out: Deno.FsFile,
    private readonly paths: { readonly partial: string; readonly tag: string },
    private readonly options: DownloadOptions,
  ) {
    this.#size = file.size;
  }

  /** Brings the partial file to the announced content. */
  async fill(): Promise<void> {
    const { file, out, options } = this;
    let failures = 0;
    let refetched = false;
    while (true) {
      options.signal?.throwIfAborted();
      let { size } = await out.stat();
      if (this.#size !== undefined && size > this.#size) await this.#restart(), size = 0;
      if (this.#whole || (size === file.size)) {
        const digest = file.digest && await digestOf(this.paths.partial, file.digest.kind);
        if (digest?.hex === file.digest?.hex) return;
        await this.#restart();
        if (refetched) {
          throw new InputError(
            `${file.name} arrived twice with the digest ${digest?.hex} instead of ${file.digest?.hex}: ` +
              `the file or the connection is damaged. Nothing of it was kept; ${
                options.changed ?? "try again later."
              }`,
          );
        }
        refetched = true;
        size = 0;
      }
      try {
        await this.#append(size);
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
              `what has come is kept. ${options.advice}`,
            { cause: error },
          );
        }
        await options.clock.sleep(FIRST_WAIT_MS * 2 ** (failures - 1), options.signal);
      }
    }
  }

  /** Appends what follows the first `from` bytes. */
  async #append(from: number): Promise<void> {
    const { file, out, options } = this;
    if (this.#size === 0) return void (this.#whole = true);
    const response = await this.#request(from);
    if (response.status === 416 && from > 0) { // what is there may be all there is
      await response.body?.cancel();
      const total = Number(/\*\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1] ?? NaN);
      if (total === from) return void (this.#whole = true);
      await this.#restart();
      throw new Transient(`${options.server} has no bytes after ${from}`);
    }
    if (!response.ok) throw await this.#refusal(response);
    // A server that knows no ranges, or has another file now, sends the whole file again.
    let at = response.status === 206 ? from : 0;
    this.#announce(response, at);
    await this.#keepTag(response);
    if ((await out.stat()).size !== at) await out.truncate(at);
    await out.seek(at, Deno.SeekMode.Start);
    const reader = response.body?.getReader();
    try {
      while (reader !== undefined) {
        const { value, done } = await reader.read().catch((cause) => {
          throw new Transient("the connection broke", { cause });
        });
        if (done) break;
        at += value.length;
        if (this.#size !== undefined && at > this.#size) {
          await this.#restart();
          throw new InputError(
            `${file.name} is longer than the ${this.#size} bytes that were announced: it was not kept.`,
          );
        }
        for (let done = 0; done < value.length;) done += await out.write(value.subarray(done));
        options.onProgress?.(at, this.#size ?? null);
      }
    } finally {
      await reader?.cancel().catch(() => {});
    }
    if (at < (this.#size ?? 0)) throw new Transient(`the answer ended after ${at} of ${this.#size} bytes`);
    this.#whole = true;
  }

  async #restart(): Promise<void> {
    this.#whole = false;
    this.#size = this.file.size;
    await this.out.truncate(0);
  }

  /** Learns the size from the answer, where it was not known. */
  #announce(response: Response, at: number): void {
    if (this.file.size !== undefined) return;
    const { headers } = response;
    const total = /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1];
    const rest = headers.get("content-encoding") === null ? headers.get("content-length") : null;
    if (response.status === 206 && total !== undefined) this.#size = Number(total);
    else this.#size = rest === null ? undefined : at + Number(rest);
  }

  /** Remembers what tells that the server's file is still the same. */
  async #keepTag({ headers }: Response): Promise<void> {
    if (this.file.digest !== undefined) return;
    const etag = headers.get("etag");
    const tag = etag !== null && !etag.startsWith("W/") ? etag : headers.get("last-modified");
    if (tag === null) await Deno.remove(this.paths.tag).catch(() => {});
    else await writeAtomic(this.paths.tag, tag);
  }

  /** Requests what follows the first `from` bytes; a failure to connect may be tried again. */
  async #request(from: number): Promise<Response> {
    const { token, signal } = this.options;
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    if (from > 0) {
      const tag = this.file.digest === undefined ? await readTextIfExists(this.paths.tag) : null;
      // Without a digest and a tag nothing tells whether the parts belong together.
      if (tag !== undefined) headers["range"] = `bytes=${from}-`;
      if (tag) headers["if-range"] = tag;
    }
    try {
      return await fetch(this.file.url, { headers, ...(signal ? { signal } : {}) });
    } catch (cause) {
      throw new Transient("no connection", { cause });
    }
  }

  /** What a refused request means for the person who asked. */
  async #refusal(response: Response): Promise<Error> {
    await response.body?.cancel();
    const { status } = response;
    if (status === 408 || status === 429 || status >= 500) {
      return new Transient(`${this.options.server} answers ${status}`);
    }
    return this.options.refuse(status, this.file.name);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return undefined;
  }
}
