/**
 * What people say of single rows, over what match and judges say.
 * @module
 */
import { basename } from "node:path";
import { CsvError, type Info, parse } from "csv-parse/sync";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";

/** A person's verdict on a row. */
export interface Label {
  /** Whether its output is right. */
  readonly correct: boolean;
  /** Why, in the person's words; may be empty. */
  readonly note: string;
  /** Whether it stands in the queue of disagreements, and not in the relabel file. */
  readonly queued: boolean;
}

/** Labels by the row's id. */
export type Labels = ReadonlyMap<string, Label>;

const RIGHT = new Set(["true", "correct", "right", "yes", "1"]);
const WRONG = new Set(["false", "wrong", "incorrect", "no", "0"]);

/**
 * Reads the labels of a run: `{run}_relabel.csv` with the columns id, label and, if wanted, note; and the label column
 * of the `{run}_disagreements.csv` that a run with several judges leaves. Either may be missing, and rows without a
 * label are passed over.
 *
 * @throws {InputError} when a file is no such CSV, an id is not in the plan, a label is neither true nor false, or an id
 * has two labels that differ.
 */
export async function readLabels(
  files: { readonly relabel: string; readonly disagreements: string },
  planned: ReadonlySet<string>,
): Promise<Labels> {
  const labels = new Map<string, Label & { readonly place: string }>();
  for (const queued of [true, false]) {
    const path = queued ? files.disagreements : files.relabel;
    const text = await readTextIfExists(path);
    if (text === undefined) continue;
    for (const { id, label, place } of labelsIn(text, path, queued)) {
      if (!planned.has(id)) {
        throw new InputError(
          `${place}: there is no row ${
            JSON.stringify(id)
          } in this run: take ids from its evaluated CSV, or remove the line.`,
        );
      }
      const before = labels.get(id);
      if (before !== undefined && before.correct !== label.correct) {
        throw new InputError(
          `${place} labels the row ${id} ${label.correct}, but ${before.place} labels it ${before.correct}: keep one of them.`,
        );
      }
      labels.set(id, { ...label, place });
    }
  }
  return new Map([...labels].map(([id, { place: _, ...label }]) => [id, label]));
}

interface PlacedLabel {
  readonly id: string;
  readonly label: Label;
  readonly place: string;
}

function labelsIn(text: string, path: string, queued: boolean): PlacedLabel[] {
  const name = basename(path);
  let records: { record: Record<string, string>; info: Info }[];
  try {
    records = parse(text, {
      bom: true,
      columns: (header: string[]) => header.map((column) => column.trim().toLowerCase()),
      info: true,
      skip_empty_lines: true,
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(`${name} cannot be read as CSV (${error.message}): repair it, or delete it.`, {
      cause: error,
    });
  }
  const [first] = records;
  const missing = ["id", "label"].find((column) => first !== undefined && !(column in first.record));
  if (missing !== undefined) {
    throw new InputError(`${name} has no column ${missing}: its first line must name id and label.`);
  }
  return records.flatMap(({ record, info }) => {
    const said = (record["label"] ?? "").trim();
    if (said === "") return [];
    const place = `${name}, line ${info.lines}`;
    const word = said.toLowerCase();
    if (!RIGHT.has(word) && !WRONG.has(word)) {
      throw new InputError(
        `${place}: the label is ${JSON.stringify(said)}: write true or false, or leave it empty.`,
      );
    }
    const label = { correct: RIGHT.has(word), note: (record["note"] ?? "").trim(), queued };
    return [{ id: (record["id"] ?? "").trim(), label, place }];
  });
}
