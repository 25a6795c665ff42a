/**
 * Moves experiments of older layouts into this one: planned whole, written down, then done, so that it can be killed at
 * any moment and finished or undone. Nothing is ever overwritten.
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { loadVariants } from "../../backends/variants.ts";
import { InputError } from "../../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../../base/files.ts";
import { canonicalJson, type Json } from "../../base/hash.ts";
import { lockRun } from "../../runs/lock.ts";
import { checkSegment } from "../layout.ts";
import { parsePosition, positionName } from "../position.ts";
import { AREAS, findExperiments, LOCK, type OldExperiment } from "./find_files.ts";
import {
  type ConfigChange,
  type Journal,
  type JournalMove,
  markJournal,
  readJournal,
  removeJournal,
  writeJournal,
} from "./journal.ts";
import { migrateConfig, type NewConfig } from "./migrate_config.ts";
import { moveFile } from "./move_file.ts";
import { planMigration } from "./plan_migration.ts";

/** What may be chosen of a migration. */
export interface MigrationSettings {
  /** An older experiment's folder, or a folder of several. */
  readonly from: string;
  /** The results folder. */
  readonly to: string;
  /** The folder of experiments, where config.json belongs. */
  readonly experiments: string;
  /** The variant of everything that has none; null for what config.json says. */
  readonly modelVariant: string | null;
  /** The position of steering that has none. */
  readonly position: string;
}

/** A migration before it begins. */
export interface PlannedMigration {
  /** Files that change their place. */
  readonly moves: readonly JournalMove[];
  /** Configurations that are rewritten. */
  readonly configs: readonly ConfigChange[];
  /** Files that are where they belong. */
  readonly stay: number;
  /** What should be known. */
  readonly notes: readonly string[];
}

/** Options of a migration that is done. */
export interface MigrateOptions {
  /** Told after files that were moved. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Told what will be done, before the first file is moved. */
  readonly onPlan?: (plan: PlannedMigration) => void;
  /** Stops between files; the same call goes on. */
  readonly signal?: AbortSignal;
}

/** How a migration ended. */
export interface MigrationResult {
  /** Files that were moved now. */
  readonly moved: number;
  /** Files that had been moved before. */
  readonly before: number;
  /** Files that were to move and are at neither place. */
  readonly missing: readonly string[];
}

/** Moves at once. */
const WORKERS = 8;

/**
 * Plans a migration. Nothing is changed.
 *
 * @throws {InputError} when there is no experiment, a variant cannot be told, or a file would come where one is.
 */
export async function planMigrate(settings: MigrationSettings): Promise<PlannedMigration> {
  const moves: JournalMove[] = [], configs: ConfigChange[] = [], notes: string[] = [];
  let stay = 0;
  for (const old of await someExperiments(resolve(settings.from))) {
    const experiment = checkSegment("experiment", basename(old.folder));
    const target = join(resolve(settings.to), experiment);
    if (target.startsWith(`${old.folder}/`) || old.folder.startsWith(`${target}/`)) {
      throw new InputError(
        `${old.folder} cannot be moved to ${target}: one lies in the other. Choose another --to.`,
      );
    }
    const { config, known, change } = await configOf(old, experiment, target, settings);
    if (change !== null) configs.push(change);
    const plan = planMigration(old.files, {
      variants: known,
      extraction: config.defaults.extraction,
      application: config.defaults.application,
      position: positionName(parsePosition(settings.position)),
    });
    for (const { from, to } of plan.moves) {
      const move = { from: join(old.folder, from), to: join(target, to) };
      if (move.from === move.to) stay++;
      else moves.push(move);
    }
    notes.push(...plan.notes.map((note) => `${experiment}: ${note}`));
    if (old.others.length > 0) {
      notes.push(
        `${experiment}: ${old.others.length} links or devices stay where they are: ${
          old.others.slice(0, 5).join(", ")
        }`,
      );
    }
  }
  await checkFree(moves, configs);
  return { moves, configs, stay, notes };
}

interface FoundConfig {
  readonly config: Pick<NewConfig, "defaults">;
  readonly known: ReadonlySet<string>;
  readonly change: ConfigChange | null;
}

async function configOf(
  old: OldExperiment,
  experiment: string,
  target: string,
  { experiments, modelVariant }: MigrationSettings,
): Promise<FoundConfig> {
  if (modelVariant !== null) checkSegment("model variant", modelVariant);
  const shared = await loadVariants().then((variants) => [...variants.keys()], (): string[] => []);
  const to = join(resolve(experiments), experiment, "config.json");
  const from = join(old.folder, "config.json");
  const there = from === to ? undefined : await readTextIfExists(to);
  const described = there ?? old.config;
  if (described === null) {
    if (modelVariant === null) {
      throw new InputError(
        `${old.folder} has no config.json that says which model its results are of: say it with --model-variant NAME.`,
      );
    }
    const defaults = { extraction: modelVariant, application: modelVariant };
    return { config: { defaults }, known: new Set([...shared, modelVariant]), change: null };
  }
  const path = there === undefined ? from : to;
  const own = Object.keys(newVariants(described));
  const wanted =
    modelVariant !== null && own.length > 0 && !own.includes(modelVariant) && shared.includes(modelVariant)
      ? null // a variant of models.json
      : modelVariant;
  const migrated = migrateConfig(described, path, wanted);
  const defaults = modelVariant === null
    ? migrated.defaults
    : { extraction: modelVariant, application: modelVariant };
  const newText = JSON.stringify(migrated, null, 2) + "\n";
  const known = new Set([
    ...shared,
    ...Object.keys(migrated.model_variants),
    ...(modelVariant === null ? [] : [modelVariant]),
  ]);
  const change = old.config === null || (from === to && sameJson(old.config, newText)) ? null : {
    from,
    oldText: old.config,
    kept: join(target, "config.before_migration.json"),
    to,
    newText: there ?? newText,
  };
  return { config: { defaults }, known, change };
}

function newVariants(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    const variants: unknown = json !== null && typeof json === "object"
      ? Reflect.get(json, "model_variants")
      : null;
    return variants !== null && typeof variants === "object" ? variants as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

function sameJson(a: string, b: string): boolean {
  return canonicalJson(JSON.parse(a) as Json) === canonicalJson(JSON.parse(b) as Json);
}

/** Checks that every new place is free. */
async function checkFree(moves: readonly JournalMove[], configs: readonly ConfigChange[]): Promise<void> {
  const taken = new Map<string, string>();
  const problems: string[] = [];
  for (const { from, to } of moves) {
    const other = taken.get(to);
    if (other !== undefined) problems.push(`${from} and ${other} would both become ${to}`);
    taken.set(to, from);
  }
  const wanted = [...taken.keys(), ...configs.map(({ kept }) => kept)];
  for (let at = 0; at < wanted.length; at += 256) {
    const batch = wanted.slice(at, at + 256);
    const found = await Promise.all(batch.map((path) => exists(path)));
    batch.forEach((path, i) => found[i] && problems.push(`${path} exists`));
  }
  if (problems.length === 0) return;
  const more = problems.length > 10 ? `\n... and ${problems.length - 10} more` : "";
  throw new InputError(
    `Nothing was moved, because ${problems.length} files would be overwritten:\n${
      problems.slice(0, 10).join("\n")
    }${more}\n` +
      "Move them away, then start again.",
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** The journal of a folder. @throws {InputError} when it is damaged. */
export function migrationUnderWay(from: string): Promise<Journal | null> {
  return readJournal(resolve(from));
}

/**
 * Does a migration, or finishes one that was killed.
 *
 * @throws {InputError} as {@linkcode planMigrate}, when another process is at it, when a file would be overwritten, when
 * another migration of the folder is not finished, or when it is being undone.
 * @throws the signal's reason when it is aborted.
 */
export async function migrate(
  settings: MigrationSettings,
  options: MigrateOptions = {},
): Promise<MigrationResult> {
  const from = resolve(settings.from);
  if (await readJournal(from) === null) await someExperiments(from);
  using _lock = await lockRun(join(from, LOCK));
  let journal = await readJournal(from);
  const choices = choicesOf(settings);
  if (journal?.state === "rolling back") {
    throw new InputError(`The migration of ${from} is being undone: finish that with --roll-back.`);
  }
  if (journal?.state === "moving" && journal.choices !== choices) {
    throw new InputError(
      `Another migration of ${from} is not finished (${journal.choices}): finish it with the same flags, or undo it with ` +
        "--roll-back.",
    );
  }
  if (journal?.state !== "moving") {
    const plan = journal !== null && (await findExperiments(from)).length === 0
      ? { moves: [], configs: [], stay: 0, notes: [] }
      : await planMigrate(settings);
    options.onPlan?.(plan);
    const { moves, configs } = plan;
    if (moves.length + configs.length === 0) return { moved: 0, before: 0, missing: [] };
    // What an earlier migration moved stays known, so that all of it can be undone.
    journal = {
      state: "moving",
      created: new Date().toISOString(),
      choices,
      roots: [resolve(settings.to), resolve(settings.experiments)],
      configs: [...(journal?.configs ?? []).map(asDone), ...configs],
      moves: [...(journal?.moves ?? []).map(asDone), ...moves],
    };
    await writeJournal(from, journal);
  }
  for (const change of journal.configs.filter(({ done }) => !done)) await changeConfig(change);
  const now = journal.moves.filter(({ done }) => !done);
  const result = await moveAll(now, options);
  await removeEmpty(now.map((move) => move.from), [from]);
  await markJournal(from, "done");
  return result;
}

function asDone<T>(one: T): T & { readonly done: true } {
  return { ...one, done: true };
}

async function someExperiments(folder: string): Promise<OldExperiment[]> {
  const found = await findExperiments(folder);
  if (found.length > 0) return found;
  throw new InputError(
    `${folder} is no experiment and holds none: an experiment's folder has ${
      AREAS.join(", ")
    } in it, or some of them.`,
  );
}

function choicesOf({ to, experiments, modelVariant, position }: MigrationSettings): string {
  return canonicalJson({ to: resolve(to), experiments: resolve(experiments), modelVariant, position });
}

/**
 * Undoes a migration, finished or not: every file goes back, configurations are as they were. Folders that are empty then
 * are removed.
 *
 * @throws {InputError} when there is none, a file would be overwritten, or another process is at it.
 * @throws the signal's reason when it is aborted.
 */
export async function rollBack(from: string, options: MigrateOptions = {}): Promise<MigrationResult> {
  const folder = resolve(from);
  if (await readJournal(folder) === null) {
    throw new InputError(`No migration of ${folder} is on record: there is nothing to undo.`);
  }
  using _lock = await lockRun(join(folder, LOCK));
  const journal = await readJournal(folder);
  if (journal === null) {
    throw new InputError(`No migration of ${folder} is on record: there is nothing to undo.`);
  }
  await markJournal(folder, "rolling back");
  const back = journal.moves.map(({ from, to }) => ({ from: to, to: from })).reverse();
  const result = await moveAll(back, options);
  for (const change of journal.configs.toReversed()) await restoreConfig(change);
  const left = [...back.map((move) => move.from), ...journal.configs.flatMap(({ kept, to }) => [kept, to])];
  await removeEmpty(left, [folder, ...journal.roots]);
  await removeJournal(folder);
  return result;
}

async function moveAll(
  moves: readonly JournalMove[],
  { onProgress, signal }: MigrateOptions,
): Promise<MigrationResult> {
  let next = 0, moved = 0, before = 0;
  const missing: string[] = [];
  const work = async () => {
    while (next < moves.length) {
      signal?.throwIfAborted();
      const { from, to } = moves[next++] as JournalMove;
      const outcome = await moveFile(from, to);
      if (outcome === "moved") moved++;
      else if (outcome === "there already") before++;
      else missing.push(from);
      onProgress?.(moved + before, moves.length);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: WORKERS }, work));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { moved, before, missing };
}

async function changeConfig({ from, oldText, kept, to, newText }: ConfigChange): Promise<void> {
  if (await readTextIfExists(kept) === undefined) await writeAtomic(kept, oldText);
  const there = await readTextIfExists(to);
  if (there === undefined || (from === to && there === oldText)) await writeAtomic(to, newText);
  else if (there !== newText) throw changed(to);
  if (from !== to && await readTextIfExists(from) === oldText) await Deno.remove(from);
}

async function restoreConfig({ from, oldText, kept, to, newText }: ConfigChange): Promise<void> {
  const there = await readTextIfExists(from);
  if (there === undefined || (from === to && there === newText)) await writeAtomic(from, oldText);
  else if (there !== oldText) throw changed(from);
  if (await readTextIfExists(kept) === oldText) await Deno.remove(kept);
  if (from !== to && await readTextIfExists(to) === newText) await Deno.remove(to);
}

function changed(path: string): InputError {
  return new InputError(
    `${path} was changed since the migration was planned: nothing is overwritten. Put the file's changes somewhere else, ` +
      "remove it, and start again.",
  );
}

/** Removes the folders that files were moved out of, where nothing is left in them; not `roots` nor what is above them. */
async function removeEmpty(files: readonly string[], roots: readonly string[]): Promise<void> {
  const folders = new Set<string>();
  for (const file of files) {
    for (
      let folder = dirname(file);
      !isAbove(folder, roots) && !folders.has(folder);
      folder = dirname(folder)
    ) {
      folders.add(folder);
    }
  }
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    await Deno.remove(folder).catch(() => {}); // it is not empty, or gone
  }
}

function isAbove(folder: string, roots: readonly string[]): boolean {
  return folder === dirname(folder) || roots.some((root) => root === folder || root.startsWith(`${folder}/`));
}
