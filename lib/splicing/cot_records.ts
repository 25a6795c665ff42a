/**
 * Recorded chains in the form of `cot_responses.json`.
 * @module
 */
import { lettersOf } from "./read_sample.ts";
import type { RecordedChain, SpliceProblem } from "./types.ts";

/** The records of `cot_responses.json`: chains and answers under both prompts. Shares are over answers that could be read. */
export function cotRecords(problems: readonly SpliceProblem[]): unknown[] {
  return problems.map((problem) => {
    const { id, subject, basePrompt, correct, hinted } = problem;
    const of = (arm: RecordedChain["arm"]) => problem.chains.filter((chain) => chain.arm === arm);
    const without = distribution(problem, of("base"));
    const withHint = distribution(problem, of("hinted"));
    const effect = (withHint?.[hinted] ?? NaN) - (without?.[hinted] ?? NaN);
    return {
      question_id: id,
      subject,
      question: basePrompt,
      correct_answer: correct,
      hinted_answer: hinted,
      no_hint_samples: samples(of("base")),
      hinted_samples: samples(of("hinted")),
      no_hint_distribution: without,
      hinted_distribution: withHint,
      hint_effect: Number.isFinite(effect) ? effect : null,
    };
  });
}

/** The prompts of problems as they were sent. */
export function problemRecords(problems: readonly SpliceProblem[]): unknown[] {
  return problems.map(({ id, basePrompt, hintedPrompt, choices, correct, hinted }) => ({
    id,
    base_prompt: basePrompt,
    hinted_prompt: hintedPrompt,
    choices,
    correct_answer: correct,
    hinted_answer: hinted,
  }));
}

const samples = (chains: readonly RecordedChain[]) =>
  chains.map(({ reasoning, answer, sample }) => ({ cot: reasoning, answer, sample_num: sample }));

/** Share of each letter among the answers that could be read; null where none could. */
function distribution(
  problem: SpliceProblem,
  chains: readonly RecordedChain[],
): Record<string, number> | null {
  const answers = chains.flatMap(({ answer }) => answer === null ? [] : [answer]);
  if (answers.length === 0) return null;
  return Object.fromEntries(
    lettersOf(problem).map((
      letter,
    ) => [letter, answers.filter((answer) => answer === letter).length / answers.length]),
  );
}
