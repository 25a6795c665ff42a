/**
 * A text as a reader is shown it: passages marked, long stretches between them left out.
 * @module
 */
import type { Passage, Prompt } from "../runs/experiment.ts";

/** A piece of a text. */
export type TextPart =
  /** Text as it is, marked where `mark` says what it is. */
  | { readonly text: string; readonly mark?: string }
  /** Characters that are left out here. */
  | { readonly cut: number };

/** A prompt to be read. */
export interface PromptView {
  /** The chat, oldest first. */
  readonly messages: readonly { readonly role: string; readonly parts: readonly TextPart[] }[];
  /** How the assistant's turn was begun, or null. The answer goes on where it ends. */
  readonly prefix: readonly TextPart[] | null;
}

/** Most characters of one text that are shown whole. */
export const SHOWN_WHOLE = 10_000;
const EDGE = 1_200;
const AROUND = 500;

/** A prompt with its passages marked; texts beyond {@linkcode SHOWN_WHOLE} characters are cut between them. */
export function promptView(prompt: Pick<Prompt, "messages" | "prefix" | "passages" | "oracle">): PromptView {
  const evidence = prompt.oracle?.evidence;
  const passages = prompt.passages ?? (evidence === undefined ? [] : [{ text: evidence, label: "evidence" }]);
  return {
    messages: prompt.messages.map(({ role, content }) => ({ role, parts: textParts(content, passages) })),
    prefix: prompt.prefix === undefined ? null : textParts(prompt.prefix, passages),
  };
}

/** A text cut into marked and plain parts; nothing is lost but what a `cut` counts. */
export function textParts(text: string, passages: readonly Passage[] = [], whole = SHOWN_WHOLE): TextPart[] {
  const spans = spansOf(text, passages);
  const parts: TextPart[] = [];
  let at = 0;
  for (const [i, span] of [...spans, null].entries()) {
    const plain = text.slice(at, span?.start ?? text.length);
    parts.push(...elided(plain, text.length <= whole, i === 0, span === null));
    if (span === null) break;
    const marked = text.slice(span.start, span.end);
    const cut = marked.length > whole ? marked.slice(0, whole) : marked;
    parts.push({ text: cut, mark: span.label });
    if (cut.length < marked.length) parts.push({ cut: marked.length - cut.length });
    at = span.end;
  }
  return parts;
}

/** Plain text between two marks, whole or with its middle left out. */
function elided(text: string, whole: boolean, first: boolean, last: boolean): TextPart[] {
  const head = first ? EDGE : AROUND;
  const tail = last ? EDGE : AROUND;
  if (text === "") return [];
  if (whole || text.length <= head + tail + 200) return [{ text }];
  const from = splitPoint(text, head), to = splitPoint(text, text.length - tail);
  return [{ text: text.slice(0, from) }, { cut: to - from }, { text: text.slice(to) }];
}

/** The place itself, or one before it where it would part a pair of surrogates. */
function splitPoint(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xDC00 && code <= 0xDFFF ? at - 1 : at;
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** Where passages stand, from left to right and without overlap; of two that begin together the longer one. */
function spansOf(text: string, passages: readonly Passage[]): Span[] {
  const found: Span[] = [];
  for (const { text: passage, label } of passages) {
    if (passage.trim() === "") continue;
    for (let at = text.indexOf(passage); at >= 0; at = text.indexOf(passage, at + passage.length)) {
      if (standsAlone(text, at, at + passage.length)) {
        found.push({ start: at, end: at + passage.length, label });
      }
      if (found.length > 1000) break;
    }
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Span[] = [];
  for (const span of found) if (span.start >= (kept.at(-1)?.end ?? 0)) kept.push(span);
  return kept;
}

/** Whether a passage neither begins nor ends inside a word. */
function standsAlone(text: string, start: number, end: number): boolean {
  const word = (at: number) => /[\p{L}\p{N}]/u.test(text[at] ?? "");
  return !(word(start - 1) && word(start)) && !(word(end - 1) && word(end));
}
