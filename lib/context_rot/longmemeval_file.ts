/**
 * One LongMemEval file: half a thousand texts that are too long to be held in memory together.
 * @module
 */
import { Readable } from "node:stream";
import { type CsvError, parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { InputError, messageOf } from "../base/errors.ts";
import { fileChunks } from "../base/files.ts";
import { sha256 } from "../base/hash.ts";

/** The two conditions of the experiment, in the order they are run. */
export const CONDITIONS = ["focused", "full"] as const;
/** `focused`: the relevant chats alone. `full`: the same among all other chats. */
export type Condition = typeof CONDITIONS[number];

/** A row of a file, without its text. */
export interface MemoryEntry {
  /** The question's id. */
  readonly id: string;
  /** What is asked. */
  readonly question: string;
  /** What a right answer says. */
  readonly answer: string;
  /** Line of the file on which the row begins. */
  readonly line: number;
  /** Bytes of the file that the row takes: from the first to before the second. */
  readonly bytes: readonly [number, number];
  /** SHA-256 of the text. */
  readonly sha256: string;
  /** UTF-16 units of the text. */
  readonly chars: number;
  /** Whether the text holds the question. */
  readonly asks: boolean;
  /** Tokens of the text as the file has it; null where it has no such column. */
  readonly fileTokens: number | null;
}

/** A file that was read once and of which nothing but the texts' places is kept. */
export interface MemoryFile {
  /** Where it is. */
  readonly path: string;
  /** Its rows, in order. */
  readonly entries: readonly MemoryEntry[];
  /**
   * Reads the text of a row again, byte for byte.
   *
   * @throws {InputError} when the file has changed since.
   */
  text(entry: MemoryEntry): Promise<string>;
}

const REMEDY = "Put a whole file there (deno task data longmemeval) or choose another with --data.";

/**
 * Reads a file of one condition once and remembers where its texts are. Columns: `custom_id`, `question`, `answer`,
 * the text (`focused_prompt` or `focused_input`; `full_prompt` or `full_input`), and where there are any the tokens
 * (`token_count`, or `focused_input_tokens` and `full_input_tokens`).
 *
 * @throws {InputError} naming file and line when a column is missing, an id stands twice, or the file is torn.
 */
export async function openMemoryFile(path: string, condition: Condition): Promise<MemoryFile> {
  let header: string[] = [];
  let columns: Columns | null = null;
  const entries: MemoryEntry[] = [];
  const lines = new Map<string, number>();
  const breaks: number[] = [];
  let [at, line] = [0, 1];
  (await openToRead(path)).close(); // says what is wrong with it
  const source = Readable.from(noting(breaks, fileChunks(path)));
  const parser = source.pipe(
    parse({ bom: true, info: true, skip_empty_lines: true, relax_column_count: true }),
  );
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      const bytes = [at, info.bytes] as const;
      const begins = line;
      at = info.bytes;
      // The parser counts a line break of two characters inside a text twice.
      while ((breaks[line - 1] ?? Infinity) < at) line++;
      if (columns === null) {
        header = record;
        columns = columnsOf(path, header, condition);
        continue;
      }
      if (record.length !== header.length) {
        throw new InputError(
          `${path}, line ${begins}: the row has ${record.length} fields and the header ${header.length}: the file is torn ` +
            `or damaged. ${REMEDY}`,
        );
      }
      const entry = entryOf(record, columns, bytes, begins, path);
      const before = lines.get(entry.id);
      if (before !== undefined) {
        throw new InputError(
          `${path}, line ${begins}: the id ${
            JSON.stringify(entry.id)
          } is that of line ${before} again, and ids must ` +
            `be unique. ${REMEDY}`,
        );
      }
      lines.set(entry.id, begins);
      entries.push(entry);
    }
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(broken(path, breaks, error), { cause: error });
  } finally {
    source.destroy();
    parser.destroy();
  }
  if (columns === null || entries.length === 0) {
    throw new InputError(`${path} holds no ${columns === null ? "header" : "rows"}. ${REMEDY}`);
  }
  const { text } = columns;
  return { path, entries, text: (entry) => readText(path, entry, text) };
}

interface CsvRecord {
  readonly record: string[];
  readonly info: { readonly bytes: number };
}

/** Passes chunks on and notes where their line breaks are. */
async function* noting(breaks: number[], chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of chunks) {
    for (let i = chunk.indexOf(0x0a); i >= 0; i = chunk.indexOf(0x0a, i + 1)) breaks.push(passed + i);
    passed += chunk.length;
    yield chunk;
  }
}

/** Where the columns stand; -1 for tokens that the file does not have. */
interface Columns {
  readonly id: number;
  readonly question: number;
  readonly answer: number;
  readonly text: number;
  readonly tokens: number;
}

function columnsOf(path: string, header: readonly string[], condition: Condition): Columns {
  const names = header.map((name) => name.trim());
  const find = (...wanted: string[]) => {
    const found = wanted.map((name) => names.indexOf(name)).find((index) => index >= 0);
    if (found !== undefined) return found;
    const shown = names.slice(0, 12).map((name) => name.slice(0, 40)).join(", ");
    throw new InputError(
      `${path}, line 1: there is no column ${
        wanted.join(" or ")
      } (there are: ${shown}). A LongMemEval file of the ` +
        `${condition} condition has custom_id, question, answer, ${condition}_prompt and token_count. ${REMEDY}`,
    );
  };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new InputError(`${path}, line 1: the column ${twice} stands there twice. ${REMEDY}`);
  }
  return {
    id: find("custom_id"),
    question: find("question"),
    answer: find("answer"),
    text: find(`${condition}_prompt`, `${condition}_input`),
    tokens: Math.max(names.indexOf("token_count"), names.indexOf(`${condition}_input_tokens`)),
  };
}

function entryOf(
  record: readonly string[],
  columns: Columns,
  bytes: readonly [number, number],
  line: number,
  path: string,
): MemoryEntry {
  const cell = (name: "id" | "question" | "answer" | "text") => {
    const value = record[columns[name]] ?? "";
    if (value.trim() === "") {
      throw new InputError(
        `${path}, line ${line}: the ${name === "id" ? "custom_id" : name} is empty. ${REMEDY}`,
      );
    }
    return value;
  };
  const tokens = record[columns.tokens]?.trim() || null;
  if (tokens !== null && !/^\d+(?:\.0)?$/.test(tokens)) {
    throw new InputError(
      `${path}, line ${line}: the token count is ${
        JSON.stringify(tokens.slice(0, 40))
      }, not a whole number: the row ` +
        `is damaged. ${REMEDY}`,
    );
  }
  const text = cell("text");
  const question = cell("question");
  return {
    id: cell("id").trim(),
    question,
    answer: cell("answer"),
    line,
    bytes,
    sha256: sha256(text),
    chars: text.length,
    asks: text.includes(question.trim()),
    fileTokens: tokens === null ? null : Number(tokens),
  };
}

function broken(path: string, breaks: readonly number[], error: unknown): string {
  const { code, bytes = 0 } = error as Partial<CsvError & { readonly bytes: number }>;
  const lineOf = (byte: number) => 1 + breaks.filter((at) => at < byte).length;
  if (code === "CSV_QUOTE_NOT_CLOSED") {
    return `${path} ends inside the row that begins on line ${lineOf(bytes)}: the file is torn. ${REMEDY}`;
  }
  return `${path}, line ${lineOf(bytes)}: this is no CSV that can be read (${messageOf(error)}). ${REMEDY}`;
}

async function openToRead(path: string): Promise<Deno.FsFile> {
  try {
    const file = await Deno.open(path);
    if ((await file.stat()).isFile) return file;
    file.close();
    throw new InputError(`${path} is no file. ${REMEDY}`);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const missing = error instanceof Deno.errors.NotFound;
    throw new InputError(`${missing ? "There is no" : "Cannot read"} ${path}. ${REMEDY}`, { cause: error });
  }
}

async function readText(path: string, entry: MemoryEntry, column: number): Promise<string> {
  using file = await openToRead(path);
  const [from, to] = entry.bytes;
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  for (let got = 0; got < bytes.length;) {
    const count = await file.read(bytes.subarray(got));
    if (count === null) break;
    got += count;
  }
  let text: string | undefined;
  try {
    const [record] = parseSync(bytes, { bom: true, skip_empty_lines: true }) as string[][];
    text = record?.[column];
  } catch {
    text = undefined;
  }
  if (text === undefined || sha256(text) !== entry.sha256) {
    throw new InputError(
      `${path} has changed since this run was planned: the text of ${entry.id} is another one. Put the old file back ` +
        `to go on with this run, or start again to plan with the new one.`,
    );
  }
  return text;
}
