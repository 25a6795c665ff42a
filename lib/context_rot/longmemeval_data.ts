/**
 * The questions of LongMemEval with their texts under both conditions.
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../base/errors.ts";
import type { LongMemEvalPaths } from "./longmemeval_config.ts";
import {
  type Condition,
  CONDITIONS,
  type MemoryEntry,
  type MemoryFile,
  openMemoryFile,
} from "./longmemeval_file.ts";
import { ABSTENTION, isAbstentionId, readQuestionTypes } from "./longmemeval_types.ts";

/** A question and where its texts are. */
export interface MemoryItem {
  /** Its id. */
  readonly id: string;
  /** Its kind; `abstention` when its id ends with `_abs`; null when it is not known. */
  readonly type: string | null;
  /** Its row in each file. */
  readonly entries: Readonly<Record<Condition, MemoryEntry>>;
}

/** Data of a run. */
export interface MemoryData {
  /** For people: `306 questions of cleaned_longmemeval_s_focused.csv and ..._full.csv`. */
  readonly description: string;
  /** The questions, in the order of the focused file. */
  readonly items: readonly MemoryItem[];
  /** Questions whose kind is not known, `_abs` aside. */
  readonly untyped: number;
  /** Reads a text again, byte for byte. @throws {InputError} when its file has changed since. */
  text(condition: Condition, entry: MemoryEntry): Promise<string>;
}

/** Files that were opened, by path, size and time: several models of a run share them. */
const opened = new Map<string, Promise<MemoryData>>();

/**
 * Opens the files of a run: reads them once, and keeps the places of their texts.
 *
 * @throws {InputError} when a file is missing, torn or damaged, or the two do not hold the same questions.
 */
export function openMemoryData(paths: LongMemEvalPaths): Promise<MemoryData> {
  const key = JSON.stringify([paths.focused, paths.full, paths.types].map(stamp));
  const known = opened.get(key);
  if (known !== undefined) return known;
  const data = open(paths);
  opened.clear();
  opened.set(key, data);
  data.catch(() => opened.delete(key));
  return data;
}

function stamp(path: string | null): unknown {
  if (path === null) return null;
  try {
    const { size, mtime, ino } = Deno.statSync(path);
    return [path, size, mtime?.getTime(), ino];
  } catch {
    return [path];
  }
}

async function open(paths: LongMemEvalPaths): Promise<MemoryData> {
  const files: Record<Condition, MemoryFile> = {
    focused: await openMemoryFile(paths.focused, "focused"),
    full: await openMemoryFile(paths.full, "full"),
  };
  const types = paths.types === null ? new Map<string, string>() : await readQuestionTypes(paths.types);
  const byId = new Map(files.full.entries.map((entry) => [entry.id, entry]));
  sameIds(files);
  const items = files.focused.entries.map((focused): MemoryItem => {
    const full = byId.get(focused.id) as MemoryEntry;
    if (spaced(focused.question) !== spaced(full.question)) {
      throw new InputError(
        `${paths.focused}, line ${focused.line}, and ${paths.full}, line ${full.line}, ask different questions under the ` +
          `id ${focused.id}: use two files of the same download.`,
      );
    }
    return {
      id: focused.id,
      type: isAbstentionId(focused.id) ? ABSTENTION : types.get(focused.id) ?? null,
      entries: { focused, full },
    };
  });
  const n = items.length.toLocaleString("en-US");
  return {
    description: paths.sample
      ? `our own sample of ${n} questions`
      : `${n} questions of ${[...new Set(CONDITIONS.map((name) => basename(paths[name])))].join(" and ")}`,
    items,
    untyped: items.filter(({ type }) => type === null).length,
    text: (condition, entry) => files[condition].text(entry),
  };
}

function sameIds({ focused, full }: Readonly<Record<Condition, MemoryFile>>): void {
  const lacks = (file: MemoryFile, other: MemoryFile) => {
    const ids = new Set(file.entries.map(({ id }) => id));
    const missing = other.entries.filter(({ id }) => !ids.has(id));
    if (missing.length === 0) return [];
    const shown = missing.slice(0, 5).map(({ id }) => id).join(", ");
    return [`${file.path} lacks ${missing.length} (${shown}${missing.length > 5 ? ", ..." : ""})`];
  };
  const problems = [...lacks(focused, full), ...lacks(full, focused)];
  if (problems.length === 0) return;
  throw new InputError(
    `The two files do not hold the same questions: of ${focused.entries.length} focused and ${full.entries.length} ` +
      `full ones, ${problems.join("; ")}. Use two files of the same download (deno task data longmemeval).`,
  );
}

const spaced = (text: string) => text.trim().replace(/\s+/g, " ");
