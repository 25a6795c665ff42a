/**
 * An attempts file that another process may be writing, read as it grows.
 * @module
 */
import type { Attempt } from "./experiment.ts";
import { addAttempt, emptyTotals, type TokenTotals } from "./token_totals.ts";

/** What is known of a row without reading its attempt again. */
export interface FollowedRow {
  /** Done when any try succeeded. */
  readonly status: "done" | "error";
  /** Tries so far. */
  readonly attempts: number;
  /** The beginning of the answer, or of the error. */
  readonly preview: string;
  /** When the try that counts began, in milliseconds since the epoch; NaN where it does not say. */
  readonly startedMs: number;
}

/** The last line that was read. */
export interface LastAttempt {
  /** Its row. */
  readonly id: string;
  /** The beginning of the answer, or of the error. */
  readonly preview: string;
  /** Milliseconds from sending to the answer. */
  readonly latencyMs: number | null;
  /** ISO time the try began. */
  readonly started: string;
}

/** Follows one file. */
export interface FollowedAttempts {
  /** Reads what has been added. @returns whether anything has. */
  poll(): Promise<boolean>;
  /** Rows that were tried, by id. */
  readonly rows: ReadonlyMap<string, FollowedRow>;
  /** Sums over all attempts. */
  readonly totals: Readonly<TokenTotals>;
  /** The last attempt, or null. */
  readonly last: LastAttempt | null;
  /** Rows that the file says it is to hold; null before its header was read. */
  readonly planned: number | null;
  /** Lines that are no record of this format. */
  readonly damaged: number;
  /** The attempt that counts for a row: the first that is done, else the last; null when there is none. */
  read(id: string): Promise<Attempt | null>;
}

interface Entry extends FollowedRow {
  status: "done" | "error";
  attempts: number;
  preview: string;
  startedMs: number;
  offset: number;
  length: number;
}

/** Characters of an answer that are kept in memory. */
const PREVIEW = 160;
const CHUNK = 1 << 20;

/**
 * Follows an attempts file without locking or changing it. A last line without its line break is left for later; a file
 * that has become shorter, or is another one, is read from its beginning.
 */
export function followAttempts(path: string): FollowedAttempts {
  const rows = new Map<string, Entry>();
  let totals = emptyTotals();
  let last: LastAttempt | null = null;
  let planned: number | null = null;
  let offset = 0, damaged = 0, inode: number | null = null;

  const forget = () => {
    rows.clear();
    totals = emptyTotals();
    last = null;
    planned = null;
    offset = damaged = 0;
  };
  const take = (bytes: Uint8Array, at: number) => {
    if (bytes.length === 0) return;
    let value: Attempt & { readonly format?: string; readonly rows?: number };
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      damaged++;
      return;
    }
    if (typeof value?.format === "string") {
      planned = Number(value.rows) || 0;
      return;
    }
    if (typeof value?.id !== "string" || (value.status !== "done" && value.status !== "error")) {
      damaged++;
      return;
    }
    addAttempt(totals, value);
    const preview = (value.error ? `${value.error.kind}: ${value.error.message}` : String(value.output))
      .slice(0, PREVIEW);
    last = { id: value.id, preview, latencyMs: value.latency_ms, started: value.started };
    const entry = rows.get(value.id);
    const place = {
      status: value.status,
      preview,
      startedMs: Date.parse(value.started),
      offset: at,
      length: bytes.length,
    };
    if (entry === undefined) rows.set(value.id, { attempts: 1, ...place });
    else {
      entry.attempts++;
      if (entry.status !== "done") Object.assign(entry, place);
    }
  };

  return {
    rows,
    get totals() {
      return totals;
    },
    get last() {
      return last;
    },
    get planned() {
      return planned;
    },
    get damaged() {
      return damaged;
    },
    async poll() {
      let file: Deno.FsFile;
      try {
        file = await Deno.open(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        const had = offset > 0;
        forget();
        return had;
      }
      using _ = file;
      const { size, ino } = await file.stat();
      if (size < offset || (inode !== null && ino !== inode)) forget();
      inode = ino;
      if (size === offset) return false;
      await file.seek(offset, Deno.SeekMode.Start);
      const before = offset;
      let rest = new Uint8Array(0);
      const chunk = new Uint8Array(CHUNK);
      for (let n = await file.read(chunk); n !== null; n = await file.read(chunk)) {
        const data = new Uint8Array(rest.length + n);
        data.set(rest);
        data.set(chunk.subarray(0, n), rest.length);
        let start = 0;
        for (let cut = data.indexOf(10); cut >= 0; cut = data.indexOf(10, start)) {
          take(data.subarray(start, cut), offset);
          offset += cut + 1 - start;
          start = cut + 1;
        }
        rest = data.slice(start);
      }
      return offset > before;
    },
    async read(id) {
      const entry = rows.get(id);
      if (entry === undefined) return null;
      using file = await Deno.open(path);
      await file.seek(entry.offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(entry.length);
      for (let filled = 0; filled < bytes.length;) {
        const n = await file.read(bytes.subarray(filled));
        if (n === null) return null; // it became shorter: the next poll begins anew
        filled += n;
      }
      try {
        const attempt = JSON.parse(new TextDecoder().decode(bytes)) as Attempt;
        return attempt.id === id ? attempt : null;
      } catch {
        return null;
      }
    },
  };
}
