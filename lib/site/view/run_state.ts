/**
 * How a run stands, told from its files while another process is at it.
 * @module
 */
import { followAttempts, type FollowedAttempts } from "../../runs/follow_attempts.ts";
import { type LockHolder, lockHolder } from "../../runs/lock_holder.ts";
import type { RunSnapshot } from "../../runs/run_snapshot.ts";
import { sumTotals } from "../../runs/token_totals.ts";
import type { FoundRun } from "../../runs/find_runs.ts";
import type { RunRows } from "../run_rows.ts";

/** A run and who is at it. */
export interface RunState {
  /** What a board shows. */
  readonly snapshot: RunSnapshot;
  /** The process that is at it, or null. */
  readonly holder: LockHolder | null;
}

/** Tells how runs stand; reads only what was added since it was last asked. */
export interface RunWatcher {
  /** The run as its files are now. */
  state(run: RunRows): Promise<RunState>;
}

/** Makes a watcher. `now` is replaced in tests. */
export function createRunWatcher(now: () => number = Date.now): RunWatcher {
  const judges = new Map<string, FollowedAttempts>();
  return {
    async state(rows) {
      const { run, followed } = rows;
      const judge = judges.get(run.name) ?? followAttempts(run.files.judgeAttempts);
      judges.set(run.name, judge);
      await Promise.all([rows.refresh(), judge.poll()]);
      const holder = await lockHolder(run.files.lock, run.files.attempts);
      return { snapshot: snapshotOf(run, rows, [followed, judge], holder, now()), holder };
    },
  };
}

function snapshotOf(
  run: FoundRun,
  rows: RunRows,
  [followed, judge]: readonly [FollowedAttempts, FollowedAttempts],
  holder: LockHolder | null,
  now: number,
): RunSnapshot {
  const all = rows.rows();
  const count = (status: string) => all.filter((row) => row.status === status).length;
  const skipped = all.filter((row) => row.status.startsWith("skipped")).length;
  const [done, errors] = [count("done"), count("error")];
  const pending = all.length - done - errors - skipped;
  const since = holder?.sinceMs ?? now;
  const elapsedMs = Math.max(0, now - since);
  const finished = holder === null
    ? 0
    : [...followed.rows.values()].filter(({ status, startedMs }) => status === "done" && startedMs >= since)
      .length;
  const rowsPerMinute = finished > 0 && elapsedMs > 0 ? finished / (elapsedMs / 60_000) : null;
  const totals = sumTotals([followed.totals, judge.totals]);
  const graded = all.some(({ grade }) => grade !== null);
  return {
    name: run.name,
    experiment: run.experiment,
    variant: run.variant,
    step: holder === null
      ? pending + errors === 0 || run.imported ? "finished" : "stopped"
      : pending > 0
      ? "inference"
      : graded
      ? "visualization"
      : "evaluation",
    total: all.length,
    done,
    errors,
    skipped,
    pending,
    resumed: holder === null ? 0 : Math.max(0, done - finished),
    elapsedMs,
    rowsPerMinute,
    etaMs: rowsPerMinute === null ? null : (pending / rowsPerMinute) * 60_000,
    inputTokens: totals.inputTokens,
    outputTokens: totals.outputTokens,
    cachedTokens: totals.cachedTokens,
    costUsd: totals.costUsd,
    unpricedCalls: totals.unpricedCalls,
    concurrency: { now: 0, most: 0 },
    last: holder === null || followed.last === null
      ? null
      : { id: followed.last.id, output: followed.last.preview, latencyMs: followed.last.latencyMs ?? 0 },
    accuracy: null,
    message: holder === null && pending + errors > 0 && !run.imported
      ? "start the same command to go on"
      : null,
  };
}
