/**
 * What killed runs leave behind.
 * @module
 */
import { join } from "node:path";
import type { RunFiles } from "./run_files.ts";

/**
 * Removes the half-written temporary files of a run's earlier processes. Call it with the run's lock held: nobody else
 * is writing them then.
 */
export async function removeLeftovers(files: Pick<RunFiles, "name" | "results">): Promise<void> {
  for await (const { name } of Deno.readDir(files.results)) {
    const rest = name.startsWith(`${files.name}_`) ? name.slice(files.name.length + 1) : "";
    // The shards of a run have locks of their own.
    if (!/\.\d+\.[0-9a-f]{8}\.tmp$/.test(rest) || rest.startsWith("shard_")) continue;
    await Deno.remove(join(files.results, name)).catch(() => {});
  }
}
