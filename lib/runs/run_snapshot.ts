/**
 * The state of a run at one moment, for boards.
 * @module
 */

/** Why a run ended before its last row: by the user, the money limit, or an error that every row would meet. */
export type StopReason = "user" | "budget" | "error";

/** What a run is doing. */
export type RunStep = "inference" | "evaluation" | "visualization" | "finished" | "stopped";

/** A run at one moment. */
export interface RunSnapshot {
  /** File name of the run: `test_pocket_niah`. */
  readonly name: string;
  /** The experiment. */
  readonly experiment: string;
  /** The variant. */
  readonly variant: string;
  /** What is being done. */
  readonly step: RunStep;
  /** Which of several runs it is, from 1; left out of one run alone. */
  readonly position?: { readonly index: number; readonly count: number };
  /** Rows of the step: in the evaluation, judge calls. */
  readonly total: number;
  /** Rows that are done, in this session or before. */
  readonly done: number;
  /** Rows whose last try failed. */
  readonly errors: number;
  /** Rows that are not sent. */
  readonly skipped: number;
  /** Rows not yet tried. */
  readonly pending: number;
  /** Rows that were already done when this session began. */
  readonly resumed: number;
  /** Milliseconds since this session began. */
  readonly elapsedMs: number;
  /** Rows finished per minute in this session, or null before the first. */
  readonly rowsPerMinute: number | null;
  /** Milliseconds still to go at the session's rate by tokens, or null when unknown. */
  readonly etaMs: number | null;
  /** Over all sessions of the run, the judge's included. */
  readonly inputTokens: number;
  /** Generated tokens, over all sessions. */
  readonly outputTokens: number;
  /** Prompt tokens that a prefix cache served, over all sessions. */
  readonly cachedTokens: number;
  /** US dollars over all sessions. */
  readonly costUsd: number;
  /** Answered calls whose price is unknown: the cost is then a lower bound. */
  readonly unpricedCalls: number;
  /** Requests in flight, and the most there may be. */
  readonly concurrency: { readonly now: number; readonly most: number };
  /** The last answer, or failure in words. */
  readonly last: { readonly id: string; readonly output: string; readonly latencyMs: number } | null;
  /** Share right among the rows of this session, where the experiment can say so at once. */
  readonly accuracy: { readonly correct: number; readonly n: number } | null;
  /** Why it stopped, in words, or null. */
  readonly message: string | null;
}
