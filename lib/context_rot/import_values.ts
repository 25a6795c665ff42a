/**
 * Values of foreign files, read strictly: what cannot be read is a value with a reason.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { FieldReader, ImportField } from "./import_fields.ts";
import type { SourceRecord } from "./import_records.ts";

/** What somebody else's judge said of a row. */
export interface SourceVerdict {
  /** Right or wrong; null when it cannot be read as either. */
  readonly correct: boolean | null;
  /** As it stands in the file. */
  readonly text: string;
  /** Why it cannot be read, or null. */
  readonly reason: string | null;
}

/** The least score that counts as right when a file has scores of 1 to 10 and no verdicts. */
export const PASS_SCORE = 10;

const RIGHT = new Set(["true", "1", "1.0", "yes", "correct"]);
const WRONG = new Set(["false", "0", "0.0", "no", "incorrect"]);

/** Reads `true` and `false` in any case (also 1 and 0, yes and no, correct and incorrect); all else is unjudged. */
export function verdictOf(value: unknown): SourceVerdict {
  const text = textOf(value) ?? "";
  const word = text.trim().replace(/^["'*`]+|["'*`.!]+$/g, "").toLowerCase();
  if (RIGHT.has(word)) return { correct: true, text, reason: null };
  if (WRONG.has(word)) return { correct: false, text, reason: null };
  const reason = isMissing(text)
    ? "no verdict"
    : isErrorText(text)
    ? "the judge's request failed"
    : `${JSON.stringify(text.slice(0, 60))} is neither true nor false`;
  return { correct: null, text, reason };
}

/** Reads a score of 1 to 10 as a verdict: {@linkcode PASS_SCORE} or `pass` and above is right. */
export function scoreVerdict(value: unknown, pass: number = PASS_SCORE): SourceVerdict {
  const text = textOf(value) ?? "";
  const score = isMissing(text) ? NaN : Number(text);
  if (!Number.isFinite(score)) {
    const reason = isMissing(text) ? "no score" : `${JSON.stringify(text.slice(0, 60))} is no score`;
    return { correct: null, text, reason };
  }
  return { correct: score >= pass, text, reason: null };
}

/** A value as text; null where the file has none. Objects and lists become JSON. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string"
    ? value
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value);
}

/** Whether a cell stands for "nothing": empty, or what tables write for a missing value. */
export function isMissing(text: string | null): boolean {
  return text === null || /^(?:nan|none|null|n\/a|<na>)?$/i.test(text.trim());
}

/** Whether an output is the error note that Chroma's program writes in place of an answer. */
export function isErrorText(text: string): boolean {
  return /^(?:FUTURE_)?ERROR(?:[_: ]|$)/.test(text.trimStart());
}

/** Where a value stands, for messages: `runs.csv, line 7`. */
export function placeOf(record: SourceRecord): string {
  return `${record.file}, line ${record.line}`;
}

/**
 * A number; null where the file has none.
 *
 * @throws {InputError} when the value is no number.
 */
export function numberOf(record: SourceRecord, field: ImportField, reader: FieldReader): number | null {
  const text = textOf(reader.get(record, field));
  if (text === null || isMissing(text)) return null;
  const value = Number(text.trim().replace(/(?<=\d)_(?=\d)/g, ""));
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InputError(
    `${placeOf(record)}: ${reader.column(record, field)} is ${
      JSON.stringify(text.slice(0, 60))
    }, a number was ` +
      `expected: correct it, or name another column with --map ${field}=COLUMN.`,
  );
}

/**
 * A number that a row cannot do without.
 *
 * @throws {InputError} when it is missing, no number, or below 0.
 */
export function neededNumber(record: SourceRecord, field: ImportField, reader: FieldReader): number {
  const value = numberOf(record, field, reader);
  if (value !== null && value >= 0) return value;
  const column = reader.column(record, field);
  throw new InputError(
    column === undefined
      ? `${placeOf(record)} has no column for ${field} (it has ${
        columnsOf(record)
      }): name it with --map ${field}=COLUMN.`
      : `${placeOf(record)}: ${column} is ${
        value === null ? "empty" : value
      }, a number of 0 or more was expected.`,
  );
}

/** A count of tokens that may be missing; what is no number is missing too, and is reported by `onBad`. */
export function softNumber(
  record: SourceRecord,
  field: ImportField,
  reader: FieldReader,
  onBad: (column: string, text: string) => void,
): number | null {
  const text = textOf(reader.get(record, field));
  if (text === null || isMissing(text)) return null;
  const value = Number(text.trim());
  if (Number.isFinite(value)) return value < 0 ? null : value;
  onBad(reader.column(record, field) ?? field, text.slice(0, 60));
  return null;
}

/** Whether a flag is set: true, 1, yes. */
export function isSet(value: unknown): boolean {
  return RIGHT.has((textOf(value) ?? "").trim().toLowerCase());
}

/** The columns of a record, for messages. */
export function columnsOf(record: SourceRecord): string {
  const names = Object.keys(record.values);
  const more = names.length > 16 ? `, and ${names.length - 16} more` : "";
  return names.slice(0, 16).join(", ") + more;
}
