/**
 * All context-rot experiments on all chosen variants, as one run.
 * @module
 */
import { BackendError } from "../backends/backend.ts";
import type { Variant } from "../backends/variants.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { log as logLine } from "../base/log.ts";
import { comparisonFigure } from "../figures/comparison_figure.ts";
import type { Report } from "../runs/experiment.ts";
import type { ExperimentResult } from "../runs/run_handle.ts";
import { shardOf } from "../runs/run_settings.ts";
import type { RunSnapshot } from "../runs/run_snapshot.ts";
import { finishedResults } from "../runs/sequence.ts";
import { startParsed } from "../runs/start_runs.ts";
import { comparedRow, type ComparedRun, compareVariants } from "./compare_variants.ts";
import {
  COMPARISON_FIGURE,
  type ComparisonFiles,
  comparisonFiles,
  writeComparison,
} from "./comparison_files.ts";
import { comparisonPanels } from "./comparison_panels.ts";
import { type ComparedState, comparisonReport, type ExperimentComparison } from "./comparison_report.ts";
import type { ChosenKind } from "./context_rot_settings.ts";
import { planContextRot } from "./plan_context_rot.ts";

/** How a run of all experiments ended. */
export interface ContextRotOutcome {
  /** The runs in order, with their reports and without their rows; fewer when it was stopped. */
  readonly results: readonly ExperimentResult[];
  /** The comparison of the variants; null when it was stopped, or only a shard was run. */
  readonly comparison: Report | null;
  /** Where the comparison is. */
  readonly files: ComparisonFiles;
}

/** A run of all experiments that is going on. */
export interface ContextRotRun {
  /** Resolves when everything is written. Rejects with InputError when a spent budget stops it. */
  readonly done: Promise<ContextRotOutcome>;
  /** Stops it as Ctrl+C does. Resolves with `done`. */
  stop(): Promise<ContextRotOutcome>;
  /** The run that goes on, or the last one. */
  snapshot(): RunSnapshot;
  /** Calls back at every change. @returns the way to end it. */
  onProgress(callback: () => void): () => void;
}

/**
 * Starts all chosen experiments on all chosen variants, variant by variant, and compares the variants at the end. Says
 * first what it is going to do. A variant that fails leaves the others going.
 *
 * @throws {InputError} when a setting, a variant's name, the judge or an input is wrong.
 */
export async function startContextRot(
  input: unknown,
  options: { readonly log?: (text: string) => void } = {},
): Promise<ContextRotRun> {
  const log = options.log ?? logLine;
  const { kinds, variants, settings, test, text } = await planContextRot(input);
  log(text);
  const compared: (ComparedRun & { readonly experiment: string })[] = [];
  const sequence = await startParsed(kinds, {
    log,
    keepGoing: true,
    announce: ({ title, variant, plan }) =>
      `Starting ${title} with ${variant.name}: ${plan.todo.toLocaleString("en-US")} of ${
        plan.rows.toLocaleString("en-US")
      } rows to send`,
    onResult(result) {
      const by = kinds.find((kind) => kind.experiments.some(({ name }) => name === result.experiment))?.kind
        .compared;
      const variant = variants.find(({ name }) => name === result.variant) as Variant;
      if (by && result.report !== null) {
        compared.push({
          experiment: result.experiment,
          variant: result.variant,
          simulated: variant.backend === "simulated",
          rows: result.rows.map((row) => comparedRow(row, by)),
        });
      }
      return { ...result, rows: [] }; // the texts of all runs together may be more than memory holds
    },
  });
  const files = comparisonFiles(settings.results, test);
  const finish = async (results: readonly ExperimentResult[]): Promise<ContextRotOutcome> => {
    const last = results.at(-1);
    if (last?.stoppedBy === "budget") finishedResults([last]);
    if (last?.stoppedBy === "user" || shardOf(settings) !== null) return { results, comparison: null, files };
    const experiments = kinds.flatMap((kind) => comparisonsOf(kind, compared));
    const simulated = [...new Set(compared.filter((run) => run.simulated).map(({ variant }) => variant))];
    const report = comparisonReport({ test, experiments, runs: results.map(stateOf) });
    const figures = experiments.length === 0
      ? {}
      : { [COMPARISON_FIGURE]: await comparisonFigure(comparisonPanels(experiments), { test, simulated }) };
    const comparison = { ...report, figures };
    await writeComparison(files, comparison);
    return { results, comparison, files };
  };
  const done = sequence.done.then(finish);
  done.catch(() => {}); // whoever awaits `done` learns of it
  return {
    done,
    stop() {
      sequence.stop();
      return done;
    },
    snapshot: () => sequence.snapshot(),
    onProgress: (callback) => sequence.onProgress(callback),
  };
}

function comparisonsOf(
  { kind, experiments }: ChosenKind,
  compared: readonly (ComparedRun & { readonly experiment: string })[],
): ExperimentComparison[] {
  return experiments.flatMap(({ name, title }) => {
    const runs = compared.filter(({ experiment }) => experiment === name);
    if (kind.compared === null || runs.length === 0) return [];
    const { unit } = kind.compared;
    return [{ name, title, unit, conditions: compareVariants(runs, { unit }) }];
  });
}

function stateOf(result: ExperimentResult): ComparedState {
  const { experiment, variant, done, errors, skipped, pending, error } = result;
  const failure = error !== null
    ? failureText(error)
    : done === 0 && errors > 0
    ? `none of ${errors} rows was answered`
    : null;
  return { experiment, variant, done, errors, skipped, pending, failure };
}

/** What stopped a run, for people; with where it happened when it is a fault of the program. */
function failureText(error: Error): string {
  return error instanceof InputError || error instanceof BackendError
    ? messageOf(error)
    : error.stack ?? messageOf(error);
}
