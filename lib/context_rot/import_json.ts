/**
 * JSON result files as records.
 * @module
 */
import { basename } from "node:path";
import { InputError, messageOf } from "../base/errors.ts";
import type { FileRecords, OnColumns, SourceRecord } from "./import_records.ts";

/** Reads JSON lines, or one JSON object over many lines. */
export async function readJsonLines(
  path: string,
  chunks: AsyncGenerator<string>,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns,
): Promise<FileRecords> {
  let rest = "", line = 0, records = 0;
  let bad: { line: number; reason: string } | null = null;
  let whole: string[] | null = [];
  const visit = (text: string) => {
    line++;
    if (text.trim() === "") return;
    if (bad !== null) throw damaged(path, bad);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      bad = { line, reason: messageOf(error) };
      return;
    }
    visitValue(path, line, value, records === 0 ? onColumns : () => {}, onRecord);
    records++;
  };
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    for (const text of lines) {
      if (records > 0) whole = null;
      // An object over many lines: JSON, and not JSON lines.
      if (whole !== null && (bad !== null || whole.length > 0)) whole.push(text);
      else visit(text);
      if (whole !== null && bad !== null && whole.length === 0) whole.push(text);
    }
  }
  if (whole !== null && whole.length > 0) {
    return readObject(path, [...whole, rest].join("\n"), onRecord, onColumns);
  }
  visit(rest);
  const torn = bad as { line: number; reason: string } | null;
  if (torn === null) return { records, notes: [] };
  if (records === 0) throw damaged(path, torn);
  return { records, notes: [`${basename(path)}: line ${torn.line}, the last, is cut off and was left out`] };
}

/** Reads a JSON list of objects. */
export async function readJsonList(
  path: string,
  chunks: AsyncGenerator<string>,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns,
): Promise<FileRecords> {
  let text = "";
  for await (const chunk of chunks) text += chunk;
  let list: unknown[];
  try {
    list = JSON.parse(text) as unknown[];
  } catch (error) {
    throw damaged(path, { line: 1, reason: messageOf(error) });
  }
  for (const [i, value] of list.entries()) {
    visitValue(path, i + 1, value, i === 0 ? onColumns : () => {}, onRecord);
  }
  return { records: list.length, notes: [] };
}

/** One JSON object: a record, or the list of records in its longest list of objects. */
function readObject(
  path: string,
  text: string,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns,
): FileRecords {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw damaged(path, { line: 1, reason: messageOf(error) });
  }
  const lists = Object.values(value).filter((inner): inner is object[] =>
    Array.isArray(inner) && inner.length > 0 &&
    inner.every((item) => typeof item === "object" && item !== null)
  );
  const records = lists.sort((a, b) => b.length - a.length)[0] ?? [value];
  for (const [i, item] of records.entries()) {
    visitValue(path, i + 1, item, i === 0 ? onColumns : () => {}, onRecord);
  }
  return { records: records.length, notes: [] };
}

function visitValue(
  path: string,
  line: number,
  value: unknown,
  onColumns: OnColumns,
  onRecord: (record: SourceRecord) => void,
): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw damaged(path, { line, reason: "it is no object with named fields" });
  }
  const values: Record<string, unknown> = {};
  flatten(value as Record<string, unknown>, "", values);
  onColumns(Object.keys(values), path);
  onRecord({ file: path, line, values });
}

function flatten(value: Record<string, unknown>, prefix: string, into: Record<string, unknown>): void {
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) {
      flatten(inner as Record<string, unknown>, `${prefix}${key}.`, into);
    } else into[prefix + key] = inner;
  }
}

function damaged(path: string, { line, reason }: { line: number; reason: string }): InputError {
  return new InputError(
    `${path}, record or line ${line} is not JSON of a result (${reason}): repair or remove it.`,
  );
}
