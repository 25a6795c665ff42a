/**
 * Sends the rows of one step, with the files that follow it.
 * @module
 */
import type { Sampling } from "../backends/backend.ts";
import type { Clock } from "../base/clock.ts";
import type { AttemptStore } from "./attempts.ts";
import type { Attempt, Prompt, Row } from "./experiment.ts";
import type { WorkflowCaller } from "./run_handle.ts";
import type { RunProgress } from "./run_progress.ts";
import { type RunSummary, startRun } from "./runner.ts";
import { throttled } from "./throttle.ts";

/** What {@linkcode sendRows} needs. */
export interface SendOptions<R extends Row> {
  /** What is being done. */
  readonly step: "inference" | "evaluation";
  /** In sending order. */
  readonly rows: readonly R[];
  /** Builds a row's prompt. */
  prompt(row: R): Prompt | Promise<Prompt>;
  /** How answers are sampled. */
  readonly sampling: Omit<Sampling, "maxTokens">;
  /** Makes the requests. */
  readonly caller: WorkflowCaller;
  /** Where every try is written. */
  readonly store: AttemptStore;
  /** Says at once whether an answer is right, for the board. */
  score(row: R, attempt: Attempt): boolean | null;
  /** Writes the files that follow the attempts: after every tenth, and at the end. */
  project(): Promise<void>;
  /** What boards show. */
  readonly progress: RunProgress;
  /** How long requests in flight may go on after a stop, in milliseconds. */
  readonly graceMs: number;
  /** Time. */
  readonly clock: Clock;
  /** Stops the sending. */
  readonly signal: AbortSignal;
}

/** Sends rows until all are tried or the run is stopped; a file that cannot be written stops it. Never rejects. */
export async function sendRows<R extends Row>(options: SendOptions<R>): Promise<RunSummary> {
  const { step, rows, caller, store, progress, clock, graceMs, signal } = options;
  let failed: unknown = null;
  const files = throttled(() => options.project(), {
    every: 10,
    share: 0.05,
    clock,
    onError(error) {
      failed = error;
      run.stop();
    },
  });
  const tokenizer = (await caller.backend.tokenizer()).name;
  const run = startRun({
    rows,
    prompt: (row: R) => options.prompt(row),
    sampling: options.sampling,
    caller,
    tokenizer,
    store,
    graceMs,
    clock,
    signal,
    onAttempt(row, attempt) {
      progress.attempt(row, attempt, attempt.status === "done" ? options.score(row, attempt) : null);
      files.tick();
    },
  });
  progress.begin({ step, rows, run, most: caller.limits.maxConcurrency });
  const summary = await run.done;
  await files.idle();
  try {
    if (failed !== null) throw failed;
    await options.project();
  } catch (error) {
    return { ...summary, stoppedBy: "error", error: summary.error ?? (error as Error) };
  }
  return summary;
}
