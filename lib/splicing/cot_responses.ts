/**
 * Recorded reasoning as `cot_responses.json` holds it: what `deno task record-cots` writes.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { parseAnswer } from "./answers.ts";
import { checkedValue, idOf, idSchema, letterOf, placeOf } from "./input_text.ts";
import { problemOf } from "./problem_of.ts";
import { choicesIn } from "./prompt_text.ts";
import type { Dropped, SourceProblems } from "./source_problems.ts";
import type { RecordedChain, SpliceProblem } from "./types.ts";

const sampleSchema = z.looseObject({
  cot: z.string().nullable(),
  answer: z.string().nullable().optional(),
  sample_num: z.int().min(0).optional(),
});
const distributionSchema = z.record(z.string(), z.number().min(0)).nullable().optional();

/** A record of `cot_responses.json`. Keys are those of the file; further keys are let through. */
export const cotResponseSchema = z.looseObject({
  question_id: idSchema,
  subject: z.string().nullable().optional(),
  question: z.string().min(1),
  correct_answer: z.string().nullable(),
  hinted_answer: z.string().nullable(),
  no_hint_samples: z.array(sampleSchema),
  hinted_samples: z.array(sampleSchema),
  no_hint_distribution: distributionSchema,
  hinted_distribution: distributionSchema,
  hint_effect: z.number().nullable().optional(),
});
/** A record of `cot_responses.json`. */
export type CotResponse = z.infer<typeof cotResponseSchema>;

/** Reasoning without the tags around it: what stands between `<think>` and `</think>`, or all of it. */
export function reasoningOf(cot: string): string {
  const opened = /^\s*<think>\n?/.exec(cot)?.[0].length ?? 0;
  const closed = cot.indexOf("</think>", opened);
  return closed < 0 ? cot.slice(opened) : cot.slice(opened, closed);
}

/**
 * Reads the records of a `cot_responses.json`. The question is taken as the prompt without a hint; a problems file may
 * give the prompts as they were sent.
 *
 * @param value the file as JSON
 * @throws {InputError} when it is no list of such records, or an id stands twice; the record and the field are named.
 */
export function readCotResponses(value: unknown, path: string): SourceProblems {
  if (!Array.isArray(value)) throw new InputError(`${path}: a list of records was expected.`);
  const dropped: Dropped[] = [];
  const problems: SpliceProblem[] = [];
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const place = placeOf(i, item, "question_id");
    const record = checkedValue(cotResponseSchema, item, path, place);
    const id = idOf(record.question_id);
    if (seen.has(id)) {
      throw new InputError(
        `${path}, ${place}: this question_id is there twice. Leave one of the records out.`,
      );
    }
    seen.add(id);
    const choices = choicesIn(record.question);
    const chains = [
      ...chainsOf(record.no_hint_samples, "base"),
      ...chainsOf(record.hinted_samples, "hinted"),
    ];
    const empty = chains.filter((chain) => chain.reasoning.trim() === "");
    for (const { arm, sample } of empty) {
      dropped.push({
        file: path,
        problem: id,
        sentence: null,
        reason: `${arm} sample ${sample} has no reasoning`,
      });
    }
    const problem = problemOf({
      id,
      subject: record.subject ?? null,
      question: record.question,
      choices,
      basePrompt: record.question,
      hintedPrompt: null,
      correct: letterOf(record.correct_answer),
      hinted: letterOf(record.hinted_answer),
      chains: chains.filter((chain) => !empty.includes(chain)),
    });
    if (typeof problem === "string") {
      dropped.push({ file: path, problem: id, sentence: null, reason: problem });
    } else problems.push(problem);
  }
  return { kind: "cot_responses", records: value.length, problems, dropped, writers: new Map() };
}

function chainsOf(samples: CotResponse["hinted_samples"], arm: RecordedChain["arm"]): RecordedChain[] {
  return samples.map(({ cot, answer, sample_num }, i) => ({
    arm,
    sample: sample_num ?? i,
    reasoning: reasoningOf(cot ?? ""),
    answer: letterOf(answer) ?? (cot === null ? null : parseAnswer(cot).answer),
  }));
}
