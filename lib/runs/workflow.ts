/**
 * An experiment on a variant, from the first request to the figures.
 * @module
 */
import { z } from "zod";
import type { Backend } from "../backends/backend.ts";
import type { Variant } from "../backends/variants.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { log as logLine } from "../base/log.ts";
import { type AttemptStore, openAttempts, type RunIdentity } from "./attempts.ts";
import { type TestMarks, writeEvaluatedCsv, writeResultsCsv } from "./csv.ts";
import type { Attempt, Experiment, GradedRow, Judgement, JudgeRow, Report, Row } from "./experiment.ts";
import { removeLeftovers } from "./leftovers.ts";
import { lockRun } from "./lock.ts";
import { writePlanFile } from "./plan_file.ts";
import { planHash } from "./plan_hash.ts";
import { type RunFiles, runFiles } from "./run_files.ts";
import { createRunProgress, type RunProgress } from "./run_progress.ts";
import type { RunSnapshot, StopReason } from "./run_snapshot.ts";
import { countRows, type RowCaller, type RowCounts, type Run, type RunSummary, startRun } from "./runner.ts";
import { type Shard, shardRows } from "./shard.ts";
import { throttled } from "./throttle.ts";
import { tokenDashboard, tokenSummary, type TokenUsage } from "./token_dashboard.ts";
import { emptyTotals } from "./token_totals.ts";
import { markStep, readWorkflowState, type Step, workflowStatePath } from "./workflow_state.ts";

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
  /** Answers the experiment's judge rows; none are asked when left out. */
  readonly judge?: WorkflowCaller | null;
  /** The results folder. */
  readonly results: string;
  /** Set in test mode: the rows of the full plan. Test runs and full runs share no file. */
  readonly test?: { readonly originalSize: number } | null;
  /** What the plan was made from; kept beside the results. */
  readonly config: Json;
  /** Only this part of the rows; nothing is graded until the parts are merged. */
  readonly shard?: Shard | null;
  /** Draws a figure as PNG. */
  readonly svgToPng: (svg: string, options: { readonly width: number }) => Promise<Uint8Array>;
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

/** Width of the PNG figures: readable when shown at 800 pixels on fine screens too. */
const PNG_WIDTH = 1600;

/**
 * Runs inference, evaluation and visualization of one experiment on one variant. Steps that the workflow state says
 * are complete, and whose files bear it out, are skipped; finished rows are never sent again.
 */
export function runExperiment<R extends Row>(options: ExperimentOptions<R>): RunHandle {
  const workflow = new Workflow(options);
  const done = workflow.run();
  return {
    ready: Promise.race([workflow.counted.promise, done.then(() => {})]),
    done,
    stop() {
      workflow.stop();
      return done;
    },
    snapshot: () => workflow.progress.snapshot(),
    onProgress: (callback) => workflow.progress.onProgress(callback),
    files: workflow.files,
  };
}

/** Ends a workflow before its last step. */
class Stopped extends Error {
  readonly by: StopReason;
  readonly reason: Error | null;
  constructor(by: StopReason, reason: Error | null) {
    super(reason?.message ?? "stopped");
    this.by = by;
    this.reason = reason;
  }
}

const reportSchema = z.object({ inputs: z.string(), figures: z.record(z.string(), z.string()) });

class Workflow<R extends Row> {
  readonly files: RunFiles;
  readonly progress: RunProgress;
  readonly counted: PromiseWithResolvers<void> = Promise.withResolvers();
  private readonly rows: readonly R[];
  private readonly clock: Clock;
  private readonly log: (line: string) => void;
  private readonly identity: RunIdentity;
  private readonly statePath: string;
  private readonly began: number;
  private readonly stopping = new AbortController();
  private store: AttemptStore | null = null;
  private judgeStore: AttemptStore | null = null;
  private tokensBefore = 0;
  private counts: RowCounts;

  constructor(private readonly options: ExperimentOptions<R>) {
    const { experiment, caller, results, shard = null, test = null } = options;
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? logLine;
    this.began = this.clock.now();
    this.rows = shard ? shardRows(experiment.rows, shard) : experiment.rows;
    this.counts = { done: 0, errors: 0, skipped: 0, pending: this.rows.length };
    const variant = caller.variant.name;
    const { name, layout = null } = experiment;
    this.files = runFiles({ results, experiment: name, variant, test: test !== null, shard, layout });
    this.statePath = workflowStatePath(results, test !== null);
    this.identity = {
      experiment: experiment.name,
      variant,
      model: modelName(caller.variant),
      mode: test ? "test" : "full",
      plan: planHash(experiment.rows),
      rows: this.rows.length,
      shard: shard ? `${shard.index}/${shard.count}` : null,
    };
    this.progress = createRunProgress({
      name: this.files.name,
      experiment: experiment.name,
      variant,
      rows: this.rows.length,
      clock: this.clock,
      counts: () => this.counts,
      totals: () => this.models().map(({ totals }) => totals),
    });
    if (options.signal?.aborted) this.stop();
    else {options.signal?.addEventListener("abort", () => this.stop(), {
        once: true,
        signal: this.stopping.signal,
      });}
  }

  stop(): void {
    this.stopping.abort();
  }

  async run(): Promise<ExperimentResult> {
    let stoppedBy: StopReason | null = null, error: Error | null = null;
    let rows: readonly GradedRow[] = [], report: Report | null = null;
    try {
      using _lock = await lockRun(this.files.lock);
      await removeLeftovers(this.files);
      using store = await openAttempts(this.files.attempts, this.identity, this.options);
      this.store = store;
      this.counts = countRows(this.rows, store);
      this.tokensBefore = this.tokens();
      this.counted.resolve();
      this.reportStrayRows(store);
      try {
        const current = await this.isCurrent();
        await this.inference(store, current !== null);
        if (!this.options.shard) ({ rows, report } = await this.evaluateAndDraw(store, current));
        else {this.log(
            `This is shard ${this.identity.shard}: merge the shards with "deno task merge", then run without --shard.`,
          );}
      } finally {
        this.judgeStore?.[Symbol.dispose]();
      }
      this.progress.at("finished");
    } catch (thrown) {
      stoppedBy = thrown instanceof Stopped ? thrown.by : "error";
      error = thrown instanceof Stopped
        ? thrown.reason
        : thrown instanceof Error
        ? thrown
        : new Error(String(thrown));
      this.progress.at("stopped", error ? messageOf(error) : "start the same command to go on");
    }
    return { ...this.counts, stoppedBy, error, files: this.files, rows, report };
  }

  private async inference(store: AttemptStore, current: boolean): Promise<void> {
    const { experiment, caller, score, shard = null } = this.options;
    const { done, skipped } = this.counts;
    const sendable = this.rows.length - skipped;
    const marked = await this.isMarked("inference");
    const complete = done === sendable;
    if (complete) {
      this.log(
        `Skipping ${this.title("inference")} - ${
          marked ? "already marked complete" : `output complete (${done}/${sendable})`
        }`,
      );
    } else {
      if (marked) {
        this.log(
          `${this.title("inference")} is marked complete, but ${
            sendable - done
          } of ${sendable} rows are not done`,
        );
        await this.mark("inference", false);
      }
      this.log(`Running ${this.title("inference")}...`);
    }
    if (!complete || !current) {
      await writePlanFile(this.files.plan, {
        identity: this.identity,
        config: this.options.config,
        sampling: experiment.sampling as unknown as Json,
        tokenizer: await this.tokenizer(caller),
        rows: this.rows,
      });
    }
    if (!complete) {
      const summary = await this.send(
        "inference",
        this.rows,
        (row) => experiment.prompt(row),
        caller,
        store,
        () => this.writeResults(store),
        (row, attempt) => score?.(row as R, attempt) ?? null,
      );
      this.counts = {
        done: summary.done,
        errors: summary.errors,
        skipped: summary.skipped,
        pending: summary.pending,
      };
      if (summary.stoppedBy !== null) throw new Stopped(summary.stoppedBy, summary.error);
    } else if (!current) {
      await this.writeResults(store);
      await this.writeTokens();
    }
    if (!shard) await this.mark("inference", this.counts.errors === 0);
    if (this.counts.errors > 0) {
      this.log(
        `${this.counts.errors} of ${sendable} rows ended in an error; start the same command to try them again`,
      );
    }
  }

  private async evaluateAndDraw(
    store: AttemptStore,
    current: z.infer<typeof reportSchema> | null,
  ): Promise<{ rows: readonly GradedRow[]; report: Report }> {
    const { experiment } = this.options;
    const unchanged = current !== null && current.inputs === await this.inputs();
    const skipEvaluation = unchanged && await this.isMarked("evaluation") &&
      (await Promise.all(this.files.csvs.map(({ evaluated }) => exists(evaluated)))).every(Boolean);
    if (skipEvaluation) this.log(`Skipping ${this.title("evaluation")} - already marked complete`);
    else this.log(`Running ${this.title("evaluation")}...`);
    const { judgements, complete } = await this.judge(store);
    const rows = experiment.grade(this.gradable(store, judgements));
    if (!skipEvaluation) {
      const test = this.testMarks(store);
      for (const { part, evaluated } of this.files.csvs) {
        const wanted = new Set<Row>(this.rowsOf(part));
        await writeEvaluatedCsv(evaluated, rows.filter(({ row }) => wanted.has(row)), { test });
      }
      await this.mark("evaluation", complete);
    }

    const drawn = skipEvaluation && await this.isMarked("visualization") && await this.figuresExist(current);
    if (drawn) this.log(`Skipping ${this.title("visualization")} - already marked complete`);
    else {
      this.log(`Running ${this.title("visualization")}...`);
      this.progress.at("visualization");
    }
    const report = await experiment.report(rows);
    if (!drawn) {
      await this.draw(report);
      await this.mark("visualization", true);
    }
    return { rows, report };
  }

  /** Asks the judge until the experiment has no further question. */
  private async judge(
    store: AttemptStore,
  ): Promise<{ judgements: Map<string, Judgement[]>; complete: boolean }> {
    const { experiment, judge } = this.options;
    const judgements = new Map<string, Judgement[]>();
    if (!judge || !experiment.judgeRows || !experiment.judgePrompt) return { judgements, complete: true };
    const judgeStore = await this.openJudgeStore();
    const judgePrompt = experiment.judgePrompt.bind(experiment);
    const asked = new Map<string, JudgeRow>();
    for (;;) {
      const round = experiment.judgeRows(this.gradable(store, judgements)).filter((row) =>
        !asked.has(row.id)
      );
      if (round.length === 0) break;
      for (const row of round) asked.set(row.id, row);
      const todo = countRows(round, judgeStore);
      if (todo.pending + todo.errors > 0) {
        const summary = await this.send(
          "evaluation",
          round,
          judgePrompt,
          judge,
          judgeStore,
          () => Promise.resolve(),
          () => null,
        );
        if (summary.stoppedBy !== null) throw new Stopped(summary.stoppedBy, summary.error);
      }
      for (const row of round) {
        const attempt = judgeStore.read(row.id);
        if (attempt?.status !== "done") continue;
        judgements.set(row.of, [...judgements.get(row.of) ?? [], { row, attempt }]);
      }
    }
    const { errors } = countRows([...asked.values()], judgeStore);
    if (errors > 0) {
      this.log(`${errors} judge calls ended in an error; start the same command to try them again`);
    }
    return { judgements, complete: errors === 0 };
  }

  private async send<J extends Row>(
    step: "inference" | "evaluation",
    rows: readonly J[],
    prompt: (row: J) => ReturnType<Experiment<J>["prompt"]>,
    caller: WorkflowCaller,
    store: AttemptStore,
    project: () => Promise<void>,
    score: (row: J, attempt: Attempt) => boolean | null,
  ): Promise<RunSummary> {
    let failed: unknown = null;
    const files = throttled(() => Promise.all([project(), this.writeTokens()]).then(() => {}), {
      every: 10,
      share: 0.05,
      clock: this.clock,
      onError(error) {
        failed = error;
        run.stop();
      },
    });
    const run: Run = startRun({
      rows,
      prompt,
      sampling: step === "inference" ? this.options.experiment.sampling : { temperature: 0 },
      caller,
      tokenizer: await this.tokenizer(caller),
      store,
      graceMs: this.options.graceMs ?? (caller.variant.backend === "api" ? 5000 : 0),
      clock: this.clock,
      signal: this.stopping.signal,
      onAttempt: (row, attempt) => {
        this.progress.attempt(row, attempt, attempt.status === "done" ? score(row, attempt) : null);
        files.tick();
      },
    });
    this.progress.begin({ step, rows, run, most: caller.limits.maxConcurrency });
    const summary = await run.done;
    await files.idle();
    try {
      if (failed !== null) throw failed;
      await project();
      await this.writeTokens();
    } catch (error) {
      return { ...summary, stoppedBy: "error", error: summary.error ?? (error as Error) };
    }
    return summary;
  }

  private gradable(store: AttemptStore, judgements: ReadonlyMap<string, readonly Judgement[]>) {
    return this.rows.map((row) => ({
      row,
      ...this.result(store, row),
      judgements: judgements.get(row.id) ?? [],
    }));
  }

  /** The rows of a part of the layout, in plan order; all rows when it is null. */
  private rowsOf(part: string | null): readonly R[] {
    const { experiment } = this.options;
    return part === null ? this.rows : this.rows.filter((row) => experiment.part?.(row) === part);
  }

  private result(store: AttemptStore, row: Row): { attempt: Attempt | null; attempts: number } {
    if (row.skip !== null) return { attempt: null, attempts: 0 };
    return { attempt: store.read(row.id), attempts: store.state(row.id)?.attempts ?? 0 };
  }

  private writeResults(store: AttemptStore): Promise<void> {
    const test = this.testMarks(store);
    return Promise.all(
      this.files.csvs.map(({ part, results }) =>
        writeResultsCsv(results, this.rowsOf(part), (row) => this.result(store, row), { test })
      ),
    ).then(() => {});
  }

  private async draw(report: Report): Promise<void> {
    const figures: Record<string, string> = {};
    for (const [name, { svg, alt }] of Object.entries(report.figures)) {
      await writeAtomic(this.files.figure(name, "svg"), svg);
      await writeAtomic(
        this.files.figure(name, "png"),
        await this.options.svgToPng(svg, { width: PNG_WIDTH }),
      );
      figures[name] = alt;
    }
    await writeAtomic(this.files.reportText, report.summary.trimEnd() + "\n");
    const { experiment, variant, model, mode } = this.identity;
    const made = new Date(this.clock.now()).toISOString();
    const { statistics } = report;
    const inputs = await this.inputs();
    const content = { experiment, variant, model, mode, made, inputs, figures, statistics };
    await writeAtomic(this.files.reportJson, JSON.stringify(content, null, 2) + "\n");
  }

  /** What the evaluation depends on: equal values mean that nothing has to be graded or drawn again. */
  private async inputs(): Promise<string> {
    const judge = this.options.judge ? modelName(this.options.judge.variant) : null;
    const judgeSize = judge === null ? 0 : (await this.openJudgeStore()).size;
    return hashJson({ plan: this.identity.plan, attempts: this.store?.size ?? 0, judge, judgeSize });
  }

  /** The last report, when it and the other files were made from exactly what there is now; else null. */
  private async isCurrent(): Promise<z.infer<typeof reportSchema> | null> {
    try {
      const report = reportSchema.parse(JSON.parse(await readTextIfExists(this.files.reportJson) ?? "null"));
      const there = await Promise.all(
        [this.files.plan, ...this.files.csvs.map(({ results }) => results), this.files.tokenSummary].map(
          exists,
        ),
      );
      return there.every(Boolean) && report.inputs === await this.inputs() ? report : null;
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  private async figuresExist(report: z.infer<typeof reportSchema> | null): Promise<boolean> {
    const figures = Object.keys(report?.figures ?? {});
    const paths = figures.flatMap((name) => [this.files.figure(name, "svg"), this.files.figure(name, "png")]);
    return (await Promise.all([this.files.reportText, ...paths].map(exists))).every(Boolean);
  }

  private async openJudgeStore(): Promise<AttemptStore> {
    const identity = {
      ...this.identity,
      model: this.options.judge ? modelName(this.options.judge.variant) : null,
    };
    return this.judgeStore ??= await openAttempts(this.files.judgeAttempts, identity, this.options);
  }

  private models(): TokenUsage["models"] {
    const { caller, judge } = this.options;
    const models = [{ model: modelName(caller.variant), totals: this.store?.totals ?? emptyTotals() }];
    if (judge && this.judgeStore) {
      models.push({ model: `${modelName(judge.variant)} (judge)`, totals: this.judgeStore.totals });
    }
    return models;
  }

  private tokens(): number {
    return this.models().reduce((sum, { totals }) => sum + totals.inputTokens + totals.outputTokens, 0);
  }

  private async writeTokens(): Promise<void> {
    const usage: TokenUsage = {
      name: `${this.files.name}_results`,
      updated: new Date(this.clock.now()),
      elapsedMs: this.clock.now() - this.began,
      sessionTokens: this.tokens() - this.tokensBefore,
      models: this.models(),
      path: this.files.tokenDashboard,
    };
    await writeAtomic(this.files.tokenDashboard, tokenDashboard(usage));
    await writeAtomic(this.files.tokenSummary, JSON.stringify(tokenSummary(usage), null, 2) + "\n");
  }

  private testMarks(store: AttemptStore): TestMarks | null {
    const { test } = this.options;
    return test ? { timestamp: store.created, originalSize: test.originalSize } : null;
  }

  private reportStrayRows(store: AttemptStore): void {
    const planned = new Set(this.rows.map((row) => row.id));
    let stray = 0;
    for (const id of store.ids()) if (!planned.has(id)) stray++;
    if (stray > 0) {
      this.log(
        `${this.files.attempts} also holds ${stray} rows that are not in this plan (of another configuration); they are kept and not used`,
      );
    }
  }

  private async tokenizer(caller: WorkflowCaller): Promise<string> {
    return (await caller.backend.tokenizer()).name;
  }

  private title(step: Step): string {
    return `${this.identity.experiment} ${this.identity.variant} ${step}`;
  }

  private async isMarked(step: Step): Promise<boolean> {
    const state = await readWorkflowState(this.statePath);
    return state[this.identity.experiment]?.[this.identity.variant]?.[step] ?? false;
  }

  private mark(step: Step, complete: boolean): Promise<void> {
    return markStep(this.statePath, this.identity.experiment, this.identity.variant, step, complete);
  }
}

/** The model's name as its server knows it. */
function modelName(variant: Variant): string {
  return variant.backend === "simulated" ? `simulated:${variant.mode}` : variant.model;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
