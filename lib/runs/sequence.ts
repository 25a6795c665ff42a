/**
 * Several runs, one after the other, as one.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { RunSnapshot } from "./run_snapshot.ts";
import type { ExperimentResult, RunHandle } from "./workflow.ts";

/** A run that is about to begin: opens what it needs, and closes it when it has ended. */
export interface QueuedRun {
  /** Begins the run. */
  start(): Promise<RunHandle>;
  /** Called once when it has ended, however it ended, or when it will not begin. */
  close(): Promise<void>;
}

/** Runs that go on one after the other. */
export interface RunSequence {
  /** The results so far in order; ends early when a run is stopped or fails. Rejects when a run cannot begin. */
  readonly done: Promise<readonly ExperimentResult[]>;
  /** Stops the run that goes on and begins no other. Resolves with `done`. */
  stop(): Promise<readonly ExperimentResult[]>;
  /** The run that goes on, or the last one. */
  snapshot(): RunSnapshot;
  /** Calls back at every change. @returns the way to end it. */
  onProgress(callback: () => void): () => void;
}

/** Options of {@linkcode runInSequence}. */
export interface SequenceOptions {
  /** Whether the next run begins after this result; only after one that was not stopped, when left out. */
  readonly goOn?: (result: ExperimentResult) => boolean;
  /** What is kept of a result; all of it when left out. */
  readonly keep?: (result: ExperimentResult) => ExperimentResult;
}

/**
 * Runs a queue in order. Resolves once it is known how the rows of the first stand, so that there is something to show.
 *
 * @throws what the first run's `start()` throws.
 */
export async function runInSequence(
  queue: readonly [QueuedRun, ...QueuedRun[]],
  options: SequenceOptions = {},
): Promise<RunSequence> {
  const goOn = options.goOn ?? ((result) => result.stoppedBy === null);
  const listeners = new Set<() => void>();
  const open = [...queue];
  const closeNext = () => open.shift()?.close();
  const closeAll = async () => {
    while (open.length > 0) await closeNext();
  };
  let stopped = false;
  let position = 0;
  let current: RunHandle;
  try {
    current = await begin(queue[0]);
  } catch (error) {
    await closeAll();
    throw error;
  }
  const work = async (): Promise<readonly ExperimentResult[]> => {
    const results: ExperimentResult[] = [];
    try {
      for (const [index, queued] of queue.entries()) {
        if (index > 0) current = await begin(queued);
        position = index;
        if (stopped) current.stop(); // the user may have stopped while it was opened
        const forget = current.onProgress(() => listeners.forEach((listener) => listener()));
        try {
          const result = await current.done;
          results.push(options.keep?.(result) ?? result);
        } finally {
          forget();
        }
        await closeNext();
        if (stopped || !goOn(results.at(-1) as ExperimentResult)) break;
      }
    } finally {
      await closeAll();
    }
    return results;
  };
  const done = work();
  done.catch(() => {}); // whoever awaits `done` learns of it
  return {
    done,
    stop() {
      stopped = true;
      current.stop();
      return done;
    },
    snapshot: () => {
      const snapshot = current.snapshot();
      return queue.length === 1
        ? snapshot
        : { ...snapshot, position: { index: position + 1, count: queue.length } };
    },
    onProgress(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
}

async function begin(queued: QueuedRun): Promise<RunHandle> {
  const run = await queued.start();
  await run.ready;
  return run;
}

/**
 * The results of runs that came to their end or were stopped by the user.
 *
 * @throws {InputError} for what the user can mend: wrong input, a refused key, a full disk, a spent budget.
 * @throws anything else that stopped a run, as it was.
 */
export function finishedResults(results: readonly ExperimentResult[]): readonly ExperimentResult[] {
  const failed = results.find(({ error }) => error !== null);
  const error = failed?.error ?? null;
  if (error?.name === "BudgetError") throw new InputError(error.message, { cause: error });
  if (error?.name === "BackendError") {
    throw new InputError(
      `${
        error.message.replace(/\.?$/, ".")
      } Every row would meet this: check the variant's key, address and model, ` +
        `then start the same command to go on.`,
      { cause: error },
    );
  }
  if (error !== null) throw error;
  return results;
}
