/**
 * Measures of long copies, kept in a file so that a run that is resumed need not take them again.
 * @module
 */
import { dirname } from "node:path";
import { z } from "zod";
import { readTextIfExists, unwritable } from "../base/files.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { COPY_METRICS_VERSION, type CopyMetrics } from "./repeated_words_metrics.ts";
import type { CopyJob } from "./repeated_words_worker.ts";

/** Outputs of fewer characters are measured again: that takes no longer than to look them up. */
const SHORTEST = 10_000;

const metricsSchema: z.ZodType<CopyMetrics> = z.strictObject({
  exact: z.boolean(),
  levenshteinScore: z.number(),
  levenshteinScoreCut: z.number(),
  modifiedCount: z.int(),
  positionOffset: z.int().nullable(),
  wordCountDelta: z.int(),
  foreignWords: z.int(),
  foreignSample: z.string(),
  refuses: z.boolean(),
  circles: z.string().nullable(),
  circlesElsewhere: z.boolean(),
  runs: z.string(),
});
const lineSchema = z.strictObject({ key: z.string(), metrics: metricsSchema });

/** Measures by the copy they are of. */
export interface KeptMetrics {
  /** The measures of a copy, or undefined when they are not kept. */
  get(job: CopyJob): CopyMetrics | undefined;
  /** Keeps the measures of a long copy. @throws {InputError} when the file cannot be written. */
  put(job: CopyJob, metrics: CopyMetrics): Promise<void>;
}

/**
 * Opens a file of measures, or begins it with the first that is kept. Lines that cannot be read, or of another version
 * of the measures, are as good as missing: what is in the file can always be measured again.
 *
 * @param path null keeps nothing
 * @throws {InputError} when a folder stands where the file should be, or a file where its folder should.
 */
export async function keptMetrics(path: string | null): Promise<KeptMetrics> {
  const known = new Map<string, CopyMetrics>();
  const text = path === null ? undefined : await readTextIfExists(path).catch((error) => {
    throw unwritable(path, error);
  });
  for (const line of (text ?? "").split("\n")) {
    const parsed = lineSchema.safeParse(parseJson(line));
    if (parsed.success) known.set(parsed.data.key, parsed.data.metrics);
  }
  const isKept = (job: CopyJob) => path !== null && job.output.length >= SHORTEST;
  let began = false;
  return {
    get: (job) => isKept(job) ? known.get(keyOf(job)) : undefined,
    async put(job, metrics) {
      if (path === null || !isKept(job)) return;
      const line = JSON.stringify({ key: keyOf(job), metrics });
      try {
        if (!began) await Deno.mkdir(dirname(path), { recursive: true });
        // A line that a killed process began does not swallow this one.
        await Deno.writeTextFile(path, `${began ? "" : "\n"}${line}\n`, { append: true });
        began = true;
      } catch (error) {
        throw unwritable(path, error);
      }
    },
  };
}

function keyOf({ spec, output }: CopyJob): string {
  return hashJson([COPY_METRICS_VERSION, spec as unknown as Json, sha256(output)]);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
