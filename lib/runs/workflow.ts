/**
 * An experiment on a variant, from the first request to the figures.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { log as logLine } from "../base/log.ts";
import { type AttemptStore, openAttempts, type RunIdentity } from "./attempts.ts";
import { askJudge, type Judged } from "./ask_judge.ts";
import { type TestMarks, writeTable } from "./csv.ts";
import type { Attempt, GradableRow, GradedRow, Judgement, Prompt, Report, Row } from "./experiment.ts";
import { withJudges } from "./judge_text.ts";
import { type JudgedRun, type JudgePass, judgeRun } from "./judges.ts";
import { type Labels, readLabels } from "./labels.ts";
import { removeLeftovers } from "./leftovers.ts";
import { lockRun } from "./lock.ts";
import { writePlanFile } from "./plan_file.ts";
import { planHash } from "./plan_hash.ts";
import { type RunFiles, runFiles } from "./run_files.ts";
import type { ExperimentOptions, ExperimentResult, RunHandle, WorkflowCaller } from "./run_handle.ts";
import { gradesHash, RunOutputs, type WrittenReport } from "./run_outputs.ts";
import { createRunProgress, type RunProgress } from "./run_progress.ts";
import type { StopReason } from "./run_snapshot.ts";
import { countRows, type RowCounts } from "./runner.ts";
import { type SendOptions, sendRows } from "./send_rows.ts";
import { shardRows } from "./shard.ts";
import type { TokenUsage } from "./token_dashboard.ts";
import { emptyTotals, subtractTotals } from "./token_totals.ts";
import { type RunSteps, runSteps, workflowStatePath } from "./workflow_state.ts";

export type { ExperimentOptions, ExperimentResult, RunHandle, WorkflowCaller };

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

class Workflow<R extends Row> {
  readonly files: RunFiles;
  readonly progress: RunProgress;
  readonly counted: PromiseWithResolvers<void> = Promise.withResolvers();
  /** All rows so far: those of the plan, or of the shard, and those that followed from them. */
  private readonly rows: R[];
  private readonly outputs: RunOutputs<R>;
  private readonly clock: Clock;
  private readonly log: (line: string) => void;
  private readonly identity: RunIdentity;
  private readonly steps: RunSteps;
  private readonly began: number;
  private readonly stopping = new AbortController();
  private store: AttemptStore | null = null;
  private judgeStore: AttemptStore | null = null;
  /** Ids of the questions that each judge was asked. */
  private readonly asked = new Map<WorkflowCaller, readonly string[]>();
  private tokensBefore = 0;
  private counts: RowCounts;

  constructor(private readonly options: ExperimentOptions<R>) {
    const { experiment, caller, results, shard = null, test = null } = options;
    this.clock = options.clock ?? systemClock;
    this.log = options.log ?? logLine;
    this.began = this.clock.now();
    this.rows = [...shard ? shardRows(experiment.rows, shard) : experiment.rows];
    this.counts = { done: 0, errors: 0, skipped: 0, pending: this.rows.length };
    const variant = caller.variant.name;
    const { name, layout = null } = experiment;
    this.files = runFiles({ results, experiment: name, variant, test: test !== null, shard, layout });
    this.outputs = new RunOutputs(this.files, experiment, this.rows);
    this.steps = runSteps(workflowStatePath(results, test !== null), name, variant);
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
      rows: () => this.rows.length,
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
      this.refuseShard();
      using _lock = await lockRun(this.files.lock);
      await removeLeftovers(this.files);
      using store = await openAttempts(this.files.attempts, this.identity, this.options);
      this.store = store;
      this.counts = countRows(this.rows, store);
      this.tokensBefore = this.tokens();
      this.counted.resolve();
      try {
        await this.labels(); // what is wrong with them is said before anything is sent
        while (this.counts.pending + this.counts.errors === 0 && await this.grow(store));
        this.reportStrayRows(store);
        const current = await this.outputs.readReport(() => this.inputs());
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
    const { experiment, variant } = this.identity;
    return { experiment, variant, ...this.counts, stoppedBy, error, files: this.files, rows, report };
  }

  private async inference(store: AttemptStore, current: boolean): Promise<void> {
    const { experiment, caller, score, shard = null } = this.options;
    const { done, skipped } = this.counts;
    const sendable = this.rows.length - skipped;
    const marked = await this.steps.isMarked("inference");
    const complete = done === sendable;
    if (complete) {
      this.log(
        `Skipping ${this.steps.title("inference")} - ${
          marked ? "already marked complete" : `output complete (${done}/${sendable})`
        }`,
      );
    } else {
      if (marked) {
        this.log(
          `${this.steps.title("inference")} is marked complete, but ${
            sendable - done
          } of ${sendable} rows are not done`,
        );
        await this.steps.mark("inference", false);
      }
      this.log(`Running ${this.steps.title("inference")}...`);
    }
    const sendAll = async () => {
      await this.writePlan();
      await this.send<R>({
        step: "inference",
        rows: this.rows,
        prompt: (row) => experiment.prompt(row),
        sampling: experiment.sampling,
        caller,
        store,
        project: () => this.writeResults(store),
        ...(score === undefined ? {} : { score }),
      });
    };
    if (!complete) {
      await sendAll();
      while (await this.grow(store)) await sendAll();
    } else if (!current) {
      await this.writePlan();
      await this.writeResults(store);
      await this.writeTokens();
    }
    if (!shard) await this.steps.mark("inference", this.counts.errors === 0);
    if (this.counts.errors > 0) {
      this.log(
        `${this.counts.errors} of ${
          this.rows.length - this.counts.skipped
        } rows ended in an error; start the same command to try them again`,
      );
    }
  }

  private async writePlan(): Promise<void> {
    const { experiment, caller, config } = this.options;
    await writePlanFile(this.files.plan, {
      identity: this.identity,
      config,
      sampling: experiment.sampling as unknown as Json,
      tokenizer: (await caller.backend.tokenizer()).name,
      rows: this.rows,
      ...(experiment.part === undefined ? {} : { part: (row) => experiment.part?.(row as R) ?? "" }),
    });
  }

  /** Adds the rows that follow from the answers so far. @returns whether there were any. */
  private async grow(store: AttemptStore): Promise<boolean> {
    const { experiment } = this.options;
    if (experiment.more === undefined) return false;
    const [judge] = this.judges;
    const judgements = judge === undefined ? new Map() : (await this.judge(store, judge, 0)).judgements;
    const { signal } = this.stopping;
    const known = new Set(this.rows.map(({ id }) => id));
    try {
      const context = { signal, kept: this.files.kept, judge: 0 };
      const found = await experiment.more(this.gradable(store, judgements), context);
      const added = [...new Map(found.map((row) => [row.id, row])).values()].filter(({ id }) =>
        !known.has(id)
      );
      this.rows.push(...added);
      this.counts = countRows(this.rows, store);
      return added.length > 0;
    } catch (error) {
      throw signal.aborted ? new Stopped("user", null) : error;
    }
  }

  private async evaluateAndDraw(
    store: AttemptStore,
    current: WrittenReport | null,
  ): Promise<{ rows: readonly GradedRow[]; report: Report }> {
    const { experiment, regrade = false } = this.options;
    const skipEvaluation = !regrade && current !== null && current.inputs === await this.inputs() &&
      await this.steps.isMarked("evaluation") &&
      await this.outputs.evaluatedExist();
    if (skipEvaluation) this.log(`Skipping ${this.steps.title("evaluation")} - already marked complete`);
    else this.log(`Running ${this.steps.title("evaluation")}...`);
    const { judged, complete } = await this.grade(store);
    const { rows } = judged;
    if (!skipEvaluation) {
      await this.outputs.writeEvaluated(rows, this.testMarks(store));
      if (judged.queue !== null) await writeTable(this.files.disagreements, ...judged.queue);
      await this.steps.mark("evaluation", complete);
    }

    const grades = gradesHash(rows);
    const drawn = !regrade && current !== null && current.inputs === await this.inputs() &&
      current.grades === grades &&
      await this.steps.isMarked("visualization") && await this.outputs.figuresExist(current);
    if (drawn) this.log(`Skipping ${this.steps.title("visualization")} - already marked complete`);
    else {
      this.log(`Running ${this.steps.title("visualization")}...`);
      this.progress.at("visualization");
    }
    const report = withJudges(await experiment.report(rows), judged.report, this.files);
    if (!drawn) {
      const about = {
        ...this.identity,
        made: new Date(this.clock.now()),
        inputs: await this.inputs(),
        grades,
        files: await experiment.writeFiles?.(rows, {
          results: this.options.results,
          run: this.files.name,
          plan: this.identity.plan,
        }) ?? [],
      };
      await this.outputs.writeReport(report, about, this.options.svgToPng);
      await this.steps.mark("visualization", true);
    }
    return { rows, report };
  }

  /** Asks the judges, grades as each of them sees the rows, and lets people's labels stand over them. */
  private async grade(store: AttemptStore): Promise<{ judged: JudgedRun; complete: boolean }> {
    const { experiment } = this.options;
    const labels = await this.labels();
    const passes: JudgePass[] = [];
    let failed = 0;
    for (const [i, judge] of this.judges.entries()) {
      const { judgements, errors } = await this.judge(store, judge, i);
      failed += errors;
      const rows = await this.gradeRows(this.gradable(store, judgements), i);
      passes.push({ judge: judge.variant.name, rows, asked: new Set(judgements.keys()) });
    }
    if (failed > 0) {
      this.log(`${failed} judge calls ended in an error; start the same command to try them again`);
    }
    const none = new Map();
    if (passes.length === 0) {
      passes.push({ judge: "", rows: await this.gradeRows(this.gradable(store, none), 0), asked: new Set() });
    }
    const relabelled = labels.size === 0 ? null : await this.gradeRows(this.gradable(store, none, labels), 0);
    const part = ({ row }: GradedRow) => experiment.part?.(row as R) ?? null;
    return { judged: judgeRun(passes, { relabelled, labels, part }), complete: failed === 0 };
  }

  private async gradeRows(rows: readonly GradableRow<R>[], judge: number): Promise<readonly GradedRow[]> {
    const { signal } = this.stopping;
    this.progress.at("evaluation");
    try {
      return await this.options.experiment.grade(rows, { signal, kept: this.files.kept, judge });
    } catch (error) {
      throw signal.aborted ? new Stopped("user", null) : error;
    }
  }

  private async judge(store: AttemptStore, judge: WorkflowCaller, which: number): Promise<Judged> {
    const { experiment } = this.options;
    if (!experiment.judgeRows || !experiment.judgePrompt) {
      return { judgements: new Map(), errors: 0, asked: [] };
    }
    const judgeStore = await this.openJudgeStore();
    const judged = await askJudge<R>({
      judgeRows: (rows) => experiment.judgeRows?.(rows, which) ?? [],
      gradable: (judgements) => this.gradable(store, judgements),
      store: judgeStore,
      send: (round) => {
        this.asked.set(judge, [...this.asked.get(judge) ?? [], ...round.map((row) => row.id)]);
        return this.send({
          step: "evaluation",
          rows: round,
          prompt: (row) => experiment.judgePrompt?.(row, which) as Prompt,
          sampling: experiment.judgeSampling?.(which) ?? { temperature: 0 },
          caller: judge,
          store: judgeStore,
        });
      },
    });
    this.asked.set(judge, judged.asked);
    return judged;
  }

  private get judges(): readonly WorkflowCaller[] {
    return this.options.judges ?? [];
  }

  private labels(): Promise<Labels> {
    return readLabels(this.files, new Set(this.rows.map((row) => row.id)));
  }

  private async send<J extends Row>(
    stage: Pick<SendOptions<J>, "step" | "rows" | "prompt" | "caller" | "store" | "sampling"> & {
      readonly project?: () => Promise<void>;
      readonly score?: (row: J, attempt: Attempt) => boolean | null;
    },
  ): Promise<void> {
    const { project = () => Promise.resolve(), score = () => null, ...rest } = stage;
    const summary = await sendRows({
      ...rest,
      score,
      project: () => Promise.all([project(), this.writeTokens()]).then(() => {}),
      progress: this.progress,
      graceMs: this.options.graceMs ?? (stage.caller.variant.backend === "api" ? 5000 : 0),
      clock: this.clock,
      signal: this.stopping.signal,
    });
    if (stage.step === "inference") this.counts = countsOf(summary);
    if (summary.stoppedBy === null) return;
    const { error } = summary;
    const ofJudge = stage.step === "evaluation" && error?.name === "BackendError";
    throw new Stopped(summary.stoppedBy, ofJudge ? judgeError(stage.caller.variant, error) : error);
  }

  private gradable(
    store: AttemptStore,
    judgements: ReadonlyMap<string, readonly Judgement[]>,
    labels: Labels = new Map(),
  ): GradableRow<R>[] {
    return this.rows.map((row) => {
      const label = labels.get(row.id);
      return {
        row,
        ...this.result(store, row),
        judgements: judgements.get(row.id) ?? [],
        ...(label === undefined ? {} : { label }),
      };
    });
  }

  private result(store: AttemptStore, row: Row): { attempt: Attempt | null; attempts: number } {
    if (row.skip !== null) return { attempt: null, attempts: 0 };
    return { attempt: store.read(row.id), attempts: store.state(row.id)?.attempts ?? 0 };
  }

  private writeResults(store: AttemptStore): Promise<void> {
    return this.outputs.writeResults((row) => this.result(store, row), this.testMarks(store));
  }

  /** What the evaluation depends on: equal values mean that nothing has to be graded or drawn again. */
  private async inputs(): Promise<string> {
    const [first, ...more] = this.judges;
    const judge = first === undefined
      ? null
      : more.length === 0
      ? modelName(first.variant)
      : this.judges.map(({ variant }) => variant.name);
    const judgeSize = judge === null ? 0 : (await this.openJudgeStore()).size;
    const labels = [...await this.labels()].map(([id, { correct, note }]) => [id, correct, note]);
    return hashJson({
      plan: this.identity.plan,
      attempts: this.store?.size ?? 0,
      judge,
      judgeSize,
      ...(labels.length === 0 ? {} : { labels }),
    });
  }

  private async openJudgeStore(): Promise<AttemptStore> {
    const names = this.judges.map(({ variant }) => modelName(variant));
    const identity = { ...this.identity, model: names.length === 0 ? null : names.join(",") };
    return this.judgeStore ??= await openAttempts(this.files.judgeAttempts, identity, {
      ...this.options,
      perRow: names.length > 1,
    });
  }

  private models(): TokenUsage["models"] {
    const own = {
      model: modelName(this.options.caller.variant),
      totals: this.store?.totals ?? emptyTotals(),
    };
    const store = this.judgeStore;
    const [first, ...more] = this.judges;
    if (store === null || first === undefined) return [own];
    if (more.length === 0) {
      return [own, { model: `${modelName(first.variant)} (judge)`, totals: store.totals }];
    }
    const each = this.judges.map((judge) => ({
      model: `${judge.variant.name} (judge)`,
      totals: store.totalsOf(this.asked.get(judge) ?? []),
    }));
    const rest = subtractTotals(store.totals, each.map(({ totals }) => totals));
    const others = rest.calls + rest.cacheHits > 0
      ? [{ model: "judges, other questions", totals: rest }]
      : [];
    return [own, ...each, ...others];
  }

  private tokens(): number {
    return this.models().reduce((sum, { totals }) => sum + totals.inputTokens + totals.outputTokens, 0);
  }

  private writeTokens(): Promise<void> {
    return this.outputs.writeTokens({
      updated: new Date(this.clock.now()),
      elapsedMs: this.clock.now() - this.began,
      sessionTokens: this.tokens() - this.tokensBefore,
      models: this.models(),
    });
  }

  private testMarks(store: AttemptStore): TestMarks | null {
    const { test } = this.options;
    return test ? { timestamp: store.created, originalSize: test.originalSize } : null;
  }

  private refuseShard(): void {
    const { experiment, shard = null } = this.options;
    if (shard === null || experiment.more === undefined) return;
    throw new InputError(
      `The rows of ${experiment.name} follow from one another and cannot be sharded: leave --shard out.`,
    );
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
}

function judgeError(judge: Variant, error: Error): InputError {
  const message = error.message.replace(/\.?$/, ".");
  return new InputError(
    `The judge ${judge.name}: ${message} Every judgement would meet this: check its key, address and model, then start ` +
      `the same command to go on.`,
    { cause: error },
  );
}

const countsOf = ({ done, errors, skipped, pending }: RowCounts): RowCounts => ({
  done,
  errors,
  skipped,
  pending,
});

/** The model's name as its server knows it. */
export function modelName(variant: Variant): string {
  return variant.backend === "simulated" ? `simulated:${variant.mode}` : variant.model;
}
