/**
 * The names of a run's files.
 * @module
 */
import { join } from "node:path";
import { snakeName } from "../backends/variants.ts";
import type { Shard } from "./shard.ts";

/** What names a run's files. */
export interface RunName {
  /** The results folder. */
  readonly results: string;
  readonly experiment: string;
  readonly variant: string;
  readonly test: boolean;
  readonly shard?: Shard | null;
}

/** Paths of a run's files. Nothing is created by naming them. */
export interface RunFiles {
  /** File name without its ending: `test_gpt_oss_20b_niah`. */
  readonly name: string;
  readonly results: string;
  readonly lock: string;
  readonly plan: string;
  readonly attempts: string;
  readonly judgeAttempts: string;
  readonly resultsCsv: string;
  readonly evaluatedCsv: string;
  readonly tokenDashboard: string;
  readonly tokenSummary: string;
  readonly reportJson: string;
  readonly reportText: string;
  /** `figure("heatmap", "svg")`. */
  figure(name: string, ending: "svg" | "png"): string;
}

/** Names a run's files: `results/[test_]{variant}_{experiment}[_shard_i_of_n]_...`. */
export function runFiles(run: RunName): RunFiles {
  const shard = run.shard ? `_shard_${run.shard.index}_of_${run.shard.count}` : "";
  const name = `${run.test ? "test_" : ""}${snakeName(run.variant)}_${snakeName(run.experiment)}${shard}`;
  const path = (ending: string) => join(run.results, `${name}_${ending}`);
  return {
    name,
    results: run.results,
    lock: join(run.results, `.${name}.lock`),
    plan: path("plan.json"),
    attempts: path("attempts.jsonl"),
    judgeAttempts: path("judge_attempts.jsonl"),
    resultsCsv: path("results.csv"),
    evaluatedCsv: path("evaluated.csv"),
    tokenDashboard: path("results_token_dashboard.txt"),
    tokenSummary: path("results_token_summary.json"),
    reportJson: path("report.json"),
    reportText: path("report.txt"),
    figure: (figure, ending) => path(`${figure}.${ending}`),
  };
}
