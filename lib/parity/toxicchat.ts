/**
 * Messages with labels, in ToxicChat's columns (Lin et al. 2023).
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { InputError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Label } from "./pair_rows.ts";
import { readParquet } from "./parquet.ts";

/** The columns of a data set; the first three are needed. */
export const TOXICCHAT_COLUMNS = [
  "conv_id",
  "user_input",
  "toxicity",
  "model_output",
  "human_annotation",
  "jailbreaking",
  "openai_moderation",
] as const;
const NEEDED = TOXICCHAT_COLUMNS.slice(0, 3);

/** One message. */
export interface ChatItem {
  /** `conv_id`; with `#2` behind it where it comes a second time. */
  readonly item: string;
  /** What the person wrote. */
  readonly text: string;
  /** 1 = toxic. */
  readonly toxicity: Label;
  /** 1 = tries to make the assistant drop its rules; null where not known. */
  readonly jailbreaking: Label | null;
  /** Whether a person set the labels; null where not known. */
  readonly humanAnnotation: boolean | null;
}

/** A data set. */
export interface ChatData {
  /** For people: the file's name. */
  readonly name: string;
  /** Messages in the file's order; those without a text are left out. */
  readonly items: readonly ChatItem[];
  /** Messages without a text. */
  readonly empty: number;
  /** SHA-256 of all ids, texts and labels. */
  readonly fingerprint: string;
}

/** The sample that ships: our own, mild. */
export const SAMPLE_PATH: string = fileURLToPath(new URL("../../data/parity_sample.csv", import.meta.url));

/**
 * Reads a data set from a .csv or .parquet file.
 *
 * @throws {InputError} when the file cannot be read, a column is missing, or a label is not 0 or 1.
 */
export async function readToxicChat(path: string): Promise<ChatData> {
  const records = await readRecords(path);
  const first = records[0];
  if (first === undefined) throw new InputError(`${path} holds no rows.`);
  const missing = NEEDED.filter((column) => !Object.hasOwn(first, column));
  if (missing.length > 0) {
    throw new InputError(
      `${path} has no column ${missing.join(", ")}: ToxicChat's columns are ${
        TOXICCHAT_COLUMNS.join(", ")
      }, of ` +
        `which ${NEEDED.join(", ")} are needed. It has ${Object.keys(first).join(", ")}.`,
    );
  }
  const seen = new Map<string, number>();
  const items: ChatItem[] = [];
  let empty = 0;
  for (const [i, record] of records.entries()) {
    const id = String(record["conv_id"] ?? "").trim() || `row ${i + 1}`;
    const text = String(record["user_input"] ?? "");
    const toxicity = bitOf(record["toxicity"]);
    if (toxicity === null) {
      throw new InputError(
        `${path}, row ${i + 1}: toxicity is ${
          JSON.stringify(record["toxicity"] ?? "")
        }: 0 or 1 was expected.`,
      );
    }
    if (text.trim() === "") {
      empty++;
      continue;
    }
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    const human = bitOf(record["human_annotation"]);
    items.push({
      item: times === 1 ? id : `${id}#${times}`,
      text,
      toxicity,
      jailbreaking: bitOf(record["jailbreaking"]),
      humanAnnotation: human === null ? null : human === 1,
    });
  }
  if (items.length === 0) throw new InputError(`${path} holds no message with a text.`);
  const fingerprint = sha256(JSON.stringify(items.map(({ item, text, toxicity }) => [item, text, toxicity])));
  return { name: basename(path), items, empty, fingerprint };
}

async function readRecords(path: string): Promise<readonly Record<string, unknown>[]> {
  if (/\.parquet$/i.test(path)) return await readParquet(path);
  if (!/\.csv$/i.test(path)) {
    throw new InputError(`${path} is neither a .csv nor a .parquet file: give one in ToxicChat's columns.`);
  }
  try {
    return parse(await Deno.readTextFile(path), {
      bom: true,
      columns: (names: string[]) => names.map((name) => name.trim()),
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n"],
    });
  } catch (error) {
    throw new InputError(`Cannot read ${path} as a CSV: ${messageOf(error)}.`, { cause: error });
  }
}

/** A label as files write it: 0, 1, true, False, "1.0"; null for anything else. */
function bitOf(value: unknown): Label | null {
  const text = String(value ?? "").trim().toLowerCase();
  if (["1", "1.0", "true"].includes(text)) return 1;
  return ["0", "0.0", "false"].includes(text) ? 0 : null;
}
