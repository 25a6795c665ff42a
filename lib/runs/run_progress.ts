/**
 * Follows a run and says at any moment how it stands.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Attempt, Row } from "./experiment.ts";
import type { RunSnapshot, RunStep } from "./run_snapshot.ts";
import type { RowCounts, Run } from "./runner.ts";
import { sumTotals, type TokenTotals } from "./token_totals.ts";

/** A stage of a run with rows of its own. */
export interface Stage {
  /** What is being done. */
  readonly step: RunStep;
  /** The rows that are sent. */
  readonly rows: readonly Row[];
  /** The run that sends them. */
  readonly run: Run;
  /** Most requests at once. */
  readonly most: number;
}

/** Gathers what boards show. */
export interface RunProgress {
  /** Rows are being sent; call before the first of them is. */
  begin(stage: Stage): void;
  /** Takes note of a written attempt. */
  attempt(row: Row, attempt: Attempt, right: boolean | null): void;
  /** The run is at a step without requests, or over. */
  at(step: RunStep, message?: string | null): void;
  /** The state now. */
  snapshot(): RunSnapshot;
  /** Calls back at every change. @returns the way to end it. */
  onProgress(callback: () => void): () => void;
}

const work = (row: Row) => row.tokens + row.maxTokens;

/**
 * Makes the progress of one run. `counts` says how the rows of the plan stand, `totals` the tokens of every model over
 * all sessions.
 */
export function createRunProgress(options: {
  readonly name: string;
  readonly experiment: string;
  readonly variant: string;
  readonly rows: () => number;
  readonly clock: Clock;
  readonly counts: () => RowCounts;
  readonly totals: () => readonly TokenTotals[];
}): RunProgress {
  const { clock } = options;
  const listeners = new Set<() => void>();
  const began = clock.now();
  let step: RunStep = "inference";
  let stage: Stage | null = null;
  let stageBegan = began;
  let stageResumed = 0;
  let resumed: number | null = null;
  let workTodo = 0, workDone = 0, finished = 0;
  let correct = 0, judged = 0;
  let last: RunSnapshot["last"] = null;
  let message: string | null = null;
  let ended: number | null = null;
  const notify = () => {
    for (const listener of listeners) listener();
  };
  return {
    begin(next) {
      stage = next;
      step = next.step;
      stageBegan = clock.now();
      const { done, skipped } = next.run.counts();
      // A search has many stages of inference; what was done before the first is from before.
      stageResumed = next.step === "inference" ? resumed ??= done : done;
      const sendable = next.rows.filter((row) => row.skip === null);
      const share = sendable.length === 0 ? 0 : 1 - done / (next.rows.length - skipped);
      workTodo = share * sendable.reduce((sum, row) => sum + work(row), 0);
      workDone = finished = 0;
      notify();
    },
    attempt(row, attempt, right) {
      if (attempt.status === "done") {
        finished++;
        workDone += work(row);
        if (right !== null) {
          judged++;
          if (right) correct++;
        }
      }
      last = {
        id: row.id,
        output: attempt.error
          ? `${attempt.error.kind}: ${attempt.error.message}`.slice(0, 400)
          : attempt.output.slice(0, 400),
        latencyMs: attempt.latency_ms ?? 0,
      };
      notify();
    },
    at(next, why = null) {
      step = next;
      stage = null;
      message = why;
      if (next === "finished" || next === "stopped") ended = clock.now();
      notify();
    },
    snapshot() {
      const now = ended ?? clock.now();
      const counts = stage?.run.counts() ?? options.counts();
      const sum = sumTotals(options.totals());
      const stageMs = now - stageBegan;
      return {
        name: options.name,
        experiment: options.experiment,
        variant: options.variant,
        step,
        total: stage?.rows.length ?? options.rows(),
        ...counts,
        resumed: stage ? stageResumed : resumed ?? counts.done,
        elapsedMs: now - began,
        rowsPerMinute: finished > 0 && stageMs > 0 ? finished / (stageMs / 60_000) : null,
        etaMs: workDone > 0 ? (stageMs / workDone) * Math.max(0, workTodo - workDone) : null,
        inputTokens: sum.inputTokens,
        outputTokens: sum.outputTokens,
        cachedTokens: sum.cachedTokens,
        costUsd: sum.costUsd,
        unpricedCalls: sum.unpricedCalls,
        concurrency: { now: stage?.run.inFlight() ?? 0, most: stage?.most ?? 0 },
        last,
        accuracy: judged > 0 ? { correct, n: judged } : null,
        message,
      };
    },
    onProgress(callback) {
      listeners.add(callback);
      return () => void listeners.delete(callback);
    },
  };
}
