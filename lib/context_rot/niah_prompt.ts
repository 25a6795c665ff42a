/**
 * The NIAH prompt and the placing of sentences in a haystack.
 * @module
 */
import type { Message } from "../backends/backend.ts";

/** Changes whenever the prompt's wording does, so that rows of two wordings are never mixed. */
export const NIAH_PROMPT_VERSION = 1;

/** The prompt of a row: one user message, the document first so that rows can share it as a prefix. */
export function niahMessages(document: string, question: string): Message[] {
  return [{
    role: "user",
    content:
      `You are a helpful assistant. Read the document and answer the question in one short sentence.\n\n` +
      `<document>\n${document}\n</document>\n\n` +
      `Use nothing but the document.\n\n` +
      `<question>\n${question}\n</question>`,
  }];
}

/** A sentence to be put into a text at a character offset. */
export interface Insertion {
  /** Character offset into the text. */
  readonly at: number;
  /** What is put in. */
  readonly text: string;
}

/**
 * The character offsets at which a sentence may begin: 0, after every `.`, `?` or `!` (with closing quotes or brackets)
 * that is followed by white space, and after every blank line. Read from the text, not from tokens: a full stop is
 * often fused with its neighbours.
 */
export function sentenceStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/[.?!]["'”’)\]]*\s+|\n\s*\n/g)) {
    const at = match.index + match[0].length;
    if (at < text.length) starts.push(at);
  }
  return starts;
}

/** The last sentence start at or before an offset. */
export function snapToSentence(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return starts[low] ?? 0;
}

/** Puts sentences into a text, each with white space on both sides. Equal offsets keep the order given. */
export function insertSentences(text: string, insertions: readonly Insertion[]): string {
  const ordered = [...insertions].sort((a, b) => a.at - b.at);
  let out = "";
  let from = 0;
  for (const { at, text: sentence } of ordered) {
    out += text.slice(from, at);
    if (out !== "" && !/\s$/.test(out)) out += " ";
    out += sentence;
    from = at;
    if (from < text.length || at < text.length) out += " ";
  }
  const rest = text.slice(from);
  return out.endsWith(" ") && /^\s/.test(rest) ? out.slice(0, -1) + rest : out + rest;
}
