/**
 * Tables of how far each sentence moves the answer.
 * @module
 */
import { parse } from "csv-parse/sync";
import { InputError, messageOf } from "../base/errors.ts";
import { DELTA_COLUMNS as COLUMNS, type DeltaRow, ROUNDED, rowOf } from "./delta_row.ts";
import { compareIds, type InputText } from "./input_text.ts";
import type { Dropped } from "./source_problems.ts";

/** A table that was read. */
export interface DeltaTable {
  /** The file. */
  readonly path: string;
  /** Rows in the file. */
  readonly records: number;
  /** Rows that can be used, by problem and sentence. */
  readonly rows: readonly DeltaRow[];
  /** Rows that cannot, each with its reason. */
  readonly dropped: readonly Dropped[];
  /** Rows whose rate before is not the rate after the sentence before: `problem:sentence`. */
  readonly chainBreaks: readonly string[];
  /** Rows whose rate is no multiple of 1/50: other numbers of answers were counted. */
  readonly unevenRates: number;
}

const FORM =
  "A table of deltas has the columns problem_number, sentence_number, sentence, true_cue_p and delta_cue_p (and may " +
  "have cue_p, cue_p_prev, cue_score, cue_n, cue_score_prev, cue_n_prev), or pn, sentence_num, sentence, cue_p and " +
  "cue_p_prev as thought-branches publishes them.";

/** From this share on the published sampling stops and copies the value to the rows that follow: 49 of 50. */
const CONVERGED = 0.98;
const EPSILON = 1e-9;

/**
 * Reads a table of deltas, in either of the two published forms.
 *
 * The first sentence has no sentence before it: what it is compared with must be the measured rate without any prefix.
 * Where that is missing, or 0 without counts that show it was sampled, the row has neither `before` nor `delta`, because
 * a difference from a made-up 0 is no effect. A rate of at least 49 of 50 that is repeated to the end of a chain counts
 * as copied unless the table has counts of answers (`cue_n`) of its own.
 *
 * @throws {InputError} when it is no CSV, lacks columns, or none of its rows can be used.
 */
export function readDeltaTable({ path, text }: Pick<InputText, "path" | "text">): DeltaTable {
  const { header, records } = parsed(path, text);
  const dropped: Dropped[] = [];
  const found = new Map<string, { row: DeltaRow; line: number; counted: boolean }>();
  const conflicts = new Set<string>();
  for (const [i, record] of records.entries()) {
    const row = rowOf(record);
    if ("reason" in row) {
      dropped.push({
        file: path,
        problem: row.problem,
        sentence: row.sentence,
        reason: `row ${i + 1}: ${row.reason}`,
      });
      continue;
    }
    const key = `${row.problem}:${row.sentence}`;
    const twin = found.get(key);
    if (twin === undefined) found.set(key, { row, line: i + 1, counted: header.includes("cue_n") });
    else {
      const same = JSON.stringify(twin.row) === JSON.stringify(row);
      if (!same) conflicts.add(key);
      const reason = same ? "the same as" : "contradicts";
      const { problem, sentence } = row;
      dropped.push({ file: path, problem, sentence, reason: `row ${i + 1}: ${reason} row ${twin.line}` });
    }
  }
  for (const key of conflicts) {
    const { row: { problem, sentence }, line } = found.get(key) as { row: DeltaRow; line: number };
    dropped.push({
      file: path,
      problem,
      sentence,
      reason: `row ${line}: another row of this sentence contradicts it`,
    });
    found.delete(key);
  }
  const groups = Map.groupBy(found.values(), ({ row }) => row.problem);
  const rows: DeltaRow[] = [], chainBreaks: string[] = [];
  for (const problem of [...groups.keys()].sort(compareIds)) {
    const group = (groups.get(problem) ?? []).sort((a, b) => a.row.sentence - b.row.sentence);
    const own = group.map(({ row }) => row);
    for (const [i, row] of own.entries()) {
      const previous = own[i - 1];
      const next = previous?.sentence === row.sentence - 1 && row.before !== null;
      if (next && Math.abs(row.before - previous.after) > ROUNDED) {
        chainBreaks.push(`${problem}:${row.sentence}`);
      }
    }
    const from = group.every(({ counted }) => counted) ? own.length : copiedFrom(own);
    rows.push(...own.map((row, i) => ({ ...row, copied: i >= from })));
  }
  if (rows.length === 0) {
    const why = dropped.slice(0, 3).map(({ reason }) => reason).join("; ");
    throw new InputError(`${path}: none of its ${records.length} rows can be used (${why}). ${FORM}`);
  }
  const unevenRates = rows.filter(({ after }) => Math.abs(after * 50 - Math.round(after * 50)) > 1e-6).length;
  return { path, records: records.length, rows, dropped, chainBreaks, unevenRates };
}

/** Index from which rows repeat a converged value to the end of the chain; their number when none do. */
function copiedFrom(rows: readonly DeltaRow[]): number {
  const first = rows.findIndex(({ after }) => after >= CONVERGED - EPSILON);
  const value = rows[first];
  const same = (row: DeltaRow) =>
    row.after === value?.after && row.afterCount?.hits === value.afterCount?.hits;
  return first >= 0 && rows.slice(first).every(same) ? first + 1 : rows.length;
}

function parsed(path: string, text: string): { header: string[]; records: Record<string, string>[] } {
  let header: string[] = [];
  let records: Record<string, string>[];
  try {
    records = parse(text, {
      bom: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n"],
      columns: (names: string[]) => header = names.map((name) => name.trim()),
    });
  } catch (error) {
    throw new InputError(`${path} is not a whole CSV: ${messageOf(error)}. ${FORM}`, { cause: error });
  }
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`${path} has the column ${twice} twice: leave one out.`);
  const lacks = (["problem", "index", "text", "after"] as const).filter((column) =>
    !COLUMNS[column].some((name) => header.includes(name))
  );
  const rates = COLUMNS.delta.concat(COLUMNS.before as never).some((name) => header.includes(name));
  if (lacks.length > 0 || !rates) {
    const names = [
      ...lacks.map((column) => COLUMNS[column].join(" or ")),
      ...rates ? [] : ["delta_cue_p or cue_p_prev"],
    ];
    throw new InputError(
      `${path} has no column ${names.join(", none ")} (it has ${header.slice(0, 16).join(", ")}). ${FORM}`,
    );
  }
  if (records.length === 0) throw new InputError(`${path} has a header and no rows. ${FORM}`);
  return { header, records };
}
