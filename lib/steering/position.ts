/**
 * Positions: which tokens of a text activations are taken from, as `frame[slice]`.
 * @module
 */
import { InputError } from "../base/errors.ts";

/** The parts of a text that positions count in: what was asked, what was answered, or both. */
export const FRAMES = ["prompt", "response", "all"] as const;
/** A part of a text. */
export type Frame = typeof FRAMES[number];

/** Tokens of a frame, counted as Python slices are: negative numbers count from the end. */
export type Position =
  | { readonly frame: Frame; readonly index: number }
  | { readonly frame: Frame; readonly start: number | null; readonly end: number | null };

/** Tokens `[from, to)` of a whole text. */
export interface TokenSpan {
  /** First token. */
  readonly from: number;
  /** The token after the last. */
  readonly to: number;
}

const NUMBER = "(?:0|-?[1-9]\\d{0,6})";
const TEXT = new RegExp(`^(${FRAMES.join("|")})(?:\\[(?:(${NUMBER})|(${NUMBER})?:(${NUMBER})?)\\])?$`);
const NAME = new RegExp(`^(${FRAMES.join("|")})_(?:all|(${NUMBER})|(${NUMBER})?_(${NUMBER})?)$`);

/**
 * Reads a position: `response[:5]`, `prompt[-1]`, `all[1:3]`; a frame alone is the whole of it.
 *
 * @throws {InputError} when it is none.
 */
export function parsePosition(text: string): Position {
  const found = TEXT.exec(text.replaceAll(/\s/g, ""));
  if (found !== null) return positionOf(found);
  throw new InputError(
    `The position ${
      JSON.stringify(text)
    } is not frame[slice]: write one such as response[:5], response[1:3], ` +
      `prompt[-1] or all[:]; the frames are ${FRAMES.join(", ")}.`,
  );
}

/** A position as it is written: `response[:5]`. Equal positions have equal texts. */
export function positionText(position: Position): string {
  if ("index" in position) return `${position.frame}[${position.index}]`;
  return `${position.frame}[${position.start ?? ""}:${position.end ?? ""}]`;
}

/** A position as a folder's name: `response[:5]` is `response__5`, `response[:]` is `response_all`. */
export function positionName(position: Position): string {
  if ("index" in position) return `${position.frame}_${position.index}`;
  const { frame, start, end } = position;
  return start === null && end === null ? `${frame}_all` : `${frame}_${start ?? ""}_${end ?? ""}`;
}

/** The position that a folder is named after, or null when its name is no position's. */
export function parsePositionName(name: string): Position | null {
  const found = NAME.exec(name);
  if (found === null) return null;
  const position = positionOf(found);
  return positionName(position) === name ? position : null;
}

function positionOf([, frame, index, start, end]: RegExpExecArray): Position {
  if (index !== undefined) return { frame: frame as Frame, index: Number(index) };
  return {
    frame: frame as Frame,
    start: start === undefined ? null : Number(start),
    end: end === undefined ? null : Number(end),
  };
}

/**
 * The tokens of a text that a position names, as Python would slice them: a slice is cut to what is there.
 *
 * @param prompt tokens of the text that were asked; the response begins behind them.
 * @param total tokens of the whole text.
 * @returns null when there is no such token.
 */
export function positionSpan(position: Position, prompt: number, total: number): TokenSpan | null {
  const [first, last] = position.frame === "prompt"
    ? [0, prompt]
    : position.frame === "response"
    ? [prompt, total]
    : [0, total];
  const length = last - first;
  const at = (n: number) => n < 0 ? n + length : n;
  const cut = (n: number) => Math.min(Math.max(at(n), 0), length);
  if ("index" in position) {
    const index = at(position.index);
    return index >= 0 && index < length ? { from: first + index, to: first + index + 1 } : null;
  }
  const from = cut(position.start ?? 0);
  const to = cut(position.end ?? length);
  return from < to ? { from: first + from, to: first + to } : null;
}
