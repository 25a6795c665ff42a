/**
 * From one stage of a splice experiment to the next: recorded chains, measured deltas, splice points.
 * @module
 */
import type { ReasoningMarks } from "../backends/variants.ts";
import type { Attempt } from "../runs/experiment.ts";
import type { Cluster } from "./duplicates.ts";
import { isOwn, writtenChain } from "./own_problems.ts";
import { chainOf, readSample } from "./read_sample.ts";
import { splitSentences } from "./sentences.ts";
import type { SpliceRow, Stage } from "./splice_rows.ts";
import type { AnswerCount, RecordedChain, SentenceEffect, SpliceProblem } from "./types.ts";

/** A row with what was answered. */
export interface AnsweredRow {
  /** The row. */
  readonly row: SpliceRow;
  /** The attempt that counts; null before the first. */
  readonly attempt: Attempt | null;
}

/** A chain that is measured or cut. */
export interface ChosenChain {
  /** Whose it is. */
  readonly problem: SpliceProblem;
  /** Written under the hint, and ending with the hinted answer. */
  readonly chain: RecordedChain;
}

/** The rows of a stage. */
export function rowsOf(rows: readonly AnsweredRow[], stage: Stage): AnsweredRow[] {
  return rows.filter(({ row }) => row.params.stage === stage);
}

/** Whether every row of a stage that can be sent was answered. */
export function isAnswered(rows: readonly AnsweredRow[]): boolean {
  return rows.every(({ row, attempt }) => row.skip !== null || attempt?.status === "done");
}

/** Problems with the chains that were recorded for them, beside those they had. */
export function withRecorded(
  problems: readonly SpliceProblem[],
  rows: readonly AnsweredRow[],
  marks: ReasoningMarks,
): SpliceProblem[] {
  const chains = new Map<string, RecordedChain[]>();
  for (const { row, attempt } of rowsOf(rows, "record")) {
    const chain = attempt?.status === "done" ? chainOf(row, attempt, marks) : null;
    if (chain === null) continue;
    const own = chains.get(row.problem.id) ?? [];
    own.push(chain);
    chains.set(row.problem.id, own);
  }
  return problems.map((problem) => ({
    ...problem,
    chains: [...problem.chains, ...chains.get(problem.id) ?? []],
  }));
}

/** The chains to cut, and where they are from. */
export interface ChosenChains {
  /** One for each problem that has one. */
  readonly chains: readonly ChosenChain[];
  /** Problems without one, each with the reason. */
  readonly without: readonly { readonly problem: string; readonly reason: string }[];
  /** `written` where no chain of ours was swayed and those that we wrote stand in. */
  readonly source: "recorded" | "written";
}

/**
 * For each problem its first hinted chain that ends with the hinted answer and has at least two sentences. Where not one
 * of our own problems has any, chains written by us stand in: they show what a model makes of such chains, not how it
 * reasons itself.
 *
 * @param clusters problems with the same chains: of each, the first is taken
 */
export function chooseChains(
  problems: readonly SpliceProblem[],
  clusters: readonly Cluster[] = [],
): ChosenChains {
  const twins = new Map(
    clusters.flatMap(({ problems: [first, ...rest] }) => rest.map((id) => [id, first] as const)),
  );
  const chains: ChosenChain[] = [];
  const without: { problem: string; reason: string }[] = [];
  for (const problem of problems) {
    const hinted = problem.chains.filter(({ arm }) => arm === "hinted");
    const swayed = hinted.filter(({ answer }) => answer === problem.hinted);
    const chain = swayed.find(({ reasoning }) => splitSentences(reasoning).length > 1);
    const twin = twins.get(problem.id);
    if (twin !== undefined) {
      without.push({ problem: problem.id, reason: `the same chains as problem ${twin}` });
    } else if (chain !== undefined) chains.push({ problem, chain });
    else {
      const reason = hinted.length === 0
        ? "no chain was recorded under the hint"
        : swayed.length === 0
        ? `none of its ${hinted.length} hinted chains ends with the hinted answer (${problem.hinted})`
        : "its swayed chains have fewer than two sentences";
      without.push({ problem: problem.id, reason });
    }
  }
  const own = problems.filter(isOwn);
  if (chains.length > 0 || own.length === 0 || own.length < problems.length) {
    return { chains, without, source: "recorded" };
  }
  return {
    chains: own.map((problem) => ({ problem, chain: writtenChain(problem) })),
    without: [],
    source: "written",
  };
}

/**
 * How far each sentence moved the answer, from the samples behind it and behind the sentence before it; behind no
 * sentence at all for the first. A sentence is left out where not one answer behind it could be read.
 */
export function measuredEffects(
  chains: readonly ChosenChain[],
  rows: readonly AnsweredRow[],
  marks: ReasoningMarks,
): SentenceEffect[] {
  const counts = new Map<string, { hits: number; of: number }>();
  for (const { row, attempt } of rowsOf(rows, "deltas")) {
    if (attempt?.status !== "done") continue;
    const { answer } = readSample(row, attempt, marks);
    const key = keyOf(row.problem.id, row.params.sentence_number);
    const count = counts.get(key) ?? { hits: 0, of: 0 };
    counts.set(key, count);
    if (answer === null) continue;
    count.of++;
    if (answer === row.problem.hinted) count.hits++;
  }
  const countAt = (problem: string, sentence: number | null): AnswerCount | null => {
    const count = counts.get(keyOf(problem, sentence));
    return count === undefined || count.of === 0 ? null : count;
  };
  return chains.flatMap(({ problem, chain }) =>
    splitSentences(chain.reasoning).slice(0, -1).flatMap(({ index, text }): SentenceEffect[] => {
      const beforeCount = countAt(problem.id, index === 0 ? null : index - 1);
      const afterCount = countAt(problem.id, index);
      if (afterCount === null) return [];
      const after = afterCount.hits / afterCount.of;
      const before = beforeCount === null ? null : beforeCount.hits / beforeCount.of;
      return [{
        problem: problem.id,
        sentence: index,
        text,
        before,
        after,
        delta: before === null ? null : after - before,
        beforeCount,
        afterCount,
        beforeMeasured: beforeCount !== null,
        copied: false,
      }];
    })
  );
}

const keyOf = (problem: string, sentence: number | null) => `${problem}/${sentence ?? "none"}`;
