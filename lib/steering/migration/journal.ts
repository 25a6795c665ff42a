/**
 * What a migration set out to do, so that it can be finished or undone however it ended.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../../base/errors.ts";
import { readTextIfExists, unwritable, writeAtomic } from "../../base/files.ts";

/** The journal's name, in the folder that is migrated. */
export const JOURNAL = ".probebook_migration.jsonl";
const FORMAT = "probebook-migration/1";

/** A configuration that was rewritten. */
export interface ConfigChange {
  /** The older config.json. */
  readonly from: string;
  /** Its text. */
  readonly oldText: string;
  /** Where that text is kept. */
  readonly kept: string;
  /** Today's config.json. */
  readonly to: string;
  /** Its text. */
  readonly newText: string;
  /** Whether an earlier migration did it. */
  readonly done?: true | undefined;
}

/** One file that changes its place. */
export interface JournalMove {
  /** Where it was. */
  readonly from: string;
  /** Where it goes. */
  readonly to: string;
  /** Whether an earlier migration did it. */
  readonly done?: true | undefined;
}

/** `moving` until every move is done; then `done`, until it is undone: `rolling back`. */
export type MigrationState = "moving" | "done" | "rolling back";

/** A migration on disk. */
export interface Journal {
  /** How far it is. */
  readonly state: MigrationState;
  /** ISO time at which it was begun. */
  readonly created: string;
  /** The choices it was begun with: another choice is another migration. */
  readonly choices: string;
  /** Folders that are not removed when they are empty: results and experiments. */
  readonly roots: readonly string[];
  /** Configurations, in order. */
  readonly configs: readonly ConfigChange[];
  /** Files, in order. */
  readonly moves: readonly JournalMove[];
}

const lineSchema = z.union([
  z.object({
    format: z.literal(FORMAT),
    created: z.string(),
    choices: z.string(),
    roots: z.array(z.string()),
  }),
  z.object({
    config: z.object({
      from: z.string(),
      oldText: z.string(),
      kept: z.string(),
      to: z.string(),
      newText: z.string(),
      done: z.literal(true).optional(),
    }),
  }),
  z.object({ from: z.string(), to: z.string(), done: z.literal(true).optional() }),
  z.object({ state: z.enum(["done", "rolling back"]) }),
]);

/**
 * Reads the journal of a folder.
 *
 * @returns null when there is none.
 * @throws {InputError} when it is damaged.
 */
export async function readJournal(folder: string): Promise<Journal | null> {
  const path = join(folder, JOURNAL);
  const text = await readTextIfExists(path);
  if (text === undefined) return null;
  const bad = (reason: string, cause?: unknown) =>
    new InputError(`${path} is damaged (${reason}): without it a migration cannot be finished or undone.`, {
      cause,
    });
  let head: { created: string; choices: string; roots: string[] } | null = null;
  let state: MigrationState = "moving";
  const configs: ConfigChange[] = [];
  const moves: JournalMove[] = [];
  const lines = text.split("\n");
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    let parsed: z.infer<typeof lineSchema>;
    try {
      parsed = lineSchema.parse(JSON.parse(line));
    } catch (cause) {
      if (moves.length + configs.length > 0 && /^\{"st/.test(line)) continue; // a mark whose writing was killed
      throw bad(`line ${i + 1}: ${messageOf(cause)}`, cause);
    }
    if ("format" in parsed) head = parsed;
    else if ("config" in parsed) configs.push(parsed.config);
    else if ("state" in parsed) state = parsed.state;
    else moves.push(parsed);
  }
  if (head === null) throw bad("it has no first line");
  return { state, created: head.created, choices: head.choices, roots: head.roots, configs, moves };
}

/** Writes a journal whole or not at all. @throws {InputError} when it cannot be written. */
export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  const { state, created, choices, roots, configs, moves } = journal;
  const lines = [
    { format: FORMAT, created, choices, roots },
    ...configs.map((config) => ({ config })),
    ...moves,
    ...(state === "moving" ? [] : [{ state }]),
  ];
  await writeAtomic(join(folder, JOURNAL), lines.map((line) => JSON.stringify(line) + "\n"));
}

/** Notes how far a migration is. @throws {InputError} when it cannot be written. */
export async function markJournal(folder: string, state: Exclude<MigrationState, "moving">): Promise<void> {
  const path = join(folder, JOURNAL);
  try {
    // A line break first, in case the last mark was cut off.
    await Deno.writeTextFile(path, `\n${JSON.stringify({ state })}\n`, { append: true });
  } catch (error) {
    throw unwritable(path, error, "--from");
  }
}

/** Forgets a migration that was undone. */
export async function removeJournal(folder: string): Promise<void> {
  await Deno.remove(join(folder, JOURNAL));
}
