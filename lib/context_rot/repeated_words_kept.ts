/**
 * Measures of long copies, kept in a file so that a run that is resumed need not take them again.
 * @module
 */
import { z } from "zod";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { keptValues } from "../runs/kept_values.ts";
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
  const kept = await keptValues(path, "metrics", metricsSchema);
  const isKept = (job: CopyJob) => path !== null && job.output.length >= SHORTEST;
  return {
    get: (job) => isKept(job) ? kept.get(keyOf(job)) : undefined,
    async put(job, metrics) {
      if (isKept(job)) await kept.put(keyOf(job), metrics);
    },
  };
}

function keyOf({ spec, output }: CopyJob): string {
  return hashJson([COPY_METRICS_VERSION, spec as unknown as Json, sha256(output)]);
}
