/**
 * Contrastive pairs: a question answered in a style and plainly, as JSON lines.
 *
 * Two forms of line are read:
 *
 * - `{"question", "positive", "negative"}`: the question and its two answers;
 * - `{"question", "examples": [{"question", "positive", "negative"}, ...]}`: a question behind worked examples, whose
 *   answers are in the style or plain (the pairs of cache steering, arXiv 2507.08799).
 *
 * Either may say the right `answer`.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";

const text = z.string().refine((value) => value.trim() !== "", "must hold text");
const answered = { question: text, positive: text, negative: text };
const extra = { id: z.string().min(1).optional(), answer: text.optional() };
const answersSchema = z.strictObject({ ...answered, ...extra })
  .refine(({ positive, negative }) => positive.trim() !== negative.trim(), {
    message: "positive and negative are the same",
  });
const examplesSchema = z.strictObject({
  question: text,
  examples: z.array(z.strictObject(answered)).min(1).max(64),
  ...extra,
}).refine(({ examples }) => examples.some(({ positive, negative }) => positive.trim() !== negative.trim()), {
  message: "positive and negative are the same in all examples",
});

/** A question with an answer in the style and a plain one. */
export interface AnsweredPair {
  /** The question. */
  readonly question: string;
  /** The answer in the style. */
  readonly positive: string;
  /** The plain answer. */
  readonly negative: string;
}

/** What a pair says: a question with both answers, or behind worked examples. */
export type PairContent =
  & {
    /** The right answer, where there is one. */
    readonly answer?: string | undefined;
  }
  & (AnsweredPair | { readonly question: string; readonly examples: readonly AnsweredPair[] });

/** A pair. */
export type StylePair = PairContent & {
  /** Its name; made from what it asks where none is given. */
  readonly id: string;
};

/** Pairs, and what was left out. */
export interface PairSet {
  /** In the order of the file, no two of the same question and examples. */
  readonly pairs: readonly StylePair[];
  /** How many lines said what another had said. */
  readonly duplicates: number;
  /** Hash of the pairs. */
  readonly sha256: string;
}

/** Names a pair by what it says, and drops those that ask the same as one before. */
export function pairSet(pairs: readonly (PairContent & { readonly id?: string | undefined })[]): PairSet {
  const known = new Map<string, StylePair>();
  for (const pair of pairs) {
    const examples = "examples" in pair ? pair.examples : null;
    const key = hashJson([pair.question, examples].map(plain) as Json);
    if (!known.has(key)) known.set(key, { ...pair, id: pair.id ?? key });
  }
  const kept = [...known.values()];
  return {
    pairs: kept,
    duplicates: pairs.length - kept.length,
    sha256: hashJson(kept.map(({ id: _, ...pair }) => pair) as unknown as Json),
  };
}

/** The same for texts that differ in case and white space alone. */
function plain(value: unknown): unknown {
  if (typeof value === "string") return value.toLowerCase().replaceAll(/\s+/g, " ").trim();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/**
 * Reads pairs from JSON lines.
 *
 * @param path for messages.
 * @throws {InputError} naming the line that is wrong, or when there is no pair.
 */
export function parsePairs(source: string, path: string): PairSet {
  const pairs = source.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const bad = (reason: string, cause: unknown) =>
      new InputError(`${path}, line ${i + 1}: ${reason} Correct the line, or delete it.`, { cause });
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch (error) {
      throw bad(`not JSON (${(error as Error).message}).`, error);
    }
    const isExamples = json !== null && typeof json === "object" && "examples" in json;
    const parsed = (isExamples ? examplesSchema : answersSchema).safeParse(json);
    if (!parsed.success) throw bad(`no pair:\n${z.prettifyError(parsed.error)}\n`, parsed.error);
    return [parsed.data];
  });
  if (pairs.length === 0) throw new InputError(`${path} holds no pairs: build them, or give another file.`);
  return pairSet(pairs);
}

/** Reads a file of pairs. @throws {InputError} when it is missing or wrong. */
export async function readPairs(path: string): Promise<PairSet> {
  const source = await readTextIfExists(path);
  if (source === undefined) throw new InputError(`There is no file of pairs at ${path}.`);
  return parsePairs(source, path);
}

/** Pairs as JSON lines. */
export function pairLines(pairs: readonly StylePair[]): string {
  return pairs.map((pair) => `${JSON.stringify(pair)}\n`).join("");
}

/** Writes a file of pairs whole or not at all. @throws {InputError} */
export async function writePairs(path: string, pairs: readonly StylePair[]): Promise<void> {
  await writeAtomic(path, pairLines(pairs));
}
