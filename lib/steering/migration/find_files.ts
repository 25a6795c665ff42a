/**
 * The files of older experiments.
 * @module
 */
import { join } from "node:path";
import { InputError, messageOf } from "../../base/errors.ts";
import { JOURNAL } from "./journal.ts";
import { UNFINISHED } from "./move_file.ts";

/** The lock of a migration, in the folder that is migrated. */
export const LOCK = ".probebook_migration.lock";

/** Folders that make a folder an experiment's. */
export const AREAS = ["extraction", "steering", "inference"] as const;

/** An older experiment. */
export interface OldExperiment {
  /** Its folder's name. */
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** Its files, relative to the folder, with `/` between names; config.json and what a migration keeps are not among them. */
  readonly files: readonly string[];
  /** What is neither file nor folder, and stays. */
  readonly others: readonly string[];
  /** Text of its config.json, or null. */
  readonly config: string | null;
}

/** Finds the experiments in a folder: the folder itself, or those in it. @throws {InputError} when one cannot be read. */
export async function findExperiments(folder: string): Promise<OldExperiment[]> {
  const names = (await entriesOf(folder)).filter((entry) => entry.isDirectory).map(({ name }) => name).sort();
  const isExperiment = (names: readonly string[]) => AREAS.some((area) => names.includes(area));
  if (isExperiment(names)) return [await read(folder)];
  const found: OldExperiment[] = [];
  for (const name of names) {
    if (name.startsWith(".")) continue;
    const inside = (await entriesOf(join(folder, name))).filter((entry) => entry.isDirectory);
    if (isExperiment(inside.map((entry) => entry.name))) found.push(await read(join(folder, name)));
  }
  return found;
}

async function read(folder: string): Promise<OldExperiment> {
  const files: string[] = [], others: string[] = [];
  let config: string | null = null;
  const walk = async (path: string): Promise<void> => {
    for (const entry of await entriesOf(join(folder, path))) {
      const inside = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(inside);
      else if (!entry.isFile) others.push(inside);
      else if (inside === "config.json") config = await Deno.readTextFile(join(folder, inside));
      else if (inside !== JOURNAL && inside !== LOCK && !entry.name.endsWith(UNFINISHED)) files.push(inside);
    }
  };
  await walk("");
  return { name: folder.split("/").at(-1) as string, folder, files, others, config };
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (cause) {
    throw new InputError(`Cannot read the folder ${folder}: ${messageOf(cause)}.`, { cause });
  }
}
