/**
 * Recorded reasoning as the thought-branches project (interp-reasoning) publishes it.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { parseAnswer } from "./answers.ts";
import { checkedValue, idOf, idSchema, letterOf, placeOf } from "./input_text.ts";
import { problemOf } from "./problem_of.ts";
import { choicesIn, userTurn } from "./prompt_text.ts";
import type { Dropped, SourceProblems } from "./source_problems.ts";
import type { RecordedChain, SpliceProblem } from "./types.ts";

const recordSchema = z.looseObject({
  pn: idSchema,
  question: z.string().min(1),
  question_with_cue: z.string().min(1),
  reasoning_text: z.string().nullable(),
  base_reasoning_text: z.string().nullable().optional(),
  base_gt_reasoning_text: z.string().nullable().optional(),
  post_reasoning: z.string().nullable().optional(),
  base_post_reasoning: z.string().nullable().optional(),
  base_gt_post_reasoning: z.string().nullable().optional(),
  gt_answer: z.string().nullable(),
  cue_answer: z.string().nullable(),
  answer: z.string().nullable().optional(),
  model: z.string().nullable().optional(),
});

/** Whether the records of a file are of this schema. */
export function isThoughtBranches(value: unknown): boolean {
  const first = Array.isArray(value) ? value[0] : null;
  return typeof first === "object" && first !== null && "reasoning_text" in first && "pn" in first;
}

/**
 * Reads a thought-branches file: one chain under the hint and up to two without it for each problem.
 *
 * @param value the file as JSON
 * @throws {InputError} when it is no list of such records, or a problem stands twice; the record and the field are named.
 */
export function readThoughtBranches(value: unknown, path: string): SourceProblems {
  if (!Array.isArray(value)) throw new InputError(`${path}: a list of records was expected.`);
  const dropped: Dropped[] = [];
  const problems: SpliceProblem[] = [];
  const writers = new Map<string, string>();
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const place = placeOf(i, item, "pn");
    const record = checkedValue(recordSchema, item, path, place);
    const id = idOf(record.pn);
    if (seen.has(id)) {
      throw new InputError(`${path}, ${place}: this problem is there twice. Leave one of the records out.`);
    }
    seen.add(id);
    const chain = (
      arm: RecordedChain["arm"],
      sample: number,
      reasoning: string | null | undefined,
      post: string | null | undefined,
      answer?: string | null,
    ): RecordedChain[] =>
      !reasoning?.trim()
        ? []
        : [{ arm, sample, reasoning, answer: letterOf(answer) ?? parseAnswer(post ?? "").answer }];
    const chains = [
      ...chain("base", 0, record.base_reasoning_text, record.base_post_reasoning),
      ...chain("base", 1, record.base_gt_reasoning_text, record.base_gt_post_reasoning),
      ...chain("hinted", 0, record.reasoning_text, record.post_reasoning, record.answer),
    ];
    if (!chains.some(({ arm }) => arm === "hinted")) {
      dropped.push({ file: path, problem: id, sentence: null, reason: "no reasoning under the hint" });
    }
    const question = userTurn(record.question);
    const problem = problemOf({
      id,
      subject: null,
      question,
      choices: choicesIn(question),
      basePrompt: question,
      hintedPrompt: userTurn(record.question_with_cue),
      correct: letterOf(record.gt_answer),
      hinted: letterOf(record.cue_answer),
      chains,
    });
    if (typeof problem === "string") {
      dropped.push({ file: path, problem: id, sentence: null, reason: problem });
    } else {
      problems.push(problem);
      if (record.model) writers.set(id, record.model);
    }
  }
  return { kind: "thought_branches", records: value.length, problems, dropped, writers };
}
