/**
 * What killed runs leave behind.
 * @module
 */
import { join } from "node:path";
import type { RunFiles } from "./run_files.ts";

const TEMPORARY = /\.\d+\.[0-9a-f]{8}\.tmp$/;

/**
 * Removes the half-written temporary files of a run's earlier processes. Call it with the run's lock held: nobody else
 * is writing them then.
 */
export async function removeLeftovers(files: Pick<RunFiles, "name" | "results">): Promise<void> {
  const { name: run, results } = files;
  const names = await namesIn(results);
  // Runs whose names begin with this one's (its shards, another word pair) have locks of their own while they go on.
  const others = names.flatMap((name) => /^\.(.+)\.lock$/.exec(name)?.[1] ?? [])
    .filter((other) => other.startsWith(`${run}_`));
  const isOurs = (name: string) =>
    (name.startsWith(`${run}_`) || /^\.(svg|png)\./.test(name.slice(run.length))) && name.startsWith(run) &&
    !others.some((other) => name.startsWith(`${other}_`) || name.startsWith(`${other}.`));
  const figures = `${run}_evaluated`;
  const left = [
    ...names.filter((name) => TEMPORARY.test(name) && isOurs(name)),
    ...(await namesIn(join(results, figures))).filter((name) => TEMPORARY.test(name)).map((name) =>
      join(figures, name)
    ),
  ];
  for (const name of left) await Deno.remove(join(results, name)).catch(() => {});
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}
