/**
 * Whether the answers of a run are still text, each held against the unsteered answer to the same question.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { createRandom } from "../base/random.ts";
import type { AnswerReading } from "./answer_readings.ts";
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
  /** Reads a text as the answer to messages, without steering, at the sites. */
  readonly read: (
    messages: readonly Message[],
    text: string,
    sites: readonly string[],
  ) => Promise<AnswerReading>;
  /** Sites whose activations are measured in unsteered answers: `residual.2`; none when left out. */
  readonly sites?: readonly string[];
}

/** How coherent answers are. */
export interface MeasuredAnswers {
  /** By row id. */
  readonly coherence: ReadonlyMap<string, Coherence>;
  /** What likelihood was held against; null where nothing could be read. */
  readonly scale: CoherenceScale | null;
  /** Mean length of the activations of unsteered answers by site; null where none has any. */
  readonly norms: ReadonlyMap<string, number | null>;
}

/**
 * Measures answers: likelihood under the unsteered model, repetition, compression; and how large the activations of the
 * unsteered ones are.
 *
 * @throws what reading throws.
 */
export async function measureAnswers(
  answers: readonly MeasuredAnswer[],
  { read, sites = [] }: MeasureOptions,
): Promise<MeasuredAnswers> {
  const measures = new Map<string, CoherenceMeasures>();
  const unsteered = new Map<number, CoherenceMeasures>();
  const texts: number[] = [], salads: number[] = [];
  const readings: AnswerReading[] = [];
  for (const { id, question, messages, text, unsteered: plain } of answers) {
    const reading = await read(messages, text, plain ? sites : []);
    const { nll } = reading;
    const measured = { nll, repetition: repetition(text), compression: compression(text) };
    measures.set(id, measured);
    if (!plain) continue;
    unsteered.set(question, measured);
    readings.push(reading);
    const salad = await read(messages, shuffledWords(text, question), []);
    if (nll !== null) texts.push(nll);
    if (salad.nll !== null) salads.push(salad.nll);
  }
  const text = mean(texts), salad = mean(salads);
  const scale = text !== null && salad !== null ? { text, salad } : null;
  return {
    coherence: new Map(answers.map(({ id, question, text }) => {
      const own = measures.get(id) as CoherenceMeasures;
      return [id, coherenceOf(text, own, unsteered.get(question) ?? own, scale)];
    })),
    scale,
    norms: new Map(sites.map((site) => [site, mean(readings.flatMap(({ norms }) => norms[site] ?? []))])),
  };
}

/** The words of a text in a random order. */
function shuffledWords(text: string, seed: number): string {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return createRandom(`salad/${seed}`).shuffle(words).join(" ");
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
