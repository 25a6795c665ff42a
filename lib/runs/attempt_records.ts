/**
 * The lines of an attempts file, read without changing anything.
 * @module
 */
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import type { Attempt } from "./experiment.ts";

/** The first field of every header line: what the file is, and in which version of the format. */
export const ATTEMPTS_FORMAT = "probebook-attempts/1";

const count = z.number().int().nonnegative();

/**
 * Whose attempts a file holds. Written as the first line, and again whenever the plan has changed.
 */
export interface AttemptsHeader {
  /** {@linkcode ATTEMPTS_FORMAT}. */
  readonly format: typeof ATTEMPTS_FORMAT;
  /** The experiment. */
  readonly experiment: string;
  /** The variant that is measured. */
  readonly variant: string;
  /** For people: a row's id already says which model it was for, so that a changed model gives other rows. */
  readonly model: string | null;
  /** Test runs and full runs share no file. */
  readonly mode: "full" | "test";
  /** `planHash` of the whole plan (of all shards together). */
  readonly plan: string;
  /** Rows that this file is to hold. */
  readonly rows: number;
  /** `i/n`, or null when the file is of the whole run. */
  readonly shard: string | null;
  /** ISO time. */
  readonly created: string;
}

const headerSchema: z.ZodType<AttemptsHeader> = z.object({
  format: z.literal(ATTEMPTS_FORMAT),
  experiment: z.string(),
  variant: z.string(),
  model: z.string().nullable(),
  mode: z.enum(["full", "test"]),
  plan: z.string(),
  rows: count,
  shard: z.string().nullable(),
  created: z.string(),
});

const attemptSchema: z.ZodType<Attempt> = z.object({
  id: z.string().min(1),
  attempt: count,
  started: z.string(),
  status: z.enum(["done", "error"]),
  output: z.string(),
  reasoning: z.string().nullable(),
  recoveries: z.array(z.string()).optional(),
  logprobs: z.array(z.tuple([z.string(), z.number()])).optional(),
  top_logprobs: z.array(z.array(z.tuple([z.string(), z.number()]))).optional(),
  finish_reason: z.string().nullable(),
  token_count: z.number().nonnegative(),
  tokenizer: z.string(),
  prompt_tokens_reported: z.number().nullable(),
  completion_tokens: z.number().nullable(),
  cached_tokens: z.number().nullable(),
  reasoning_tokens: z.number().nullable(),
  latency_ms: z.number(),
  cost_usd: z.number().nullable(),
  request_id: z.string().nullable(),
  from_cache: z.boolean(),
  prompt_sha256: z.string(),
  error: z.object({ kind: z.string(), message: z.string() }).nullable(),
});

/** Where a record stands in its file: bytes, and the line counted from 1. */
export interface RecordPlace {
  /** First byte. */
  readonly offset: number;
  /** Bytes, without the line break. */
  readonly length: number;
  /** From 1. */
  readonly line: number;
}

/** Receives what {@linkcode scanAttempts} finds, in the file's order. */
export interface RecordVisitor {
  /** A header line. */
  header?(header: AttemptsHeader, place: RecordPlace): void;
  /** An attempt. */
  attempt?(attempt: Attempt, place: RecordPlace): void;
}

/** How a file ended. */
export interface ScanResult {
  /** Bytes of whole records; what follows is torn. 0 when there is no file. */
  readonly end: number;
  /** The text of a torn last line, or null. */
  readonly torn: string | null;
  /** Whether the last record is whole but its line break is missing. */
  readonly unterminated: boolean;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads every record of an attempts file and changes nothing. A last line that is no JSON is torn (the process or the
 * machine died while it was written): it is reported, not visited.
 *
 * @throws {InputError} when a line before the last is damaged, or a line is not a record of this format.
 */
export async function scanAttempts(path: string, visitor: RecordVisitor): Promise<ScanResult> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { end: 0, torn: null, unterminated: false };
    throw new InputError(
      `Cannot read ${path} (${
        messageOf(error)
      }): make it a readable file, or choose another folder with --results.`,
      { cause: error },
    );
  }
  using _ = file;
  let line = 0, offset = 0, headers = 0;
  let bad: { line: number; offset: number; text: string; cause: unknown } | null = null;

  const visit = (bytes: Uint8Array) => {
    line++;
    const place = { offset, length: bytes.length, line };
    if (bytes.length === 0) return;
    if (bad) throw damaged(path, bad.line, bad.cause);
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(bytes));
    } catch (cause) {
      bad = { line, offset, text: new TextDecoder().decode(bytes), cause };
      return;
    }
    if (typeof value === "object" && value !== null && "format" in value) {
      headers++;
      visitor.header?.(checked(headerSchema, value, path, line), place);
    } else {
      if (headers === 0) throw damaged(path, line, new Error("the file does not begin with a header line"));
      visitor.attempt?.(checked(attemptSchema, value, path, line), place);
    }
  };

  const chunk = new Uint8Array(1 << 20);
  let rest = new Uint8Array(0);
  for (let n = await file.read(chunk); n !== null; n = await file.read(chunk)) {
    const data = new Uint8Array(rest.length + n);
    data.set(rest);
    data.set(chunk.subarray(0, n), rest.length);
    let start = 0;
    for (let cut = data.indexOf(10); cut >= 0; cut = data.indexOf(10, start)) {
      visit(data.subarray(start, cut));
      offset += cut + 1 - start;
      start = cut + 1;
    }
    rest = data.slice(start);
  }
  if (rest.length > 0) {
    visit(rest);
    offset += rest.length;
  }
  const torn = bad as { offset: number; text: string } | null;
  return {
    end: torn?.offset ?? offset,
    torn: torn?.text ?? null,
    unterminated: rest.length > 0 && torn === null,
  };
}

function checked<T>(schema: z.ZodType<T>, value: unknown, path: string, line: number): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw damaged(path, line, parsed.error);
  return parsed.data;
}

function damaged(path: string, line: number, cause: unknown): InputError {
  const reason = cause instanceof z.ZodError
    ? cause.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")
    : messageOf(cause);
  return new InputError(
    `${path}, line ${line} is not a record of an attempts file (${reason}). Nothing was changed. Repair or delete ` +
      `that line (its row is then run again), or move the file away to begin anew.`,
    { cause },
  );
}
