/**
 * The folder of an experiment's own files.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { readTextIfExists } from "../base/files.ts";
import type { FilesContext } from "../runs/experiment.ts";
import type { AnsweredRow } from "./splice_stages.ts";

const metadataSchema = z.looseObject({ run: z.string(), plan: z.string() });

/**
 * `results/YYYYMMDD_HHMMSS`, with `suffix` behind it: the UTC time at which the first sample of the plan was begun. A
 * plan that has a folder keeps it; where another run has this one, `_2` is added, and so on.
 */
export async function runFolder(
  { results, run, plan }: FilesContext,
  answered: readonly AnsweredRow[],
  suffix = "",
): Promise<string> {
  const own = await ownFolder(results, run, plan);
  if (own !== null) return own;
  const starts = answered.flatMap(({ attempt }) => attempt === null ? [] : [attempt.started]).sort();
  const name = folderName(starts[0] ?? new Date().toISOString()) + suffix;
  for (let n = 1;; n++) {
    const folder = join(results, n === 1 ? name : `${name}_${n}`);
    if (!await Deno.stat(folder).then(() => true, () => false)) return folder;
    const metadata = await readMetadata(folder);
    if (metadata === null || metadata.run === run && metadata.plan === plan) return folder;
  }
}

/** `20260131_101500` for an ISO time. */
export function folderName(time: string): string {
  return new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");
}

async function ownFolder(results: string, run: string, plan: string): Promise<string | null> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(results)) {
      if (!isDirectory || !/^\d{8}_\d{6}/.test(name)) continue;
      const metadata = await readMetadata(join(results, name));
      if (metadata?.run === run && metadata.plan === plan) return join(results, name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return null;
}

async function readMetadata(folder: string): Promise<z.output<typeof metadataSchema> | null> {
  try {
    const text = await readTextIfExists(join(folder, "metadata.json"));
    return metadataSchema.parse(JSON.parse(text ?? "null"));
  } catch {
    return null; // none, torn, or another program's
  }
}
