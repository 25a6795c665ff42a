/**
 * Needle runs of other programs as rows of ours: Chroma's CSVs, Kamradt's JSON, niah-v2 JSON lines.
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../base/errors.ts";
import type { LengthUnit } from "./audit_summary.ts";
import { checkKind, type ImportKind } from "./import_fields.ts";
import type { SourceFile, SourceRecord } from "./import_records.ts";
import { readSource, type SourceFields, type SourceOptions, withoutCopies } from "./import_source.ts";
import { expectedTokens, isCopy, isStale, seenWindow, type SentFrom } from "./import_tokens.ts";
import { neededNumber, numberOf, placeOf } from "./import_values.ts";

/** A row of a foreign needle run. */
export interface NiahSourceRow extends SourceFields {
  /** Input length as planned, in the run's unit. */
  readonly length: number;
  /** Depth of the needle, 0..100. */
  readonly depth: number;
  /** From 0 within its cell. */
  readonly trial: number;
  /** Where `sent` is from. */
  readonly sentFrom: SentFrom;
}

/** One model's run out of the files. */
export interface NiahSource {
  /** The model the file names, or null. */
  readonly model: string | null;
  /** The text variant that tells it from other runs in the same file, or null. */
  readonly variant: string | null;
  /** Its rows, by length, depth and trial. */
  readonly rows: readonly NiahSourceRow[];
  /** What lengths are counted in. */
  readonly unit: LengthUnit;
  /** Whether a judge's verdicts or scores were in the files. */
  readonly judged: boolean;
  /** Whether `sent` was counted with the model's own tokenizer. */
  readonly exact: boolean;
  /** The context window, and whether the run's counts alone show it; null where nobody says. */
  readonly window: { readonly tokens: number; readonly seen: boolean } | null;
  /** The files. */
  readonly files: readonly SourceFile[];
  /** For people: what was noticed. */
  readonly notes: readonly string[];
}

/** How a needle run is read. */
export interface NiahImportOptions extends SourceOptions {
  /** `chroma-niah` or `niah-v2`. */
  readonly kind: ImportKind;
  /** The context window, over what the file says. */
  readonly window?: number | null;
}

interface Raw extends SourceFields {
  readonly length: number;
  /** What lengths are counted in. */
  readonly unit: LengthUnit;
  readonly depth: number;
  readonly trial: number | null;
}

/**
 * Reads the results of one or several needle runs. Files with verdicts and files without are joined on length, depth
 * and trial (or on the rows' own ids); runs of several models or text variants in one file are told apart.
 *
 * @throws {InputError} when a file cannot be read, is of another kind, or a row has no length or depth.
 */
export async function readNiahRuns(
  paths: readonly string[],
  options: NiahImportOptions,
): Promise<NiahSource[]> {
  const read = await readSource(paths, (fields, record, reader): Raw => {
    const chars = numberOf(record, "lengthChars", reader);
    return {
      ...fields,
      length: positive(chars ?? neededNumber(record, "length", reader), record),
      unit: chars === null ? "tokens" : "characters",
      depth: neededNumber(record, "depth", reader),
      trial: numberOf(record, "trial", reader),
    };
  }, { ...options, onColumns: (columns, path) => checkKind(columns, path, options.kind) });
  const percent = inPercent(read.rows);
  const runs = Map.groupBy(percent, (row) => JSON.stringify([row.model, row.variant, row.unit]));
  return [...runs.values()].map((rows) => oneRun(rows, read.files, read.notes, options));
}

function positive(length: number, record: SourceRecord): number {
  if (length > 0) return length;
  throw new InputError(`${placeOf(record)}: an input length of ${length}, a number above 0 was expected.`);
}

/** Depths given as shares (0.3) become percent (30). */
function inPercent(rows: readonly Raw[]): readonly Raw[] {
  const most = rows.reduce((max, row) => Math.max(max, row.depth), 0);
  if (most > 100) {
    const row = rows.find(({ depth }) => depth > 100) as Raw;
    throw new InputError(
      `${row.file}, line ${row.line}: a needle depth of ${row.depth} is beyond 100%: name the column with the depth ` +
        `with --map depth=COLUMN.`,
    );
  }
  const shares = most <= 1 && (most === 1 || rows.some(({ depth }) => depth > 0));
  return shares ? rows.map((row) => ({ ...row, depth: Number((row.depth * 100).toFixed(6)) })) : rows;
}

function oneRun(
  all: readonly Raw[],
  files: readonly SourceFile[],
  readNotes: readonly string[],
  options: NiahImportOptions,
): NiahSource {
  const notes = [...readNotes];
  const first = all[0] as Raw;
  const byFile = [...Map.groupBy(all, (row) => row.file).values()];
  // A folder of one record a file is one list.
  const lists = byFile.length > files.length ? [all] : byFile;
  const cleaned = lists.map((rows) => numbered(rows, notes));
  const judgedLists = cleaned.filter((rows) => rows.some((row) => row.verdict !== null));
  const plain = cleaned.filter((rows) => !judgedLists.includes(rows));
  if (judgedLists.length > 1 || (judgedLists.length === 0 && plain.length > 1)) {
    const names = (judgedLists.length > 1 ? judgedLists : plain).map((rows) => rows[0]?.file);
    throw new InputError(
      `${names.join(" and ")} are ${
        judgedLists.length > 1 ? "evaluated" : "results"
      } files of the same kind: import ` +
        `one run at a time, its evaluated file and its results file.`,
    );
  }
  const judged = judgedLists[0] ?? null;
  const main = judged ?? plain[0] as Raw[];
  const others = judged === null ? [] : plain;
  const rows = withTokens(main, others, notes);
  const { window, exact } = windowOf(rows, first.unit, options, notes);
  return {
    model: first.model,
    variant: first.variant,
    rows: rows.toSorted((a, b) => a.length - b.length || a.depth - b.depth || a.trial - b.trial),
    unit: first.unit,
    judged: judged !== null,
    exact,
    window,
    files,
    notes,
  };
}

/** Rows without copies, numbered within their cell. */
function numbered(rows: readonly Raw[], notes: string[]): Raw[] {
  const file = nameOf(rows[0]?.file);
  const ids = rows.every((row) => row.id !== null);
  const cell = (row: Raw) => JSON.stringify([row.length, row.depth, row.trial]);
  const key = ids ? (row: Raw) => row.id as string : cell;
  // A log that was appended to: the last line of an id counts. Rows of one cell that differ are trials.
  const kept = withoutCopies(rows, key, ids ? (same) => same.slice(-1) : (same) => same);
  if (kept.copies > 0) notes.push(`${file}: ${count(kept.copies, "row")} a copy of another, counted once`);
  if (kept.differing > 0) {
    notes.push(
      ids
        ? `${file}: ${count(kept.differing, "id")} in several rows that differ; the last counts`
        : `${file}: ${count(kept.differing, "cell")} in several rows that differ; they count as trials`,
    );
  }
  const seen = new Map<string, number>();
  return kept.rows.map((row) => {
    if (row.trial !== null && (ids || kept.differing === 0)) return row;
    const place = JSON.stringify([row.length, row.depth]);
    const trial = seen.get(place) ?? 0;
    seen.set(place, trial + 1);
    return { ...row, trial };
  });
}

const nameOf = (path: string | undefined) => basename(path ?? "");

const count = (n: number, noun: string) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? " is" : "s are"}`;

const joinKey = (row: Raw) => JSON.stringify([row.length, row.depth, row.trial]);

/** Gives each row the best count of what was sent. */
function withTokens(main: readonly Raw[], others: readonly Raw[][], notes: string[]): NiahSourceRow[] {
  const file = nameOf(main[0]?.file);
  let own = main;
  if (isStale(main)) {
    const value = main.find((row) => row.sent !== null)?.sent;
    notes.push(
      `${file}: token_count is ${value} on all ${main.length} rows, whatever their length: a stale value, not used`,
    );
    own = main.map((row) => ({ ...row, sent: null }));
  } else if (isCopy(main)) own = main.map((row) => ({ ...row, sent: null }));
  const joined = own.map((row): Raw => {
    for (const other of others) {
      const match = lookup(other).get(joinKey(row));
      if (match === undefined) continue;
      return { ...row, sent: row.sent ?? match.sent, reported: row.reported ?? match.reported };
    }
    return row;
  });
  for (const other of others) notes.push(...joinNotes(main, other));
  const estimates = joined.some((row) => row.sent === null) && joined[0]?.unit === "characters"
    ? expectedTokens(joined)
    : new Map<number, number>();
  return joined.map((row): NiahSourceRow => {
    const trial = row.trial ?? 0;
    if (row.sent !== null) return { ...row, trial, sentFrom: "file" };
    if (row.unit === "tokens") return { ...row, trial, sent: row.length, sentFrom: "planned length" };
    const estimate = estimates.get(row.length) ?? null;
    const sentFrom = estimate === null ? "unknown" : "estimated from the run's own counts";
    return { ...row, trial, sent: estimate, sentFrom };
  });
}

const lookups = new WeakMap<readonly Raw[], Map<string, Raw>>();
function lookup(rows: readonly Raw[]): Map<string, Raw> {
  const found = lookups.get(rows) ?? new Map(rows.map((row) => [joinKey(row), row]));
  lookups.set(rows, found);
  return found;
}

function joinNotes(main: readonly Raw[], other: readonly Raw[]): string[] {
  const theirs = lookup(other);
  const ours = new Set(main.map(joinKey));
  const matched = main.filter((row) => theirs.has(joinKey(row)));
  const alone = main.length - matched.length;
  const left = other.filter((row) => !ours.has(joinKey(row))).length;
  const differ = matched.filter((row) => {
    const output = theirs.get(joinKey(row))?.output ?? null;
    return output !== null && row.output !== null && output.trim() !== row.output.trim();
  }).length;
  const file = nameOf(other[0]?.file);
  return [
    `${file}: ${matched.length} of ${main.length} rows found again by length and depth` +
    (alone > 0 ? `; ${alone} have no row there` : "") +
    (left > 0 ? `; ${left} of its rows were never evaluated and are left out` : ""),
    ...(differ > 0 ? [`${file}: ${differ} outputs differ from the evaluated ones, which count`] : []),
  ];
}

function windowOf(
  rows: readonly NiahSourceRow[],
  unit: LengthUnit,
  options: NiahImportOptions,
  notes: string[],
): Pick<NiahSource, "window" | "exact"> {
  const stated = options.window ?? rows.find((row) => row.window !== null)?.window ?? null;
  // Lengths planned in tokens are often powers of two themselves, and then show nothing.
  const seen = stated === null && unit === "characters" ? seenWindow(rows) : null;
  if (seen !== null) {
    notes.push(
      `a context window of ${
        seen.toLocaleString("en-US")
      } tokens is taken from the counts: it is the largest, and ` +
        `stands on every row of a length (give another with --window)`,
    );
  }
  const tokens = stated ?? seen;
  return {
    window: tokens === null ? null : { tokens, seen: stated === null },
    exact: unit === "characters" && rows.every((row) => row.sentFrom === "file" || row.skip !== null),
  };
}
