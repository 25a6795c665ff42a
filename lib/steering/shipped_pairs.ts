/**
 * The pairs that ship, so that no teacher is needed: questions and answers of our own in each style.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeAtomic } from "../base/files.ts";
import { createRandom } from "../base/random.ts";
import { pairLines, type PairSet, pairSet } from "./pairs.ts";
import { sampleAnswer } from "./sample_answers.ts";
import { type SampleQuestion, sampleQuestion } from "./sample_questions.ts";
import { type StyleName, STYLES } from "./style.ts";

/** Pairs that ship of each style. */
const SHIPPED = 64;

/** The file name of a style's pairs. */
export const pairsName = (style: string): string => `${style}_pairs.jsonl`;

/** The file of a style that ships with its pairs. */
export function shippedPairsPath(style: string): string {
  return fileURLToPath(new URL(`../../data/steering/${pairsName(style)}`, import.meta.url));
}

/** Draws questions that the embedded model has not learned from, no two alike. */
export function drawQuestions(count: number, seed: string): SampleQuestion[] {
  const random = createRandom(seed);
  const questions = new Map<string, SampleQuestion>();
  while (questions.size < count) {
    const question = sampleQuestion(random, "shipped");
    questions.set(question.id, question);
  }
  return [...questions.values()];
}

/** Makes pairs of a style from templates; those that ship unless another number or seed is given. */
export function samplePairs(style: StyleName, count = SHIPPED, seed: number | string = 0): PairSet {
  const random = createRandom(`pairs/${style}/${seed}`);
  const questions = drawQuestions(count, `pair questions/${style}/${seed}`);
  return pairSet(questions.map((question) => ({
    question: question.question,
    positive: sampleAnswer(style, question, random),
    negative: sampleAnswer("neutral", question, random),
    answer: question.cause,
  })));
}

/** Writes the pairs that ship into `{folder}/steering`. @returns the files. @throws {InputError} */
export async function writeShippedPairs(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const style of STYLES) {
    const path = join(folder, "steering", pairsName(style));
    await writeAtomic(path, pairLines(samplePairs(style).pairs));
    paths.push(path);
  }
  return paths;
}
