/**
 * A chain of thought as sentences, each a slice of it.
 * @module
 */
import type { SentenceSpan } from "./types.ts";

/** Pieces with fewer characters than this are no sentences of their own. */
const SHORTEST = 10;

/** Where one piece ends and the next begins: behind an end mark that space follows, or at a blank line. */
const BREAK = /(?<=[.?!])(?=[ \n])|\n[ \t\r]*\n/g;

/**
 * The sentences of a reasoning. It is cut behind `.`, `?` or `!` where a space or a line break follows, and at blank
 * lines; pieces of fewer than 10 characters go to the next, the last one to the one before. A text is lost nowhere: only
 * white space lies between spans, and `text.slice(start, end)` is the sentence. The rule is the one by which the
 * sentences of thought-branches (interp-reasoning) are numbered.
 *
 * @param text the reasoning; no sentences when it holds white space alone
 */
export function splitSentences(text: string): SentenceSpan[] {
  const spans: SentenceSpan[] = [];
  let open: number | null = null;
  for (const [start, end] of pieces(text)) {
    const from: number = open ?? start;
    if (isShort(text.slice(from, end))) {
      open = from;
      continue;
    }
    spans.push({ index: spans.length, start: from, end, text: text.slice(from, end) });
    open = null;
  }
  if (open === null) return spans;
  const last = spans.pop();
  const start = last?.start ?? open;
  const end = text.trimEnd().length;
  return [...spans, { index: spans.length, start, end, text: text.slice(start, end) }];
}

/**
 * Where the prefix of a reasoning ends that leaves sentence `index` out (`excluded`: behind the sentence before it; 0 for
 * the first) or holds it as its last (`included`). No such prefix ends in white space.
 *
 * @throws {RangeError} when there is no such sentence.
 */
export function cutsAt(
  spans: readonly SentenceSpan[],
  index: number,
): { readonly excluded: number; readonly included: number } {
  const span = spans[index];
  if (span === undefined) {
    throw new RangeError(`There is no sentence ${index}: the chain has ${spans.length}.`);
  }
  return { excluded: spans[index - 1]?.end ?? 0, included: span.end };
}

/** The trimmed pieces between breaks, as offsets; empty ones left out. */
function* pieces(text: string): Generator<[number, number]> {
  let start = 0;
  const trimmed = (end: number): [number, number] | null => {
    const piece = text.slice(start, end);
    const from = start + piece.length - piece.trimStart().length;
    const to = start + piece.trimEnd().length;
    return from < to ? [from, to] : null;
  };
  for (const { index, 0: mark } of text.matchAll(BREAK)) {
    const piece = trimmed(index);
    if (piece !== null) yield piece;
    start = index + mark.length;
  }
  const piece = trimmed(text.length);
  if (piece !== null) yield piece;
}

/** Fewer than 10 characters (code points); long texts are not counted through. */
function isShort(text: string): boolean {
  return text.length < SHORTEST || text.length < 2 * SHORTEST && [...text].length < SHORTEST;
}
