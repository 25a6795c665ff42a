/**
 * What goes into the workflow of one run, and what comes out of it.
 * @module
 */
import type { Backend } from "../backends/backend.ts";
import type { Variant } from "../backends/variants.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/hash.ts";
import type { Attempt, Experiment, GradedRow, Report, Row } from "./experiment.ts";
import type { RunFiles } from "./run_files.ts";
import type { SvgToPng } from "./run_outputs.ts";
import type { RunSnapshot, StopReason } from "./run_snapshot.ts";
import type { RowCaller, RowCounts } from "./runner.ts";
import type { Shard } from "./shard.ts";

/** What a workflow needs of the `Caller` of lib/backends. */
export interface WorkflowCaller extends RowCaller {
  /** The variant it asks. */
  readonly variant: Variant;
  /** Counts the prompts. */
  readonly backend: Pick<Backend, "tokenizer">;
}

/** What {@linkcode runExperiment} needs. */
export interface ExperimentOptions<R extends Row> {
  /** The four verbs. */
  readonly experiment: Experiment<R>;
  /** Asks the model. */
  readonly caller: WorkflowCaller;
  /** Answer the experiment's judge rows, in the order in which it was given them; none are asked when left out. */
  readonly judges?: readonly WorkflowCaller[];
  /** Whether to grade and draw again although nothing has changed. Nothing is sent twice for it. */
  readonly regrade?: boolean;
  /** The results folder. */
  readonly results: string;
  /** Set in test mode: the rows of the full plan. Test runs and full runs share no file. */
  readonly test?: { readonly originalSize: number } | null;
  /** What the plan was made from; kept beside the results. */
  readonly config: Json;
  /** Only this part of the rows; nothing is graded until the parts are merged. */
  readonly shard?: Shard | null;
  /** Draws a figure as PNG. */
  readonly svgToPng: SvgToPng;
  /** Says at once whether an answer is right, for the board; null when it cannot be said. */
  readonly score?: (row: R, attempt: Attempt) => boolean | null;
  /** How long requests in flight may go on after a stop. Default 5 s for a server, else they are broken off at once. */
  readonly graceMs?: number;
  /** The machine's clock when left out. */
  readonly clock?: Clock;
  /** Receives lines for people; stderr when left out. */
  readonly log?: (line: string) => void;
  /** Stops the run, like `stop()`. */
  readonly signal?: AbortSignal;
}

/** How a workflow ended. */
export interface ExperimentResult extends RowCounts {
  /** The experiment, as in file names. */
  readonly experiment: string;
  /** The variant, as in models.json. */
  readonly variant: string;
  /** Null when every step was done. */
  readonly stoppedBy: StopReason | null;
  /** What stopped it, when it was not the user: wrong input, a refused key, a full disk, a spent budget. */
  readonly error: Error | null;
  /** Where everything is. */
  readonly files: RunFiles;
  /** Every row with its grade, in plan order; empty when the run was stopped before its rows were all tried. */
  readonly rows: readonly GradedRow[];
  /** The report, or null when the run was stopped before it. */
  readonly report: Report | null;
}

/** A workflow that is going on. */
export interface RunHandle {
  /** Resolves when it is known how the rows stand, or when the run has ended before; never rejects. */
  readonly ready: Promise<void>;
  /** Resolves when everything has ended and is written; never rejects: see `error`. */
  readonly done: Promise<ExperimentResult>;
  /** Stops as Ctrl+C does. Resolves with `done`. */
  stop(): Promise<ExperimentResult>;
  /** The state now, for a board. */
  snapshot(): RunSnapshot;
  /** Calls back at every change. @returns the way to end it. */
  onProgress(callback: () => void): () => void;
  /** Where everything is. */
  readonly files: RunFiles;
}
