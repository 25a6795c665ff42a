/**
 * Tables of labels that two backends gave to the same items.
 * @module
 */
import { basename } from "node:path";
import { parse } from "csv-parse/sync";
import { InputError, messageOf } from "../base/errors.ts";
import type { Label, PairRow, Side } from "./pair_rows.ts";

/** A table of paired labels. */
export interface LabelTable {
  /** The file's name. */
  readonly name: string;
  /** The backends, by the beginnings of their columns: `["api", "local"]`. */
  readonly sides: readonly [string, string];
  /** Its rows in their order. */
  readonly rows: readonly PairRow[];
}

/** What a message about a wrong table ends with. */
const FORM =
  "A table has the columns X_label and Y_label (0, 1 or nothing), and may have item, truth, X_parsed, Y_parsed, " +
  "X_strict, Y_strict (0 or 1), X_response_length, X_reasoning_length (and those of Y), response_similarity and " +
  "reasoning_similarity; X and Y are the backends, such as api and local.";

/**
 * Reads a CSV of paired labels.
 *
 * @throws {InputError} when the file cannot be read or is not such a table; the row and the column are named.
 */
export async function readLabelTable(path: string): Promise<LabelTable> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new InputError(`Cannot read the label table ${path}: ${messageOf(error)}. ${FORM}`, {
      cause: error,
    });
  }
  return parseLabelTable(text, path);
}

/** As {@linkcode readLabelTable}, from text. @throws {InputError} */
export function parseLabelTable(text: string, path: string): LabelTable {
  let records: Record<string, string>[];
  let header: string[] = [];
  try {
    records = parse(text, {
      bom: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n"],
      columns: (names: string[]) => header = names.map((name) => name.trim()),
    });
  } catch (error) {
    throw new InputError(`${path} is not a CSV: ${messageOf(error)}. ${FORM}`, { cause: error });
  }
  const sides = header.flatMap((name) => /^(.+)_label$/.exec(name)?.[1] ?? []);
  const [first, second] = sides;
  if (first === undefined || second === undefined || sides.length > 2 || first === second) {
    throw new InputError(
      `${path} has ${sides.length} columns that end in _label (${
        sides.join(", ") || "none"
      }), two are needed. ${FORM}`,
    );
  }
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`${path} has the column ${twice} twice: leave one out.`);
  if (records.length === 0) throw new InputError(`${path} has a header and no rows.`);
  const items = new Set<string>();
  const rows = records.map((record, i): PairRow => {
    const cells = new Cells(record, path, i + 1);
    const item = record["item"] ?? String(i);
    if (items.has(item)) {
      throw new InputError(`${path}, row ${i + 1}: item ${JSON.stringify(item)} is there twice.`);
    }
    items.add(item);
    return {
      item,
      first: sideOf(cells, first),
      second: sideOf(cells, second),
      responseSimilarity: cells.number("response_similarity", 1),
      reasoningSimilarity: cells.number("reasoning_similarity", 1),
      truth: cells.bit("truth"),
    };
  });
  return { name: basename(path), sides: [first, second], rows };
}

function sideOf(cells: Cells, side: string): Side {
  const label = cells.bit(`${side}_label`);
  const parsed = cells.bit(`${side}_parsed`) ?? (label === null ? 0 : 1);
  if (parsed === 1 && label === null) {
    throw cells.wrong(`${side}_label`, "0 or 1, because the answer is said to be parsed");
  }
  const strict = cells.bit(`${side}_strict`);
  const refused = cells.bit(`${side}_refused`);
  return {
    label: parsed === 1 ? label : null,
    stored: label ?? 0,
    strict: strict === null ? null : strict === 1,
    refused: refused === null ? null : refused === 1,
    responseLength: cells.number(`${side}_response_length`),
    reasoningLength: cells.number(`${side}_reasoning_length`),
  };
}

/** The cells of a row; empty ones and missing columns are null. */
class Cells {
  constructor(
    private readonly record: Readonly<Record<string, string>>,
    private readonly path: string,
    private readonly row: number,
  ) {}

  bit(column: string): Label | null {
    const text = this.record[column]?.trim().toLowerCase() ?? "";
    if (text === "") return null;
    if (text === "0" || text === "0.0" || text === "false") return 0;
    if (text === "1" || text === "1.0" || text === "true") return 1;
    throw this.wrong(column, "0, 1 or nothing");
  }

  number(column: string, most = Infinity): number | null {
    const text = this.record[column]?.trim() ?? "";
    if (text === "") return null;
    const value = Number(text);
    if (!(value >= 0 && value <= most)) {
      throw this.wrong(column, most === Infinity ? "a number of 0 or more" : `a number from 0 to ${most}`);
    }
    return value;
  }

  wrong(column: string, wanted: string): InputError {
    return new InputError(
      `${this.path}, row ${this.row}: ${column} is ${JSON.stringify(this.record[column] ?? "")}: ` +
        `${wanted} was expected.`,
    );
  }
}
