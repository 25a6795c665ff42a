/**
 * The rows of a run as its files hold them, for reading.
 * @module
 */
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { readTextIfExists } from "../base/files.ts";
import { RESULT_COLUMNS, rowStatus } from "../runs/csv.ts";
import type { Attempt, Cell } from "../runs/experiment.ts";
import type { FoundRun } from "../runs/find_runs.ts";
import { followAttempts, type FollowedAttempts } from "../runs/follow_attempts.ts";

/** What is known of a row at a glance. */
export interface IndexRow {
  /** Its id. */
  readonly id: string;
  /** The part of the layout it belongs to, or null. */
  readonly part: string | null;
  /** Its own columns. */
  readonly params: Readonly<Record<string, Cell>>;
  /** Prompt tokens as planned; null of imported rows that do not say. */
  readonly tokens: number | null;
  /** `done`, `error`, `pending`, `skipped: window`. */
  readonly status: string;
  /** Tries so far. */
  readonly attempts: number;
  /** The beginning of its output or error. */
  readonly preview: string;
  /** What grading said; null before. */
  readonly grade: RowGrade | null;
}

/** A row's columns of the evaluated CSV. */
export interface RowGrade {
  /** The row's class. */
  readonly validity: string;
  /** `true`, `false`, or empty when it cannot be said. */
  readonly correct: string;
  /** Who said so. */
  readonly judge: string;
  /** What the judge replied. */
  readonly judgeOutput: string;
  /** The grade's own columns. */
  readonly extra: Readonly<Record<string, string>>;
}

/** A run that is open for reading. */
export interface RunRows {
  /** The run. */
  readonly run: FoundRun;
  /** Its rows in plan order, as the files stood when they were last read. */
  rows(): readonly IndexRow[];
  /** Reads what has changed. @returns whether anything has. */
  refresh(): Promise<boolean>;
  /** The attempt that counts, or null. */
  attempt(id: string): Promise<Attempt | null>;
  /** Its attempts as they grow. */
  readonly followed: FollowedAttempts;
}

const planSchema = z.object({
  rows: z.array(z.object({
    id: z.string(),
    part: z.string().optional(),
    params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    tokens: z.number(),
    skip: z.string().nullable(),
  })),
});

interface PlannedRow {
  readonly id: string;
  readonly part: string | null;
  readonly params: Readonly<Record<string, Cell>>;
  readonly tokens: number | null;
  readonly skip: string | null;
  readonly status?: string;
  readonly output?: string;
}

/** Opens a run for reading; nothing is locked or changed, and the run may be going on. */
export async function openRunRows(run: FoundRun): Promise<RunRows> {
  const followed = followAttempts(run.files.attempts);
  let planned: readonly PlannedRow[] = [];
  let grades: ReadonlyMap<string, RowGrade> = new Map();
  let stamps = "";
  let rows: readonly IndexRow[] = [];
  const refresh = async () => {
    const grown = await followed.poll();
    const now = await stampOf([run.files.plan, ...run.files.evaluated]);
    if (now !== stamps) {
      stamps = now;
      const evaluated = await readEvaluated(run.files.evaluated);
      grades = evaluated.grades;
      planned = await readPlan(run.files.plan) ?? evaluated.rows;
    } else if (!grown) return false;
    const known = planned.length > 0
      ? planned
      : [...followed.rows.keys()].map((id) => ({ id, part: null, params: {}, tokens: null, skip: null }));
    rows = known.map((row) => indexRow(row, followed, grades.get(row.id) ?? null));
    return true;
  };
  await refresh();
  return { run, rows: () => rows, refresh, attempt: (id) => followed.read(id), followed };
}

function indexRow(row: PlannedRow, followed: FollowedAttempts, grade: RowGrade | null): IndexRow {
  const state = followed.rows.get(row.id);
  const { id, part, params, tokens } = row;
  const status = state === undefined && row.status !== undefined
    ? row.status
    : rowStatus({ skip: row.skip } as Parameters<typeof rowStatus>[0], state);
  return {
    id,
    part,
    params,
    tokens,
    status,
    attempts: state?.attempts ?? 0,
    preview: state?.preview ?? row.output?.slice(0, 160) ?? "",
    grade,
  };
}

async function stampOf(paths: readonly string[]): Promise<string> {
  const stats = await Promise.all(paths.map((path) => Deno.stat(path).catch(() => null)));
  return stats.map((stat) => `${stat?.size}/${stat?.mtime?.getTime()}`).join(" ");
}

async function readPlan(path: string): Promise<PlannedRow[] | null> {
  try {
    const { rows } = planSchema.parse(JSON.parse(await readTextIfExists(path) ?? "null"));
    return rows.map(({ part, ...row }) => ({ ...row, part: part ?? null }));
  } catch {
    return null; // the plan is a courtesy, written anew at the next start
  }
}

async function readEvaluated(
  paths: readonly string[],
): Promise<{ readonly rows: PlannedRow[]; readonly grades: Map<string, RowGrade> }> {
  const rows: PlannedRow[] = [];
  const grades = new Map<string, RowGrade>();
  for (const path of paths) {
    const lines = parse(await readTextIfExists(path) ?? "", {
      bom: true,
      relax_column_count: true,
    }) as string[][];
    const [header = [], ...records] = lines;
    const first = header.indexOf(RESULT_COLUMNS[0]);
    const at = (name: string) => header.indexOf(name);
    const validity = at("validity"),
      correct = at("correct"),
      judge = at("judge"),
      judged = at("judge_output");
    if (first < 0 || validity < 0) continue;
    const extra = header.flatMap((name, i) =>
      i > judged && !name.startsWith("_") ? [[name, i] as const] : []
    );
    const own = header.flatMap((name, i) => i > 0 && i < first ? [[name, i] as const] : []);
    for (const record of records) {
      const id = record[0] ?? "";
      const cell = (i: number) => record[i] ?? "";
      rows.push({
        id,
        part: null,
        params: Object.fromEntries(own.map(([name, i]) => [name, cell(i)])),
        tokens: cell(first) === "" ? null : Number(cell(first)),
        skip: null,
        status: cell(at("status")),
        output: cell(at("output")),
      });
      if (cell(validity) === "") continue;
      grades.set(id, {
        validity: cell(validity),
        correct: cell(correct),
        judge: cell(judge),
        judgeOutput: cell(judged),
        extra: Object.fromEntries(extra.flatMap(([name, i]) => cell(i) === "" ? [] : [[name, cell(i)]])),
      });
    }
  }
  return { rows, grades };
}
