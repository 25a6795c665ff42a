/**
 * Whether the answers of a run are still text, each held against the unsteered answer to the same question.
 * @module
 */
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import type { Steerable } from "../backends/steerable.ts";
import { hashJson, sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { keptValues } from "../runs/kept_values.ts";
import { readAnswer } from "./answer_readings.ts";
import {
  type Coherence,
  type CoherenceMeasures,
  coherenceOf,
  type CoherenceScale,
  compression,
  repetition,
} from "./coherence.ts";

/** An answer to be measured. */
export interface MeasuredAnswer {
  /** Its row's id. */
  readonly id: string;
  /** The same for all answers to one question. */
  readonly question: number;
  /** What the unsteered model is asked. */
  readonly messages: readonly Message[];
  /** The answer. */
  readonly text: string;
  /** Whether it is the unsteered answer. */
  readonly unsteered: boolean;
}

/** Options of {@linkcode measureAnswers}. */
export interface MeasureOptions {
  /** Reads answers without steering; likelihood is left out without it. */
  readonly model: Steerable | undefined;
  /** Names the model in what is kept. */
  readonly identity: string;
  /** A file for what took long, see `keptValues`; null keeps nothing. */
  readonly kept: string | null;
  /** Ends the measuring. */
  readonly signal: AbortSignal;
}

/** How coherent answers are. */
export interface MeasuredAnswers {
  /** By row id. */
  readonly coherence: ReadonlyMap<string, Coherence>;
  /** What likelihood was held against; null where it was left out. */
  readonly scale: CoherenceScale | null;
}

/**
 * Measures answers: likelihood under the unsteered model, repetition, compression.
 *
 * @throws the signal's reason.
 */
export async function measureAnswers(
  answers: readonly MeasuredAnswer[],
  options: MeasureOptions,
): Promise<MeasuredAnswers> {
  const { model, identity, signal } = options;
  const kept = await keptValues(options.kept, "nll", z.number().nullable());
  const nllOf = async (messages: readonly Message[], text: string): Promise<number | null> => {
    if (model === undefined || text === "") return null;
    signal.throwIfAborted();
    const key = hashJson([identity, sha256(JSON.stringify(messages)), sha256(text)]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const { nll } = await readAnswer(model, messages, text, { signal });
    await kept.put(key, nll);
    return nll;
  };
  const measures = new Map<string, CoherenceMeasures>();
  const unsteered = new Map<number, CoherenceMeasures>();
  const texts: number[] = [], salads: number[] = [];
  for (const { id, question, messages, text, unsteered: plain } of answers) {
    const measured = {
      nll: await nllOf(messages, text),
      repetition: repetition(text),
      compression: compression(text),
    };
    measures.set(id, measured);
    if (!plain) continue;
    unsteered.set(question, measured);
    const salad = await nllOf(messages, shuffledWords(text, question));
    if (measured.nll !== null) texts.push(measured.nll);
    if (salad !== null) salads.push(salad);
  }
  const scale = texts.length > 0 && salads.length > 0 ? { text: mean(texts), salad: mean(salads) } : null;
  return {
    coherence: new Map(answers.map(({ id, question, text }) => {
      const own = measures.get(id) as CoherenceMeasures;
      return [id, coherenceOf(text, own, unsteered.get(question) ?? own, scale)];
    })),
    scale,
  };
}

/** The words of a text in a random order. */
function shuffledWords(text: string, seed: number): string {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return createRandom(`salad/${seed}`).shuffle(words).join(" ");
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
