/**
 * Problems of our own as a splice experiment takes them.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { sampleChain, type SampleProblem, sampleProblem } from "./sample_problems.ts";
import type { RecordedChain, SpliceProblem } from "./types.ts";

/** The problems of a seed, numbered from 1. More of them begin with the same ones. None may be learned from. */
export function ownProblems(count: number, seed: number): SpliceProblem[] {
  const random = createRandom(`own problems/${seed}`);
  const seen = new Set<string>();
  const problems: SpliceProblem[] = [];
  while (problems.length < count) {
    const problem = sampleProblem(random, "shipped");
    if (seen.has(problem.id)) continue;
    seen.add(problem.id);
    problems.push(spliceProblem(problem, problems.length + 1));
  }
  return problems;
}

function spliceProblem(problem: SampleProblem, number: number): OwnProblem {
  const { subject, question, choices, basePrompt, hintedPrompt, correct, hinted } = problem;
  return {
    id: String(number),
    subject,
    question,
    choices,
    basePrompt,
    hintedPrompt,
    correct,
    hinted,
    chains: [],
    sample: problem,
  };
}

/** A problem of our own, with its sums. */
export interface OwnProblem extends SpliceProblem {
  /** The problem as it was drawn. */
  readonly sample: SampleProblem;
}

/** Whether a problem is of our own. */
export function isOwn(problem: SpliceProblem): problem is OwnProblem {
  return "sample" in problem;
}

/**
 * The chain of a writer whom the hint has swayed to the end, for a problem of our own: written by us, by no model. The
 * same for the same problem.
 */
export function writtenChain({ id, sample }: OwnProblem): RecordedChain {
  const random = createRandom(`written/${sample.id}/${id}`);
  while (true) {
    const { reasoning, answer } = sampleChain(sample, random, { arm: "hinted", wrong: "sum" });
    if (answer === sample.hinted) return { arm: "hinted", sample: 0, reasoning, answer };
  }
}
