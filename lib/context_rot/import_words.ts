/**
 * Repeated words runs of Chroma's program as rows of ours.
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../base/errors.ts";
import { checkKind, type FieldReader } from "./import_fields.ts";
import type { SourceFile, SourceRecord } from "./import_records.ts";
import { readSource, type SourceFields, type SourceOptions, withoutCopies } from "./import_source.ts";
import { numberOf, placeOf, textOf } from "./import_values.ts";
import { standardPositions } from "./repeated_words_grid.ts";
import { pairName, type WordPair } from "./repeated_words_pairs.ts";
import { goldText } from "./repeated_words_prompt.ts";

/** A row of a foreign run. */
export interface WordsSourceRow extends SourceFields {
  /** The words. */
  readonly pair: WordPair;
  /** Words of the text; a phrase counts as one. */
  readonly count: number;
  /** 0-based place of the modified word. */
  readonly position: number;
}

/** The rows of one pair of words. */
export interface WordsSource {
  /** The words. */
  readonly pair: WordPair;
  /** By count, then by place. */
  readonly rows: readonly WordsSourceRow[];
  /** The files. */
  readonly files: readonly SourceFile[];
  /** For people: what was noticed. */
  readonly notes: readonly string[];
}

/**
 * Reads copies of repeated words: `gold` is the text, `id` is `{words}_{place of the modified word}`, as Chroma's
 * program writes them. The words themselves are read out of the text.
 *
 * @throws {InputError} when a file cannot be read or is of another kind, a row has no text, or its text is not one word
 * or phrase again and again with another one once among it.
 */
export async function readWordsRuns(
  paths: readonly string[],
  options: SourceOptions = {},
): Promise<WordsSource[]> {
  const pairs = new Map<string, WordPair>();
  const read = await readSource(paths, (fields, record, reader): WordsSourceRow => {
    const gold = textOf(reader.get(record, "gold"));
    if (gold === null || gold.trim() === "") {
      throw new InputError(
        `${placeOf(record)} has no text that was to be copied: name the column with --map gold=COLUMN.`,
      );
    }
    const { count, position } = placeIn(record, reader, fields.id);
    return {
      ...fields,
      count,
      position,
      pair: pairOf({ gold: gold.trim(), count, position, record, reader }, pairs),
    };
  }, { ...options, onColumns: (columns, path) => checkKind(columns, path, "chroma-repeated-words") });
  const groups = Map.groupBy(read.rows, (row) => pairName(row.pair));
  return [...groups.values()].map((rows): WordsSource => {
    const kept = withoutCopies(rows, (row) => `${row.count}_${row.position}`, (same) => same.slice(-1));
    const notes = [...read.notes];
    if (kept.copies > 0) notes.push(`${kept.copies} rows are copies of others, counted once`);
    if (kept.differing > 0) {
      notes.push(`${kept.differing} texts stand in several rows that differ; the last of each counts`);
    }
    const sorted = kept.rows.toSorted((a, b) => a.count - b.count || a.position - b.position);
    return {
      pair: (rows[0] as WordsSourceRow).pair,
      rows: sorted,
      files: read.files,
      notes: [...notes, ...missing(sorted)],
    };
  });
}

/** Where the modified word stands. */
export interface WordPlace {
  /** Words of the text; a phrase counts as one. */
  readonly count: number;
  /** 0-based place of the modified word. */
  readonly position: number;
}

function placeIn(record: SourceRecord, reader: FieldReader, id: string | null): WordPlace {
  const named = /^(\d+)_(\d+)$/.exec(id ?? "");
  const count = named === null ? numberOf(record, "wordCount", reader) : Number(named[1]);
  const position = named === null ? numberOf(record, "wordIndex", reader) : Number(named[2]);
  if (count === null || position === null) {
    throw new InputError(
      `${
        placeOf(record)
      } does not say how many words its text has and which one differs: an id such as 100_7, or the ` +
        `columns num_words and index, were expected (--map wordCount=COLUMN, --map wordIndex=COLUMN).`,
    );
  }
  if (Number.isSafeInteger(count) && Number.isSafeInteger(position) && position >= 0 && position < count) {
    return { count, position };
  }
  throw new InputError(`${placeOf(record)}: place ${position} of ${count} words is no place in the text.`);
}

function pairOf(
  { gold, count, position, record, reader }: WordPlace & {
    readonly gold: string;
    readonly record: SourceRecord;
    readonly reader: FieldReader;
  },
  known: Map<string, WordPair>,
): WordPair {
  const fits = (pair: WordPair) => goldText({ pair, count, position }) === gold;
  for (const pair of known.values()) if (fits(pair)) return pair;
  const common = textOf(reader.get(record, "commonWord"))?.trim();
  const modified = textOf(reader.get(record, "modifiedWord"))?.trim();
  const named = common && modified ? { base: common, modified } : null;
  const pair = named !== null && fits(named) ? named : wordsIn(gold, { count, position });
  if (pair === null) {
    throw new InputError(
      `${
        placeOf(record)
      }: the text is not ${count} words or phrases of which the one at place ${position} (from 0) ` +
        `alone differs: ${JSON.stringify(gold.slice(0, 60))}.`,
    );
  }
  known.set(pairName(pair), pair);
  return pair;
}

/** The words of a text: `count - 1` times one of `a` words, once another of `b` words; null when there are none such. */
export function wordsIn(gold: string, { count, position }: WordPlace): WordPair | null {
  const words = gold.split(" ");
  for (let a = 1; a * (count - 1) < words.length; a++) {
    const b = words.length - a * (count - 1);
    const at = a * position;
    const from = position > 0 ? 0 : b;
    const pair = { base: words.slice(from, from + a).join(" "), modified: words.slice(at, at + b).join(" ") };
    if (count < 2 || pair.base === pair.modified) continue;
    if (goldText({ pair, count, position }) === gold) return pair;
  }
  return null;
}

/** Says how much of the standard grid the rows are. */
function missing(rows: readonly WordsSourceRow[]): string[] {
  const counts = [...new Set(rows.map((row) => row.count))];
  const there = new Set(rows.map((row) => `${row.count}_${row.position}`));
  const wanted = counts.flatMap((count) =>
    standardPositions(count).map((position) => `${count}_${position}`)
  );
  const absent = wanted.filter((key) => !there.has(key)).length;
  const file = basename(rows[0]?.file ?? "");
  return absent === 0 ? [] : [
    `${file}: ${absent} of the ${
      wanted.length.toLocaleString("en-US")
    } places of these ${counts.length} lengths are not ` +
    `in the file; Chroma's evaluated files leave out what was taken for a refusal`,
  ];
}
