/**
 * Training rows: token ids, and which of them are learned.
 * @module
 */
import { SPECIAL_TOKENS } from "./bpe.ts";

/** A row: chats one behind the other, or other text. */
export interface Encoded {
  /** Token ids. */
  readonly ids: number[];
  /** 1 where the token is learned, for each id. */
  readonly learned: number[];
}

/** Turns text into token ids; `<think>` and `</think>` are tokens of their own. */
export type Encode = (text: string) => number[];

/** A piece of a turn; all but the first begin with white space. */
export interface Piece {
  /** What it says. */
  readonly text: string;
  /** Whether it is learned. */
  readonly learn: boolean;
}

const special = (name: (typeof SPECIAL_TOKENS)[number]) => SPECIAL_TOKENS.indexOf(name);
/** What fills a row up and parts its chats. */
export const END = special("<|endoftext|>");
const IM_START = special("<|im_start|>");
const IM_END = special("<|im_end|>");

/** A row with nothing in it. */
export function emptyRow(): Encoded {
  return { ids: [], learned: [] };
}

/** Adds ids to a row. */
export function add(into: Encoded, ids: Iterable<number>, learn: boolean): void {
  for (const id of ids) into.ids.push(id), into.learned.push(learn ? 1 : 0);
}

/** Adds a turn of a chat as the checkpoint's template writes it; of a learned one, its end is learned too. */
export function turn(
  role: string,
  content: string | readonly Piece[],
  learn: boolean,
  encode: Encode,
  into: Encoded,
) {
  const pieces = typeof content === "string" ? [{ text: content, learn }] : content;
  add(into, [IM_START, ...encode(`${role}\n`)], false);
  for (const piece of pieces) add(into, encode(piece.text), piece.learn);
  add(into, [IM_END], learn);
  add(into, encode("\n"), false);
}

/** An encoder that takes `<think>` and `</think>` for what they are, as the tokenizer does. */
export function withMarks(encode: Encode): Encode {
  const marks = new Map(
    ["<think>", "</think>"].map((mark) => [mark, SPECIAL_TOKENS.indexOf(mark as "<think>")]),
  );
  return (text) =>
    text.includes("think>")
      ? text.split(/(<\/?think>)/).flatMap((part) =>
        marks.has(part) ? [marks.get(part) as number] : encode(part)
      )
      : encode(text);
}
