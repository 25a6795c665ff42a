/**
 * The index of a checkpoint whose weights lie in several files.
 * @module
 */
import { dirname, join, relative, sep } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.ts";

/** More than any index has: a thousand tensors take about 100 kB. */
const MAX_INDEX_BYTES = 64 * 2 ** 20;
const SHARD = /^[A-Za-z0-9][\w.-]{0,199}\.safetensors$/;

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads `model.safetensors.index.json`.
 *
 * @returns the shard of each tensor: the name of a file in the same folder.
 * @throws {InputError} when it is malformed, or names something that is not a safetensors file of its folder.
 */
export async function readShardIndex(path: string): Promise<Map<string, string>> {
  const { size } = await Deno.stat(path);
  if (size > MAX_INDEX_BYTES) {
    throw new InputError(`${path} has ${size} bytes, too many for an index of weights: fetch it again.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw new InputError(`${path} is not JSON: fetch or write the file again.`, { cause });
  }
  const { success, data, error } = indexSchema.safeParse(json);
  if (!success) {
    throw new InputError(`${path} is not a safetensors index: ${z.prettifyError(error)}`, { cause: error });
  }
  const shards = new Map(Object.entries(data.weight_map));
  for (const shard of shards.values()) {
    if (!SHARD.test(shard)) {
      throw new InputError(
        `${path} names the shard ${JSON.stringify(shard.slice(0, 100))}; ` +
          "a shard must be a .safetensors file in the same folder.",
      );
    }
  }
  return shards;
}

/** The files that an index names. @throws {InputError} as {@linkcode readShardIndex}. */
export async function shardNames(path: string): Promise<string[]> {
  return [...new Set((await readShardIndex(path)).values())].sort();
}

/**
 * Checks that a weights file is in the folder it is read from, or in the blobs that the hub's cache layout links to
 * (`snapshots/COMMIT/FILE -> blobs/DIGEST`): a link to anywhere else is refused. Missing files pass.
 *
 * @throws {InputError} naming the link and where it leads.
 */
export async function checkInside(dir: string, name: string): Promise<void> {
  const path = join(dir, name);
  let real: string;
  let home: string;
  try {
    real = await Deno.realPath(path);
    home = await Deno.realPath(dir);
  } catch {
    return;
  }
  const within = (folder: string) =>
    !relative(folder, real).startsWith("..") && real.startsWith(folder + sep);
  if (within(home)) return;
  const snapshots = dirname(home);
  if (snapshots.endsWith(`${sep}snapshots`) && within(join(dirname(snapshots), "blobs"))) return;
  throw new InputError(
    `${path} is a link that leads out of its folder, to ${real}: copy the file there if it is meant.`,
  );
}
