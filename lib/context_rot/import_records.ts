/**
 * Result files of other programs as records: CSV, JSON lines, a JSON list, or a folder of JSON files.
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { InputError } from "../base/errors.ts";
import { readJsonLines, readJsonList } from "./import_json.ts";

/** One record of a file. */
export interface SourceRecord {
  /** The file. */
  readonly file: string;
  /** Line it begins on, from 1; for a JSON list its place in the list. */
  readonly line: number;
  /** Values by column. Nested objects are flattened: `evaluation.is_correct`. CSV values are text, never null. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What is known of a file once it was read to its end. */
export interface SourceFile {
  /** Where it is. */
  readonly path: string;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
  /** Records in it. */
  readonly records: number;
  /** What a reader should know: a torn last line. */
  readonly notes: readonly string[];
}

/** Called once a file's columns are known, before its records: a CSV's header, else the first record's fields. */
export type OnColumns = (columns: readonly string[], path: string) => void;

/**
 * Reads files record by record, never a whole CSV or JSON lines file at once. The format is told from the content:
 * `[` begins a JSON list, `{` JSON lines, anything else is CSV (commas, semicolons or tabs). A byte order mark, CRLF
 * and line breaks inside quotes are fine. A folder stands for its .json files, one record or one list each.
 *
 * @throws {InputError} when a file is missing, empty, no text, or damaged before its last line.
 */
export async function readRecords(
  path: string,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns = () => {},
): Promise<SourceFile> {
  const info = await Deno.stat(path).catch((cause) => {
    throw new InputError(`Cannot read ${path}: give files that exist with --from.`, { cause });
  });
  if (info.isDirectory) return await readFolder(path, onRecord, onColumns);
  const hash = createHash("sha256");
  const text = decoded(path, hash);
  const start = await text.next();
  const first = start.done ? "" : start.value;
  const sign = /\S/.exec(first)?.[0];
  if (sign === undefined) throw new InputError(`${path} is empty: nothing can be imported from it.`);
  if (first.startsWith("version https://git-lfs")) {
    throw new InputError(`${path} is a Git LFS pointer, not the file: fetch it with git lfs pull.`);
  }
  const chunks = joined(first, text);
  const read = sign === "[" ? readJsonList : sign === "{" ? readJsonLines : readCsv;
  const { records, notes } = await read(path, chunks, onRecord, onColumns);
  if (records === 0) {
    throw new InputError(`${path} holds a header and no rows: nothing can be imported from it.`);
  }
  return { path, sha256: hash.digest("hex"), records, notes };
}

/** What reading a file gives. */
export type FileRecords = Pick<SourceFile, "records" | "notes">;
type Chunks = AsyncGenerator<string>;

async function readFolder(
  folder: string,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns,
): Promise<SourceFile> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && /\.jsonl?$/i.test(entry.name)) names.push(entry.name);
  }
  if (names.length === 0) {
    throw new InputError(
      `The folder ${folder} holds no .json file: give files, or a folder of JSON results.`,
    );
  }
  const files: SourceFile[] = [];
  for (const name of names.sort()) files.push(await readRecords(join(folder, name), onRecord, onColumns));
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file.sha256}\n`);
  return {
    path: folder,
    sha256: hash.digest("hex"),
    records: files.reduce((sum, file) => sum + file.records, 0),
    notes: [`${basename(folder)}: ${files.length} files`, ...files.flatMap((file) => file.notes)],
  };
}

async function* decoded(path: string, hash: { update(data: Uint8Array): unknown }): Chunks {
  using file = await Deno.open(path, { read: true });
  const buffer = new Uint8Array(1 << 20);
  let decoder: TextDecoder | null = null;
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    const bytes = buffer.subarray(0, n);
    hash.update(bytes);
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw notText(path, cause);
    }
    if (text.includes("\0")) throw notText(path, null);
    yield text;
  }
  try {
    yield decoder?.decode() ?? "";
  } catch (cause) {
    throw notText(path, cause);
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}

function notText(path: string, cause: unknown): InputError {
  return new InputError(`${path} is not a text file in UTF-8: save the table as CSV (UTF-8) or JSON lines.`, {
    cause,
  });
}

async function* joined(first: string, rest: Chunks): Chunks {
  yield first;
  yield* rest;
}

async function readCsv(
  path: string,
  chunks: Chunks,
  onRecord: (record: SourceRecord) => void,
  onColumns: OnColumns,
): Promise<FileRecords> {
  const first = (await chunks.next()).value as string;
  const parser = parse({
    delimiter: delimiterOf(first),
    info: true,
    skip_empty_lines: true,
    columns: (header: string[]) => {
      const columns = header.map((name) => name.trim());
      const twice = columns.find((name, i) => columns.indexOf(name) !== i);
      if (twice !== undefined) {
        throw new InputError(
          `${path} holds the column ${
            JSON.stringify(twice)
          } twice: rename one of them, so that it is clear which counts.`,
        );
      }
      onColumns(columns, path);
      return columns;
    },
  });
  const source = Readable.from(joined(first, chunks));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let records = 0, line = 2;
  try {
    for await (
      const { record, info } of parser as AsyncIterable<{ record: Record<string, string>; info: Info }>
    ) {
      records++;
      onRecord({ file: path, line, values: record });
      line = info.lines + 1;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(
      `${path} cannot be read as CSV (${error.message}): repair that line. Fields that hold commas, quotes or line ` +
        `breaks must stand in double quotes.`,
      { cause: error },
    );
  } finally {
    source.destroy();
  }
  return { records, notes: [] };
}

/** The sign that separates the columns of a header line. */
function delimiterOf(text: string): string {
  const header = text.slice(0, /[\r\n]/.exec(text)?.index ?? text.length).replace(/"[^"]*"/g, "");
  const count = (sign: string) => header.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => count(sign) > count(best) ? sign : best);
}
