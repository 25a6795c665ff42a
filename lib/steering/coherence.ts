/**
 * Whether a steered answer is still text: measured without a judge, against the model's own unsteered answers.
 * @module
 */
import { deflateRawSync } from "node:zlib";
import { noText } from "../runs/degenerate.ts";

/** What is measured of one answer. */
export interface CoherenceMeasures {
  /** Mean negative log-likelihood of its tokens under the unsteered model, in nats; null for an empty answer. */
  readonly nll: number | null;
  /** Share of its runs of three words that stand in it before, 0..1; see {@linkcode repetition}. */
  readonly repetition: number;
  /** How many times smaller it can be made; see {@linkcode compression}. */
  readonly compression: number;
}

/** Where answers of a model stop being text. */
export interface CoherenceScale {
  /** Mean negative log-likelihood of unsteered answers, in nats. */
  readonly text: number;
  /** The same of unsteered answers with their words shuffled. */
  readonly salad: number;
}

/** Whether an answer is coherent, and why not. */
export interface Coherence extends CoherenceMeasures {
  /** Nats by which it is less likely than the unsteered answer to the same question; null for an empty answer. */
  readonly deltaNll: number | null;
  /** Whether it is text. */
  readonly coherent: boolean;
  /** `empty`, `unlikely`, `repeats`, `compresses`; null when it is coherent. */
  readonly fault: "empty" | "unlikely" | "repeats" | "compresses" | null;
}

/** How far towards a word salad an answer may be, as a share of the way: half. */
export const SALAD_SHARE = 0.5;

/** A gap between text and salad of fewer nats says nothing: the model finds shuffled words no less likely. */
export const SMALLEST_GAP = 0.2;

/** More of an answer's runs of three words said before is too much. */
const MOST_REPETITION = 0.5;

/** Answers that can be made this many times smaller go round in circles. */
const MOST_COMPRESSION = 4;

/** Bytes below which compression says nothing. */
const FEWEST_BYTES = 120;

/** Share of the runs of three words that stand in the text before; 0 for texts of fewer than six words. */
export function repetition(text: string): number {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length < 6) return 0;
  const seen = new Set<string>();
  for (let i = 2; i < words.length; i++) seen.add(`${words[i - 2]} ${words[i - 1]} ${words[i]}`);
  return 1 - seen.size / (words.length - 2);
}

/** Bytes of a text over its bytes when deflated; 1 for texts of fewer than 120 bytes. */
export function compression(text: string): number {
  const bytes = new TextEncoder().encode(text);
  return bytes.length < FEWEST_BYTES ? 1 : bytes.length / deflateRawSync(bytes).length;
}

/**
 * Judges a steered answer against the unsteered one to the same question. It is broken when it is empty; when it is
 * less likely under the unsteered model by more than half of what shuffling the words of unsteered answers does; or
 * when it repeats itself or compresses beyond a limit, and more than the unsteered answer does. A model whose unsteered
 * answers are broken already is thus not held against its steering.
 *
 * @param scale null, or a gap of less than 0.2 nats, leaves likelihood out.
 */
export function coherenceOf(
  text: string,
  measures: CoherenceMeasures,
  unsteered: CoherenceMeasures,
  scale: CoherenceScale | null,
): Coherence {
  const deltaNll = measures.nll === null || unsteered.nll === null ? null : measures.nll - unsteered.nll;
  const fault = faultOf(text, { ...measures, deltaNll }, unsteered, scale);
  return { ...measures, deltaNll, coherent: fault === null, fault };
}

function faultOf(
  text: string,
  { deltaNll, ...own }: CoherenceMeasures & { readonly deltaNll: number | null },
  unsteered: CoherenceMeasures,
  scale: CoherenceScale | null,
): Coherence["fault"] {
  if (noText(text) !== null) return "empty";
  if (scale !== null && saladGap(scale) >= SMALLEST_GAP && deltaNll !== null) {
    if (deltaNll > SALAD_SHARE * saladGap(scale)) return "unlikely";
  }
  if (own.repetition > Math.max(MOST_REPETITION, unsteered.repetition)) return "repeats";
  if (own.compression > Math.max(MOST_COMPRESSION, unsteered.compression)) return "compresses";
  return null;
}

/** Nats between text and salad. */
export function saladGap({ text, salad }: CoherenceScale): number {
  return salad - text;
}
