/**
 * The truth of a run: an append-only file with one line for every try at a row.
 *
 * A line is written with a single write before anything else happens, so that a killed process loses at most the line
 * it was writing. In memory there is only an index; outputs are read back by their place in the file.
 * @module
 */
import { dirname } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { InputError } from "../base/errors.ts";
import { unwritable } from "../base/files.ts";
import { log as logLine } from "../base/log.ts";
import { ATTEMPTS_FORMAT, type AttemptsHeader, type RecordPlace, scanAttempts } from "./attempt_records.ts";
import type { Attempt } from "./experiment.ts";
import { addAttempt, emptyTotals, sumTotals, type TokenTotals } from "./token_totals.ts";

/** Whose attempts a file holds; see {@linkcode AttemptsHeader}. */
export type RunIdentity = Omit<AttemptsHeader, "format" | "created">;

/** What is known of a row without reading its output. */
export interface RowState {
  /** Done when any try succeeded. */
  readonly status: "done" | "error";
  /** Tries so far, over all runs. */
  readonly attempts: number;
}

/** An open attempts file. One process holds it at a time (see `lockRun`). */
export interface AttemptStore extends Disposable {
  /** The file. */
  readonly path: string;
  /** ISO time the file was begun. */
  readonly created: string;
  /** Bytes in the file: grows with every attempt, so that equal sizes mean equal content. */
  readonly size: number;
  /** Sums over all attempts in the file. */
  readonly totals: Readonly<TokenTotals>;
  /** Sums over all attempts at some rows; only of a store opened with `perRow`. */
  totalsOf(ids: Iterable<string>): TokenTotals;
  /** The row's state, or undefined when it was never tried. A row that was done once stays done. */
  state(id: string): RowState | undefined;
  /** The ids of all rows that were ever tried. */
  ids(): Iterable<string>;
  /**
   * Numbers the attempt, writes it and returns it.
   * @throws {InputError} when the disk is full or read-only; the file is then as it was before.
   */
  append(attempt: Omit<Attempt, "attempt">): Attempt;
  /** The attempt that counts for the row: the first that is done, else the last; null when there is none. */
  read(id: string): Attempt | null;
}

interface Entry {
  status: "done" | "error";
  attempts: number;
  offset: number;
  length: number;
}

/** Most milliseconds of finished rows that a power cut (not a killed process) can take. */
const SYNC_EVERY_MS = 1000;

/**
 * Opens or begins an attempts file. A torn last line is reported, cut off, and its row done again.
 *
 * @throws {InputError} when the file is damaged, belongs to another run, or cannot be written.
 */
export async function openAttempts(
  path: string,
  identity: RunIdentity,
  options: {
    readonly clock?: Clock;
    readonly log?: (line: string) => void;
    /** Whether to keep sums for each row; they take memory. */
    readonly perRow?: boolean;
  } = {},
): Promise<AttemptStore> {
  const { clock = systemClock, log = logLine, perRow = false } = options;
  const index = new Map<string, Entry>();
  const totals = emptyTotals();
  const rowTotals = new Map<string, TokenTotals>();
  let header: AttemptsHeader | undefined;
  let created: string | undefined;
  const note = (attempt: Attempt, offset: number, length: number) => {
    const entry = index.get(attempt.id);
    addAttempt(totals, attempt);
    if (perRow) {
      const own = rowTotals.get(attempt.id) ?? emptyTotals();
      addAttempt(own, attempt);
      rowTotals.set(attempt.id, own);
    }
    if (!entry) {
      index.set(attempt.id, { status: attempt.status, attempts: 1, offset, length });
      return;
    }
    entry.attempts++;
    if (entry.status === "done") return;
    Object.assign(entry, { status: attempt.status, offset, length });
  };
  const scan = await scanAttempts(path, {
    header(found, { line }) {
      refuseOther(path, line, found, identity);
      header = found;
      created ??= found.created;
    },
    attempt: (attempt: Attempt, place: RecordPlace) => note(attempt, place.offset, place.length),
  });

  const file = await openFile(path);
  let size = scan.end;
  let lastSync = clock.now();
  const write = (line: string) => {
    try {
      const bytes = new TextEncoder().encode(line);
      for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
      size += bytes.length;
      if (clock.now() - lastSync >= SYNC_EVERY_MS) {
        file.syncDataSync();
        lastSync = clock.now();
      }
    } catch (error) {
      try {
        file.truncateSync(size);
      } catch {
        // What was half written is a torn line, and is cut off at the next start.
      }
      throw unwritable(path, error);
    }
  };
  try {
    if (scan.torn !== null) {
      log(
        `${path}: the last line was cut off in the middle, probably because the process was killed. ` +
          `It is removed and its row is run again. It read: ${JSON.stringify(scan.torn.slice(0, 200))}`,
      );
      file.truncateSync(size);
    }
    if (scan.unterminated) write("\n");
    if (header?.plan !== identity.plan) {
      created ??= new Date(clock.now()).toISOString();
      const line = {
        format: ATTEMPTS_FORMAT,
        ...identity,
        created: new Date(clock.now()).toISOString(),
      } satisfies AttemptsHeader;
      write(JSON.stringify(line) + "\n");
    }
  } catch (error) {
    file.close();
    throw error;
  }

  const reader = windowReader(file);
  return {
    path,
    created: created ?? "",
    get size() {
      return size;
    },
    totals,
    totalsOf: (ids) => sumTotals([...ids].flatMap((id) => rowTotals.get(id) ?? [])),
    state: (id) => index.get(id),
    ids: () => index.keys(),
    append(attempt) {
      const numbered: Attempt = { ...attempt, attempt: (index.get(attempt.id)?.attempts ?? 0) + 1 };
      const offset = size;
      write(JSON.stringify(numbered) + "\n");
      note(numbered, offset, size - offset - 1);
      return numbered;
    },
    read(id) {
      const entry = index.get(id);
      if (!entry) return null;
      return JSON.parse(new TextDecoder().decode(reader(entry.offset, entry.length))) as Attempt;
    },
    [Symbol.dispose]() {
      try {
        file.syncDataSync();
      } finally {
        file.close();
      }
    },
  };
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(path, { read: true, append: true, create: true });
  } catch (error) {
    throw unwritable(path, error);
  }
}

function refuseOther(path: string, line: number, found: AttemptsHeader, wanted: RunIdentity): void {
  for (const key of ["experiment", "variant", "mode"] as const) {
    if (found[key] === wanted[key]) continue;
    throw new InputError(
      `${path}, line ${line} says that these attempts are of ${key} ${
        JSON.stringify(found[key])
      }, but this run is ` +
        `of ${key} ${
          JSON.stringify(wanted[key])
        }. Nothing was changed. Move the file away to begin anew, or start ` +
        `the run it belongs to.`,
    );
  }
}

/** Reads byte ranges through one window, so that rows in the file's order cost few reads. */
function windowReader(file: Deno.FsFile): (offset: number, length: number) => Uint8Array {
  const windowSize = 1 << 18;
  let start = 0;
  let buffer = new Uint8Array(windowSize);
  let held = buffer.subarray(0, 0);
  return (offset, length) => {
    if (offset < start || offset + length > start + held.length) {
      if (buffer.length < length) buffer = new Uint8Array(length);
      file.seekSync(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < length) {
        const n = file.readSync(buffer.subarray(filled));
        if (n === null) {
          throw new InputError("The attempts file became shorter while it was in use: start again.");
        }
        filled += n;
      }
      start = offset;
      held = buffer.subarray(0, filled);
    }
    return held.subarray(offset - start, offset - start + length);
  };
}
