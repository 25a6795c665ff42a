/**
 * Training rows: token ids, and which of them are learned.
 * @module
 */
import { SPECIAL_TOKENS } from "./bpe.ts";

/** A row: chats one behind the other, or other text. */
export interface Encoded {
  /** Token ids. */
  readonly ids: number[];
  /** What each token is in training: {@linkcode LEARNED}, {@linkcode APART}, {@linkcode GATE}, or several of them. */
  readonly marks: number[];
}

/** The token is learned. */
export const LEARNED = 1;
/** While it is trained on, only tokens that are apart themselves, and gates, see the token. */
export const APART = 2;
/** The token sees those apart: what it is to pass on goes through its own keys and values. */
export const GATE = 4;

/** Turns text into token ids; `<think>` and `</think>` are tokens of their own. */
export interface Encode {
  (text: string): number[];
  /** The vocabulary's pieces of words: names made of them teach the tokens that no other text holds. */
  readonly pieces?: readonly string[];
}

/** A piece of a turn; all but the first begin where a word, white space or a mark does. */
export interface Piece {
  /** What it says. */
  readonly text: string;
  /** Marks of its tokens. */
  readonly mark: number;
}

const special = (name: (typeof SPECIAL_TOKENS)[number]) => SPECIAL_TOKENS.indexOf(name);
/** What fills a row up and parts its chats. */
export const END = special("<|endoftext|>");
const IM_START = special("<|im_start|>");
const IM_END = special("<|im_end|>");

/** A row with nothing in it. */
export function emptyRow(): Encoded {
  return { ids: [], marks: [] };
}

/** Adds ids to a row. */
export function add(into: Encoded, ids: Iterable<number>, mark = 0): void {
  for (const id of ids) into.ids.push(id), into.marks.push(mark);
}

/** Adds one row to another. */
export function join(into: Encoded, { ids, marks }: Encoded): void {
  for (const [i, id] of ids.entries()) into.ids.push(id), into.marks.push(marks[i] as number);
}

/** Adds a turn of a chat as the checkpoint's template writes it; its end has the mark of what it says. */
export function turn(
  role: string,
  content: string | readonly Piece[],
  mark: number,
  encode: Encode,
  into: Encoded,
) {
  const pieces = typeof content === "string" ? [{ text: content, mark }] : content;
  add(into, [IM_START, ...encode(`${role}\n`)]);
  for (const piece of pieces) add(into, encode(piece.text), piece.mark);
  add(into, [IM_END], mark);
  add(into, encode("\n"));
}

/** An encoder that takes `<think>` and `</think>` for what they are, as the tokenizer does; it knows the pieces. */
export function withMarks(encode: (text: string) => number[], pieces: readonly string[] = []): Encode {
  const marks = new Map(
    ["<think>", "</think>"].map((mark) => [mark, SPECIAL_TOKENS.indexOf(mark as "<think>")]),
  );
  const encodeMarked = (text: string) =>
    text.includes("think>")
      ? text.split(/(<\/?think>)/).flatMap((part) =>
        marks.has(part) ? [marks.get(part) as number] : encode(part)
      )
      : encode(text);
  return Object.assign(encodeMarked, { pieces });
}
