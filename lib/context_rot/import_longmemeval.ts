/**
 * LongMemEval runs of Chroma's program as rows of ours.
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../base/errors.ts";
import { checkKind } from "./import_fields.ts";
import type { SourceFile } from "./import_records.ts";
import { readSource, type SourceFields, type SourceOptions, withoutCopies } from "./import_source.ts";
import { placeOf, textOf } from "./import_values.ts";
import { type Condition, CONDITIONS } from "./longmemeval_file.ts";

/** A row of a foreign LongMemEval run. */
export interface MemorySourceRow extends SourceFields {
  /** Its id: the same question under both conditions has the same one. */
  readonly id: string;
  /** Under what condition it was asked. */
  readonly condition: Condition;
  /** The kind of question, where the file says it. */
  readonly type: string | null;
}

/** A run out of the files. */
export interface MemorySource {
  /** Rows by condition, in the files' order. */
  readonly rows: readonly MemorySourceRow[];
  /** Whether a judge's verdicts were in the files. */
  readonly judged: boolean;
  /** The files. */
  readonly files: readonly SourceFile[];
  /** For people: what was noticed. */
  readonly notes: readonly string[];
}

/** How a run is read. */
export interface MemoryImportOptions extends SourceOptions {
  /** Condition of each file, or one for all; told from the file names when empty. */
  readonly conditions?: readonly string[];
}

/**
 * Reads the focused and the full file of a run, or one of them; evaluated files and results files of one condition
 * are joined on the questions' ids.
 *
 * @throws {InputError} when a file cannot be read or is of another kind, its condition is not known, a row has no id,
 * or an id stands in several rows that differ.
 */
export async function readMemoryRun(
  paths: readonly string[],
  options: MemoryImportOptions = {},
): Promise<MemorySource> {
  const notes: string[] = [];
  const files: SourceFile[] = [];
  const lists: MemorySourceRow[][] = [];
  for (const [i, path] of paths.entries()) {
    const named = conditionOf(path, i, paths.length, options.conditions ?? []);
    const read = await readSource([path], (fields, record): MemorySourceRow => {
      if (fields.id === null) {
        throw new InputError(
          `${placeOf(record)} has no id of its question: name the column with --map id=COLUMN.`,
        );
      }
      const said = CONDITIONS.find((name) => name === textOf(record.values["condition"])?.trim());
      const condition = named ?? said;
      if (condition === undefined) {
        throw new InputError(
          `${
            basename(path)
          } does not say whether its rows are focused or full: say it with --condition focused or ` +
            `--condition full (one for each file, in their order).`,
        );
      }
      return {
        ...fields,
        id: fields.id,
        condition,
        type: textOf(record.values["question_type"])?.trim() || null,
      };
    }, { ...options, onColumns: (columns, file) => checkKind(columns, file, "chroma-longmemeval") });
    files.push(...read.files);
    notes.push(...read.notes);
    for (const rows of Map.groupBy(read.rows, (row) => row.condition).values()) {
      lists.push(distinct(rows, notes));
    }
  }
  const rows = CONDITIONS.flatMap((condition) => {
    const own = lists.filter((list) => list[0]?.condition === condition);
    return own.length === 0 ? [] : joined(condition, own, notes);
  });
  const judged = rows.some((row) => row.verdict !== null);
  const open = CONDITIONS.filter((condition) => {
    const own = rows.filter((row) => row.condition === condition);
    return judged && own.length > 0 && own.every((row) => row.verdict === null);
  });
  if (open.length > 0) {
    throw new InputError(
      `The ${
        open.join(" and ")
      } rows hold no verdicts, but the others do: give evaluated files for both conditions, or ` +
        `results files for both.`,
    );
  }
  return { rows, judged, files, notes: [...notes, ...unmatched(rows)] };
}

function conditionOf(path: string, index: number, count: number, given: readonly string[]): Condition | null {
  if (given.length > 0) {
    if (given.length !== 1 && given.length !== count) {
      throw new InputError(
        `--condition names ${given.length} conditions for ${count} files: give one, or one a file.`,
      );
    }
    const name = given[given.length === 1 ? 0 : index];
    const condition = CONDITIONS.find((candidate) => candidate === name);
    if (condition !== undefined) return condition;
    throw new InputError(`--condition ${name}: give ${CONDITIONS.join(" or ")}.`);
  }
  const words = basename(path).toLowerCase().split(/[^a-z]+/);
  const found = CONDITIONS.filter((condition) => words.includes(condition));
  return found.length === 1 ? found[0] as Condition : null;
}

function distinct(rows: readonly MemorySourceRow[], notes: string[]): MemorySourceRow[] {
  const file = basename(rows[0]?.file ?? "");
  const kept = withoutCopies(rows, (row) => row.id, (same) => same);
  if (kept.copies > 0) {
    notes.push(
      `${file}: ${kept.copies} row${
        kept.copies === 1 ? " is a copy" : "s are copies"
      } of another, counted once`,
    );
  }
  if (kept.differing > 0) {
    const twice = [...Map.groupBy(kept.rows, (row) => row.id)].filter(([, group]) => group.length > 1);
    throw new InputError(
      `${file}: ${twice.length} id${
        twice.length === 1 ? " stands" : "s stand"
      } in several rows that differ (${
        some(twice.map(([id]) => id))
      }): keep one row of each, so that it can be paired.`,
    );
  }
  return kept.rows;
}

/** One list of a condition's rows, with the verdicts of its evaluated file and the counts of its results file. */
function joined(
  condition: Condition,
  lists: readonly MemorySourceRow[][],
  notes: string[],
): MemorySourceRow[] {
  const evaluated = lists.filter((rows) => rows.some((row) => row.verdict !== null));
  const plain = lists.filter((rows) => !evaluated.includes(rows));
  if (evaluated.length > 1 || (evaluated.length === 0 && plain.length > 1)) {
    const names = (evaluated.length > 1 ? evaluated : plain).map((rows) => basename(rows[0]?.file ?? ""));
    throw new InputError(
      `${
        names.join(" and ")
      } are both ${condition} files: give one evaluated and one results file of each condition.`,
    );
  }
  const main = evaluated[0] ?? plain[0] as MemorySourceRow[];
  const counts = new Set(main.map((row) => row.sent));
  const stale = counts.size === 1 && main.length > 1 && !counts.has(null);
  const file = basename(main[0]?.file ?? "");
  if (stale) {
    notes.push(
      `${file}: token_count is ${[...counts][0]} on all ${main.length} rows: a stale value, not used`,
    );
  }
  const other = evaluated.length === 0 ? undefined : plain[0];
  if (other === undefined) return main.map((row) => stale ? { ...row, sent: null } : row);
  const byId = new Map(other.map((row) => [row.id, row]));
  const found = main.filter((row) => byId.has(row.id)).length;
  notes.push(`${basename(other[0]?.file ?? "")}: ${found} of ${main.length} rows found again by id`);
  return main.map((row) => {
    const match = byId.get(row.id);
    return {
      ...row,
      sent: match?.sent ?? (stale ? null : row.sent),
      reported: row.reported ?? match?.reported ?? null,
    };
  });
}

/** Says which questions were asked under one condition only. */
function unmatched(rows: readonly MemorySourceRow[]): string[] {
  const ids = CONDITIONS.map((condition) =>
    new Set(rows.filter((row) => row.condition === condition).map((row) => row.id))
  );
  const [focused = new Set(), full = new Set()] = ids;
  if (focused.size === 0 || full.size === 0) {
    return [`only ${focused.size === 0 ? "full" : "focused"} rows: nothing can be paired`];
  }
  const alone = (own: Set<string>, other: Set<string>, name: string) => {
    const only = [...own].filter((id) => !other.has(id));
    return only.length === 0 ? [] : [
      `${only.length} question${only.length === 1 ? "" : "s"} in the ${name} rows only, not paired: ${
        some(only)
      }`,
    ];
  };
  return [...alone(focused, full, "focused"), ...alone(full, focused, "full")];
}

function some(ids: readonly string[]): string {
  return ids.slice(0, 5).join(", ") + (ids.length > 5 ? `, and ${ids.length - 5} more` : "");
}
