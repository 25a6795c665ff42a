/**
 * How much of a text is written in a style, by the style's own markers.
 * @module
 */
import type { Style } from "./style.ts";

/** What the markers of a style find in a text. */
export interface StyleScore {
  /** Share of sentences with at least one marker, 0..1; 0 for a text without sentences. */
  readonly score: number;
  /** Sentences. */
  readonly sentences: number;
  /** By marker, sentences that hold it. */
  readonly found: Readonly<Record<string, number>>;
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** The sentences of a text; the number of a step stays with its sentence, and a new line begins a new one. */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    let begun = "";
    for (const { segment } of segmenter.segment(line)) {
      begun += segment;
      if (!/\p{L}/u.test(begun) || /^\s*(?:step|no)\.?\s*\d*\s*[.:)]?\s*$/iu.test(begun)) continue;
      sentences.push(begun.trim());
      begun = "";
    }
    if (/[\p{L}\p{N}]/u.test(begun)) sentences.push(begun.trim());
  }
  return sentences;
}

/** Counts the sentences of a text that hold a style's markers. */
export function styleScore({ markers }: Pick<Style, "markers">, text: string): StyleScore {
  const sentences = sentencesOf(text);
  const found: Record<string, number> = {};
  let marked = 0;
  for (const name of Object.keys(markers)) found[name] = 0;
  for (const sentence of sentences) {
    const held = Object.entries(markers).filter(([, marker]) => marker.test(sentence));
    for (const [name] of held) found[name] = (found[name] as number) + 1;
    if (held.length > 0) marked++;
  }
  return {
    score: sentences.length === 0 ? 0 : marked / sentences.length,
    sentences: sentences.length,
    found,
  };
}
