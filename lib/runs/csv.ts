/**
 * The CSV files of a run, projected from its attempts.
 * @module
 */
import { dirname } from "node:path";
import { stringify } from "csv-stringify/sync";
import { unwritable } from "../base/files.ts";
import type { Attempt, Cell, GradedRow, Row } from "./experiment.ts";

/** The columns after a row's own parameters, in every experiment's results CSV. */
export const RESULT_COLUMNS = [
  "token_count",
  "output",
  "status",
  "finish_reason",
  "prompt_tokens_reported",
  "completion_tokens",
  "cached_tokens",
  "reasoning_tokens",
  "latency_ms",
  "cost_usd",
  "attempts",
] as const;

/** The columns that an evaluated CSV has after those of the results; then come the grade's own. */
export const EVALUATION_COLUMNS = ["validity", "correct", "judge", "judge_output"] as const;

/** What a test run's files say in their last columns. */
export interface TestMarks {
  /** ISO time the test run was begun. */
  readonly timestamp: string;
  /** Rows of the full plan that the test run samples. */
  readonly originalSize: number;
}

/** How a row came out, as the CSVs need it. */
export interface ResultRow {
  /** The planned row. */
  readonly row: Row;
  /** The attempt that counts, or null before the first. */
  readonly attempt: Attempt | null;
  /** Tries so far. */
  readonly attempts: number;
}

/** The status a row shows: `done`, `error`, `pending`, or `skipped: window`. */
export function rowStatus(row: Row, attempt: Pick<Attempt, "status"> | null | undefined): string {
  return row.skip !== null ? `skipped: ${row.skip}` : attempt?.status ?? "pending";
}

/**
 * Writes the results CSV: every row of the plan in its order, whole or not at all.
 *
 * @throws {InputError} when the folder cannot be written or the disk is full.
 */
export async function writeResultsCsv(
  path: string,
  rows: readonly Row[],
  result: (row: Row) => Omit<ResultRow, "row">,
  options: { readonly test?: TestMarks | null } = {},
): Promise<void> {
  const params = paramColumns(rows);
  const test = testCells(options.test);
  const header = ["id", ...params, ...RESULT_COLUMNS, ...Object.keys(test)];
  const last = Object.values(test);
  await writeCsv(path, header, rows.length, (i) => {
    const row = rows[i] as Row;
    return [...resultCells(params, { row, ...result(row) }), ...last];
  });
}

/**
 * Writes the evaluated CSV: the results' columns, then validity, correct, judge, judge_output and the grade's own.
 * Rows without a grade leave those cells empty.
 *
 * @throws {InputError} when the folder cannot be written or the disk is full.
 */
export async function writeEvaluatedCsv(
  path: string,
  rows: readonly GradedRow[],
  options: { readonly test?: TestMarks | null } = {},
): Promise<void> {
  const params = paramColumns(rows.map((graded) => graded.row));
  const extra = [...new Set(rows.flatMap(({ grade }) => Object.keys(grade?.extra ?? {})))];
  const test = testCells(options.test);
  const header = ["id", ...params, ...RESULT_COLUMNS, ...EVALUATION_COLUMNS, ...extra, ...Object.keys(test)];
  const last = Object.values(test);
  await writeCsv(path, header, rows.length, (i) => {
    const graded = rows[i] as GradedRow;
    const { grade } = graded;
    return [
      ...resultCells(params, graded),
      ...EVALUATION_COLUMNS.map((column) => grade?.[column] ?? null),
      ...extra.map((column) => grade?.extra?.[column] ?? null),
      ...last,
    ];
  });
}

/**
 * Writes any table as CSV, whole or not at all.
 *
 * @throws {InputError} when the folder cannot be written or the disk is full.
 */
export async function writeTable(
  path: string,
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  await writeCsv(path, header, rows.length, (i) => rows[i] as readonly Cell[]);
}

function paramColumns(rows: readonly Row[]): string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const column of Object.keys(row.params)) columns.add(column);
  return [...columns];
}

function testCells(test: TestMarks | null | undefined): Record<string, Cell> {
  if (!test) return {};
  return { _test_mode: true, _test_timestamp: test.timestamp, _original_dataset_size: test.originalSize };
}

function resultCells(params: readonly string[], { row, attempt, attempts }: ResultRow): Cell[] {
  return [
    row.id,
    ...params.map((column) => row.params[column] ?? null),
    attempt?.token_count ?? row.tokens,
    attempt?.output ?? null,
    rowStatus(row, attempt),
    attempt?.finish_reason ?? null,
    attempt?.prompt_tokens_reported ?? null,
    attempt?.completion_tokens ?? null,
    attempt?.cached_tokens ?? null,
    attempt?.reasoning_tokens ?? null,
    attempt?.latency_ms ?? null,
    attempt?.cost_usd ?? null,
    attempts,
  ];
}

const CSV_OPTIONS = {
  cast: { boolean: (value: boolean) => (value ? "true" : "false") },
  quoted_match: /\r/,
};

/** Rows turned into text at a time, so that a large file needs little memory and other work goes on meanwhile. */
const BATCH = 256;

async function writeCsv(
  path: string,
  header: readonly string[],
  count: number,
  cells: (index: number) => readonly Cell[],
): Promise<void> {
  const temporary = `${path}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      const write = async (lines: readonly (readonly Cell[])[]) => {
        const bytes = new TextEncoder().encode(stringify(lines as Cell[][], CSV_OPTIONS));
        for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      };
      await write([header]);
      for (let from = 0; from < count; from += BATCH) {
        await write(Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => cells(from + i)));
      }
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw unwritable(path, error);
  }
}
