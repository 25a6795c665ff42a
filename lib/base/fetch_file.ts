/**
 * One file of the data folder: checked when it is there, downloaded when it is not.
 * @module
 */
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { type Digest, digestOf, downloadFile } from "./download.ts";
import { InputError } from "./errors.ts";
import { lockPath, readDataLock, recordInDataLock } from "./data_lock.ts";

/** Where files are put, and what a test replaces. */
export interface FetchOptions {
  /** The data folder. */
  readonly folder: string;
  /** A web folder that has the files by their names, instead of where they are published; null for the publisher. */
  readonly from?: string | null;
  /** Stops; what has come is kept for the next time. */
  readonly signal?: AbortSignal;
  /** Receives lines for people. */
  readonly log: (line: string) => void;
  /** Waits between tries. */
  readonly clock: Clock;
  /** Reads HF_ENDPOINT and HF_TOKEN. */
  readonly env: (name: string) => string | undefined;
}

/** A file that is wanted. */
export interface WantedFile {
  /** Its name in the folder; may hold slashes. */
  readonly name: string;
  /** Where it is. */
  readonly url: string;
  /** The publisher's size and digest, where they are known. */
  readonly known?: { readonly size: number; readonly digest: Digest };
  /** Sent to the server. */
  readonly token?: string | undefined;
  /** What to do without a connection, as a sentence. */
  readonly advice: string;
}

/** The remedy of a file that is there and is not what it should be. */
const MOVE = "Move it away to download it anew.";

/**
 * Whether a file is there and whole: by the record of its download, or by the publisher's digest. A file that nobody
 * has a digest of is somebody's own, and is kept.
 *
 * @throws {InputError} when it is another file than it should be.
 */
export async function isThere(
  name: string,
  { folder, log }: Pick<FetchOptions, "folder" | "log">,
  known?: WantedFile["known"],
): Promise<boolean> {
  const path = join(folder, name);
  const size = await Deno.stat(path).then((stat) => stat.size, () => null);
  if (size === null) return false;
  const locked = (await readDataLock(folder))[name];
  const wanted = known ??
    (locked && { size: locked.size, digest: { kind: "sha256", hex: locked.sha256 } as const });
  if (wanted === undefined) {
    log(`${path} is there and not from here: kept as it is, with nothing to check it against`);
    return true;
  }
  const found = size === wanted.size ? (await digestOf(path, wanted.digest.kind)).hex : `of ${size} bytes`;
  if (found === wanted.digest.hex) {
    log(`${path} is there and whole`);
    return true;
  }
  throw new InputError(
    `${path} is not the file that ${
      known ? "is published" : `was downloaded on ${locked?.recorded}`
    }: it is ${found}, ` +
      `and ${wanted.digest.hex} of ${wanted.size} bytes was expected. ${MOVE}`,
  );
}

/**
 * Downloads a file into the folder, and records it. What was recorded before must come again.
 *
 * @throws {InputError} when it cannot be had, or is another file than was recorded or announced.
 */
export async function fetchFile(file: WantedFile, options: FetchOptions): Promise<void> {
  const { folder, log, clock, signal } = options;
  const { name, url, known, token, advice } = file;
  const locked = (await readDataLock(folder))[name];
  const recorded = locked && { size: locked.size, digest: { kind: "sha256", hex: locked.sha256 } as const };
  if (locked && known?.digest.kind === "sha256" && known.digest.hex !== locked.sha256) {
    throw new InputError(
      `${name} has changed where it is published since it was recorded on ${locked.recorded}: ${known.digest.hex} ` +
        `instead of ${locked.sha256}. To take the new one, remove its entry from ${lockPath(folder)}.`,
    );
  }
  const path = join(folder, name);
  const wanted = recorded ?? known;
  log(`downloading ${name}${wanted ? ` (${megabytes(wanted.size)})` : ""} from ${new URL(url).host}`);
  await downloadFile({ url, name, ...wanted }, path, {
    token,
    clock,
    signal,
    server: "the server",
    advice,
    partial: ".part",
    flag: "--to",
    refuse: (status, what) => new InputError(refusal(status, what, url)),
    changed: recorded
      ? `if the publisher has replaced it, remove its entry from ${lockPath(folder)}.`
      : "try again later.",
    onProgress: progress(name, log, clock),
  });
  const { size } = await Deno.stat(path);
  const { hex: sha256 } = await digestOf(path, "sha256");
  if (locked === undefined) {
    await recordInDataLock(folder, { [name]: { size, sha256, from: url, recorded: now(clock) } });
  }
  log(
    `${path}: ${megabytes(size)}, SHA-256 ${sha256}, ` +
      (known ? "as published" : recorded ? "as recorded" : "recorded now, since nobody publishes it"),
  );
}

/** ISO time. */
export function now(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

function refusal(status: number, name: string, url: string): string {
  const hint = status === 404
    ? "it is not there: check the address (--from)"
    : status === 401 || status === 403
    ? "it must not be read without leave: accept its terms on its page and put a token into HF_TOKEN, or give another " +
      "address (--from)"
    : "try again later, or give another address (--from)";
  return `${new URL(url).origin} refuses ${name} (${status}): ${hint}.`;
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${bytes.toLocaleString("en-US")} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A line every five seconds. */
function progress(name: string, log: (line: string) => void, clock: Clock) {
  let last = clock.now();
  return (bytes: number, size: number | null) => {
    if (clock.now() - last < 5000) return;
    last = clock.now();
    log(`  ${name}: ${megabytes(bytes)}${size === null ? "" : ` of ${megabytes(size)}`}`);
  };
}
