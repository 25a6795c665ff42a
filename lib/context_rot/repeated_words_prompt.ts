/**
 * The Repeated Words prompt.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import type { WordPair } from "./repeated_words_pairs.ts";

/** Changes whenever the prompt's wording does, so that rows of two wordings are never mixed. */
export const REPEATED_WORDS_PROMPT_VERSION = 1;

/** What determines the text of a row. */
export interface CopySpec {
  /** The words. */
  readonly pair: WordPair;
  /** Words of the text; a phrase counts as one. */
  readonly count: number;
  /** 0-based place of the modified word; null for a text without it. */
  readonly position: number | null;
}

/** The text to be copied: `apple apple apples apple`. */
export function goldText({ pair, count, position }: CopySpec): string {
  const { base, modified } = pair;
  if (position === null) return `${base} `.repeat(count).trimEnd();
  return `${base} `.repeat(position) + modified + ` ${base}`.repeat(count - position - 1);
}

/** The prompt of a row: one user message, one line of instruction and the text. */
export function copyMessages(text: string): Message[] {
  return [{
    role: "user",
    content: `Write out the text below once more, word for word, and add nothing of your own.\n\n${text}`,
  }];
}
