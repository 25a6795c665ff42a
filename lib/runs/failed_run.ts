/**
 * A run that could not begin.
 * @module
 */
import { messageOf } from "../base/errors.ts";
import type { RunFiles } from "./run_files.ts";
import type { ExperimentResult, RunHandle } from "./run_handle.ts";

/** A run that has ended with an error before its first request, so that others of a sequence can go on. */
export function failedRun(
  run: { readonly experiment: string; readonly variant: string; readonly files: RunFiles },
  error: unknown,
): RunHandle {
  const { experiment, variant, files } = run;
  const counts = { done: 0, errors: 0, skipped: 0, pending: 0 };
  const result: ExperimentResult = {
    experiment,
    variant,
    ...counts,
    stoppedBy: "error",
    error: error instanceof Error ? error : new Error(String(error)),
    files,
    rows: [],
    report: null,
  };
  const done = Promise.resolve(result);
  return {
    ready: Promise.resolve(),
    done,
    stop: () => done,
    snapshot: () => ({
      name: files.name,
      experiment,
      variant,
      step: "stopped",
      total: 0,
      ...counts,
      resumed: 0,
      elapsedMs: 0,
      rowsPerMinute: null,
      etaMs: null,
      inputTokens: 0,
      outputTokens: 0,
      cachedTokens: 0,
      costUsd: 0,
      unpricedCalls: 0,
      concurrency: { now: 0, most: 0 },
      last: null,
      accuracy: null,
      message: messageOf(error),
    }),
    onProgress: () => () => {},
    files,
  };
}
