/**
 * The rows by which vectors are evaluated: one question under one steering.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { createRandom } from "../base/random.ts";
import type { Row } from "../runs/experiment.ts";
import type { FactoryConfig } from "./factory_config.ts";
import type { KvStrength } from "./kv_vectors.ts";
import type { PairSet } from "./pairs.ts";
import { drawQuestions } from "./shipped_pairs.ts";

/**
 * Why a question is asked.
 *
 * - `unsteered`: under the neutral prompt.
 * - `prompted`: unsteered, under the style's prompt.
 * - `search`: steered, to choose the strength; questions of the first half alone.
 * - `zero`: steered with strength 0, which must change nothing.
 * - `steered`, `random`: questions of the second half, with the style's vectors and with random ones of the same length.
 */
export type FactoryArm = "unsteered" | "prompted" | "search" | "zero" | "steered" | "random";

/** The half of the questions a question is in. */
export type FactorySplit = "search" | "report";

/** A question that vectors are evaluated on. */
export interface FactoryQuestion {
  /** Its place among the questions, from 0. */
  readonly index: number;
  /** What is asked. */
  readonly question: string;
  /** The right answer, or null where nobody has said it. */
  readonly answer: string | null;
  /** The half it is in. */
  readonly split: FactorySplit;
}

/** One question under one steering. */
export interface FactoryRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly style: string;
    readonly arm: FactoryArm;
    readonly split: FactorySplit;
    readonly question: number;
    readonly prompt: string;
    readonly answer: string | null;
    /** How many times keys are added; null when nothing is. */
    readonly c_k: number | null;
    /** How many times values are added; null when nothing is. */
    readonly c_v: number | null;
  };
}

const line = z.strictObject({
  id: z.union([z.string(), z.number()]).optional(),
  question: z.string().trim().min(1),
  answer: z.string().trim().min(1).optional(),
});

/**
 * The questions of an evaluation: drawn, split into halves, and none of them in the pairs.
 *
 * @throws {InputError} when the file of questions is wrong, or fewer than four are left.
 */
export async function factoryQuestions(
  style: string,
  config: Pick<FactoryConfig, "questions" | "maxQuestions" | "test" | "seed">,
  pairs: Pick<PairSet, "pairs"> | null,
): Promise<FactoryQuestion[]> {
  const most = config.maxQuestions ?? (config.test ? 16 : 60);
  const inPairs = new Set(
    pairs?.pairs.flatMap((pair) => [
      pair.question,
      ...("examples" in pair ? pair.examples.map(({ question }) => question) : []),
    ]),
  );
  const all = config.questions === null
    ? drawQuestions(most + inPairs.size, `factory questions/${style}/${config.seed}`)
      .map(({ question, cause }) => ({ question, answer: cause }))
    : await readQuestions(config.questions);
  const heldOut = all.filter(({ question }) => !inPairs.has(question));
  if (heldOut.length < 4) {
    throw new InputError(
      `${heldOut.length} questions are left for ${style} (${all.length} given, ${
        all.length - heldOut.length
      } of ` +
        "them in the pairs): give at least four, half to choose the strength on and half to report on.",
    );
  }
  const drawn = createRandom(`factory split/${config.seed}`).shuffle(heldOut).slice(0, most);
  const half = Math.floor(drawn.length / 2);
  return drawn.map(({ question, answer }, index) => ({
    index,
    question,
    answer: answer ?? null,
    split: index < half ? "search" : "report",
  }));
}

async function readQuestions(path: string): Promise<{ question: string; answer?: string | undefined }[]> {
  const text = await readTextIfExists(path);
  if (text === undefined) throw new InputError(`There is no file of questions at ${path}.`);
  const lines = text.split("\n").map((one, i) => ({ text: one.trim(), number: i + 1 }))
    .filter((one) => one.text !== "");
  if (path.endsWith(".txt")) return distinct(lines.map((one) => ({ question: one.text })));
  return distinct(lines.map((one) => {
    let json: unknown;
    try {
      json = JSON.parse(one.text);
    } catch {
      json = one.text;
    }
    const parsed = line.safeParse(json);
    if (parsed.success) return { question: parsed.data.question, answer: parsed.data.answer };
    throw new InputError(
      `${path}, line ${one.number}, is no question: write {"question": "...", "answer": "..."} (the answer may be left ` +
        "out), or name the file .txt and write one question a line.",
    );
  }));
}

function distinct<Q extends { readonly question: string }>(questions: readonly Q[]): Q[] {
  return [...new Map(questions.map((question) => [question.question, question])).values()];
}

/** The strengths that are tried: every c_k with every c_v, nothing without either. */
export function strengthGrid(
  { keys, values, test }: Pick<FactoryConfig, "keys" | "values" | "test">,
): KvStrength[] {
  const [ck, cv] = [keys ?? (test ? [1] : [0, 1]), values ?? (test ? [1, 3, 8] : [1, 2, 4, 8])];
  return [...new Set(ck)].flatMap((keys) => [...new Set(cv)].map((values) => ({ keys, values })))
    .filter(({ keys, values }) => keys !== 0 || values !== 0);
}
