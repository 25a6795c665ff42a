/**
 * How an assistant's turn is begun inside its reasoning.
 * @module
 */
import type { ReasoningMarks, Variant } from "./variants.ts";

const THINK: ReasoningMarks = { open: "<think>\n", close: "\n</think>\n\n" };
const HARMONY: ReasoningMarks = {
  open: "<|channel|>analysis<|message|>",
  close: "<|end|><|start|>assistant<|channel|>final<|message|>",
};

/**
 * What a variant puts around its reasoning: what its entry in models.json says under `reasoning`, else the analysis and
 * final channels where it speaks Harmony, else the `<think>` marks of R1 and its kin.
 */
export function reasoningMarks(variant: Variant): ReasoningMarks {
  if (variant.backend === "simulated") return THINK;
  return variant.reasoning ?? (variant.format === "harmony" ? HARMONY : THINK);
}

/**
 * The beginning of an assistant's turn that has reasoned so far, to be continued inside the reasoning. It never ends in
 * white space that the reasoning does not end in: without reasoning it is the bare opening mark.
 */
export function openedTurn({ open }: ReasoningMarks, reasoning: string): string {
  if (reasoning === "") return open.trimEnd();
  return (/^\s/.test(reasoning) ? open.trimEnd() : open) + reasoning;
}

/** The beginning of an assistant's turn that has reasoned to the end and goes on with `answer`. */
export function closedTurn(marks: ReasoningMarks, reasoning: string, answer: string): string {
  return openedTurn(marks, reasoning).trimEnd() + marks.close + answer;
}

/** A turn as reasoning and answer. */
export interface SplitTurn {
  /** Without the marks around it, and space at its end; null when the turn never closed any and was given no reasoning apart. */
  readonly reasoning: string | null;
  /** What follows the reasoning, without space around it; the whole turn when there is no reasoning. */
  readonly answer: string;
}

/**
 * Splits a whole turn (begun or not, opening mark or not) where its reasoning is closed. {@linkcode openedTurn} puts the
 * reasoning back as it stood.
 */
export function splitTurn(marks: ReasoningMarks, turn: string): SplitTurn {
  const mark = marks.close.trim();
  const at = turn.indexOf(mark);
  if (at < 0) return { reasoning: null, answer: turn.trim() };
  return {
    reasoning: reasoningIn(marks, turn.slice(0, at)),
    answer: turn.slice(at + mark.length).trim(),
  };
}

/** The reasoning of a turn that has not closed it: without the opening mark, the space that belongs to it, and space at the end. */
export function reasoningIn({ open }: ReasoningMarks, turn: string): string {
  const mark = open.trimEnd();
  const space = open.slice(mark.length);
  const text = turn.startsWith(mark) ? turn.slice(mark.length) : turn;
  const own = text.startsWith(space) && !/^\s/.test(text.slice(space.length))
    ? text.slice(space.length)
    : text;
  return own.trimEnd();
}
