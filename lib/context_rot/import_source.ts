/**
 * What every importer reads of a record, whatever experiment it is of.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Cell } from "../runs/experiment.ts";
import { EVALUATION_COLUMNS, RESULT_COLUMNS } from "../runs/csv.ts";
import { type FieldReader, fieldReader, type ImportField } from "./import_fields.ts";
import type { OnColumns, SourceFile, SourceRecord } from "./import_records.ts";
import { readRecords } from "./import_records.ts";
import {
  isErrorText,
  isMissing,
  isSet,
  scoreVerdict,
  softNumber,
  type SourceVerdict,
  textOf,
  verdictOf,
} from "./import_values.ts";

/** What every importer reads of a record. */
export interface SourceFields {
  /** The file. */
  readonly file: string;
  /** The line in it, from 1. */
  readonly line: number;
  /** The row's own id in the file, where it has one. */
  readonly id: string | null;
  /** The model, where the file names it. */
  readonly model: string | null;
  /** The variant of the text, where the file has several. */
  readonly variant: string | null;
  /** What was asked; empty where the file does not say. */
  readonly question: string;
  /** What a right answer says. */
  readonly answer: string | null;
  /** The model's answer; null where the file has none for this row. */
  readonly output: string | null;
  /** What the file's judge said; null where it has no column for that. */
  readonly verdict: SourceVerdict | null;
  /** Index of the distractor that was answered, -1 for none; null when nobody said. */
  readonly distractor: number | null;
  /** Prompt tokens as the file counts them. */
  readonly sent: number | null;
  /** Prompt tokens as the server counted them. */
  readonly reported: number | null;
  /** Generated tokens. */
  readonly completion: number | null;
  /** Output cap in tokens. */
  readonly maxOutput: number | null;
  /** The model's context window in tokens. */
  readonly window: number | null;
  /** Why generation ended. */
  readonly finish: string | null;
  /** Milliseconds that the answer took. */
  readonly latencyMs: number | null;
  /** Why it was never sent, or null. */
  readonly skip: string | null;
  /** Why there is no answer, or null. */
  readonly error: string | null;
  /** Columns that are none of ours. */
  readonly extra: Readonly<Record<string, Cell>>;
  /** Hash of the whole record: equal records are copies. */
  readonly print: string;
}

/** What was read from all files. */
export interface Source<T> {
  /** Rows in the files' order. */
  readonly rows: T[];
  /** The files. */
  readonly files: readonly SourceFile[];
  /** For people. */
  readonly notes: string[];
}

/** How records are read. */
export interface SourceOptions {
  /** Columns given by hand: our field -> theirs. */
  readonly mapping?: Readonly<Record<string, string>>;
  /** Least score that is right, where a file has scores and no verdicts. */
  readonly passScore?: number;
  /** Only records whose column has this value: column -> value. */
  readonly where?: Readonly<Record<string, string>>;
  /** Called with a file's columns before its records. */
  readonly onColumns?: OnColumns;
}

/** Longest text of a column that is none of ours that is kept. */
const KEPT_CHARS = 2000;
/** Columns of our own files that foreign ones may have too: theirs are called `source_...`. */
const OURS = new Set<string>([
  ...["id", ...RESULT_COLUMNS, ...EVALUATION_COLUMNS, "reason", "distractor", "condition", "question_type"],
  ...[
    "word_count",
    "base_word",
    "modified_word",
    "position",
    "relative_position",
    "correct_position",
    "delta",
  ],
  ...["levenshtein_score", "levenshtein_score_cut", "modified_word_present", "position_accuracy", "runs"],
]);

/**
 * Reads files, `row` making one row of each record.
 *
 * @throws {InputError} when a file cannot be read or `row` cannot make sense of a record.
 */
export async function readSource<T>(
  paths: readonly string[],
  row: (fields: SourceFields, record: SourceRecord, reader: FieldReader) => T,
  options: SourceOptions = {},
): Promise<Source<T>> {
  const reader = fieldReader(options.mapping);
  const rows: T[] = [];
  const files: SourceFile[] = [];
  const bad = new Map<string, { count: number; example: string }>();
  const long = new Set<string>();
  const problems = {
    bad(column: string, text: string) {
      const found = bad.get(column);
      if (found) found.count++;
      else bad.set(column, { count: 1, example: text });
    },
    long: (column: string) => void long.add(column),
  };
  const wanted = Object.entries(options.where ?? {});
  const met = new Set<string>();
  for (const path of paths) {
    files.push(
      await readRecords(path, (record) => {
        const differs = wanted.filter(([column, value]) => {
          if (column in record.values) met.add(column);
          return textOf(record.values[column])?.trim() !== value.trim();
        });
        if (differs.length > 0) return;
        rows.push(row(fieldsOf(record, reader, options, problems), record, reader));
      }, options.onColumns),
    );
  }
  const unmet = wanted.find(([column]) => !met.has(column));
  if (unmet !== undefined) {
    throw new InputError(`--where ${unmet.join("=")}: no row has a column ${JSON.stringify(unmet[0])}.`);
  }
  if (rows.length === 0) {
    throw new InputError(
      `--where ${wanted.map((pair) => pair.join("=")).join(",")}: no row has these values.`,
    );
  }
  return {
    rows,
    files,
    notes: [
      ...files.flatMap((file) => file.notes),
      ...[...bad].map(([column, { count, example }]) =>
        `${column}: ${count} value${count === 1 ? " is" : "s are"} no number, such as ${
          JSON.stringify(example)
        }; ` +
        `taken as not known`
      ),
      ...(long.size === 0
        ? []
        : [`left out, too long to keep: column${long.size === 1 ? "" : "s"} ${[...long].join(", ")}`]),
    ],
  };
}

interface Problems {
  bad(column: string, text: string): void;
  long(column: string): void;
}

function fieldsOf(
  record: SourceRecord,
  reader: FieldReader,
  options: SourceOptions,
  problems: Problems,
): SourceFields {
  const text = (field: ImportField): string | null => {
    const value = textOf(reader.get(record, field));
    return isMissing(value) ? null : value;
  };
  const soft = (field: ImportField) => softNumber(record, field, reader, problems.bad);
  const output = textOf(reader.get(record, "output"));
  const status = text("status") ?? "";
  const answered = output !== null && output.trim() !== "";
  // "None" and "n/a" are answers; only an empty cell is none.
  const words = (field: ImportField) => textOf(reader.get(record, field))?.trim() || null;
  return {
    file: record.file,
    line: record.line,
    id: text("id"),
    model: text("model"),
    variant: text("variant"),
    question: words("question") ?? "",
    answer: words("answer"),
    output,
    verdict: verdictIn(record, reader, options),
    distractor: soft("distractor"),
    sent: soft("sent"),
    reported: soft("reported"),
    completion: soft("completion"),
    maxOutput: soft("maxOutput"),
    window: soft("window"),
    finish: text("finish"),
    latencyMs: soft("milliseconds") ?? seconds(soft("seconds")),
    skip: skipOf(isSet(reader.get(record, "skipped")), text("skipReason"), status, answered),
    error: errorOf(output, text("error"), status, answered),
    extra: extraOf(record, reader, problems),
    print: sha256(JSON.stringify(record.values)),
  };
}

const seconds = (value: number | null) => value === null ? null : Math.round(value * 1000);

function verdictIn(record: SourceRecord, reader: FieldReader, options: SourceOptions): SourceVerdict | null {
  if (reader.column(record, "verdict") !== undefined) return verdictOf(reader.get(record, "verdict"));
  if (reader.column(record, "score") === undefined) return null;
  return scoreVerdict(reader.get(record, "score"), options.passScore);
}

function skipOf(flag: boolean, reason: string | null, status: string, answered: boolean): string | null {
  const marked = /^skipped(?:: *(.*))?$/i.exec(status);
  if (!flag && marked === null && (reason === null || answered)) return null;
  const why = reason ?? marked?.[1] ?? "skipped";
  return /context|window|too long|length/i.test(why) ? "window" : why;
}

function errorOf(
  output: string | null,
  error: string | null,
  status: string,
  answered: boolean,
): string | null {
  if (output !== null && isErrorText(output)) return output.slice(0, 200);
  if (answered) return null;
  if (error !== null) return error.slice(0, 200);
  return /^error/i.test(status) ? status : /^pending$/i.test(status) ? "not run" : null;
}

function extraOf(record: SourceRecord, reader: FieldReader, problems: Problems): Record<string, Cell> {
  const extra: Record<string, Cell> = {};
  for (const column of reader.rest(record)) {
    const value = record.values[column];
    const cell = typeof value === "number" || typeof value === "boolean" ? value : textOf(value);
    if (typeof cell === "string" && cell.length > KEPT_CHARS) problems.long(column);
    else extra[OURS.has(column) ? `source_${column}` : column] = cell;
  }
  return extra;
}

/**
 * Which rows to keep of those that share a key: copies of a whole record count once; of different records `pick`
 * decides.
 */
export function withoutCopies<T extends { readonly print: string }>(
  rows: readonly T[],
  key: (row: T) => string,
  pick: (same: readonly T[]) => readonly T[],
): { readonly rows: T[]; readonly copies: number; readonly differing: number } {
  const groups = Map.groupBy(rows, key);
  const kept = new Set<T>();
  let copies = 0, differing = 0;
  for (const group of groups.values()) {
    const distinct = [...new Map(group.toReversed().map((row) => [row.print, row])).values()].reverse();
    copies += group.length - distinct.length;
    if (distinct.length > 1) differing++;
    for (const row of distinct.length > 1 ? pick(distinct) : distinct) kept.add(row);
  }
  return { rows: rows.filter((row) => kept.has(row)), copies, differing };
}
