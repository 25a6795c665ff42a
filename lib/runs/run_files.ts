/**
 * The names of a run's files.
 * @module
 */
import { join } from "node:path";
import { snakeName } from "../backends/variants.ts";
import type { Layout } from "./experiment.ts";
import type { Shard } from "./shard.ts";

/** What names a run's files. */
export interface RunName {
  /** The results folder. */
  readonly results: string;
  /** The experiment, as in file names: `niah`. */
  readonly experiment: string;
  /** The variant, as in models.json. */
  readonly variant: string;
  /** Whether it is a test run. */
  readonly test: boolean;
  /** The part of the rows, when machines share the run. */
  readonly shard?: Shard | null;
  /** The experiment's layout; needed for the CSVs and figures of experiments that have one. */
  readonly layout?: Layout | null;
}

/** The CSVs of a run, or of one part of it. */
export interface RunCsvs {
  /** Name of the part, or null when the run has no parts. */
  readonly part: string | null;
  /** Every row with its result. */
  readonly results: string;
  /** Every row with its result and its grade. */
  readonly evaluated: string;
}

/** Paths of a run's files. Nothing is created by naming them. */
export interface RunFiles {
  /** File name without its ending: `test_gpt_oss_20b_niah`. */
  readonly name: string;
  /** The results folder. */
  readonly results: string;
  /** The exclusive lock, see `lockRun`. */
  readonly lock: string;
  /** Configuration and rows with their recipes. */
  readonly plan: string;
  /** The truth: every try at every row. */
  readonly attempts: string;
  /** The same of the judge's rows. */
  readonly judgeAttempts: string;
  /** Rows on which several judges differ, for a person to label. */
  readonly disagreements: string;
  /** What a person says of single rows. */
  readonly relabel: string;
  /** One pair of CSVs, or one for each part. */
  readonly csvs: readonly RunCsvs[];
  /** What grading keeps for the next time. */
  readonly kept: string;
  /** Tokens and cost, for people. */
  readonly tokenDashboard: string;
  /** Tokens and cost, for programs. */
  readonly tokenSummary: string;
  /** Statistics. */
  readonly reportJson: string;
  /** The summary. */
  readonly reportText: string;
  /** `figure("heatmap", "svg")`. */
  figure(name: string, ending: "svg" | "png"): string;
}

/** Names a run's files: `results/[test_]{variant}_{experiment}[_shard_i_of_n]_...`, as its layout says. */
export function runFiles(run: RunName): RunFiles {
  const shard = run.shard ? `_shard_${run.shard.index}_of_${run.shard.count}` : "";
  const name = `${run.test ? "test_" : ""}${snakeName(run.variant)}_${snakeName(run.experiment)}${shard}`;
  const path = (ending: string) => join(run.results, `${name}_${ending}`);
  const { parts = [null], mainFigure, figureFolder = false } = run.layout ?? {};
  return {
    name,
    results: run.results,
    lock: join(run.results, `.${name}.lock`),
    plan: path("plan.json"),
    attempts: path("attempts.jsonl"),
    judgeAttempts: path("judge_attempts.jsonl"),
    disagreements: path("disagreements.csv"),
    relabel: path("relabel.csv"),
    csvs: parts.map((part) => {
      const prefix = part === null ? "" : `${snakeName(part)}_`;
      return { part, results: path(`${prefix}results.csv`), evaluated: path(`${prefix}evaluated.csv`) };
    }),
    kept: join(run.results, `.${name}_kept.jsonl`),
    tokenDashboard: path("results_token_dashboard.txt"),
    tokenSummary: path("results_token_summary.json"),
    reportJson: path("report.json"),
    reportText: path("report.txt"),
    figure(figure, ending) {
      if (figure === mainFigure) return join(run.results, `${name}.${ending}`);
      return figureFolder ? path(join("evaluated", `${figure}.${ending}`)) : path(`${figure}.${ending}`);
    },
  };
}
