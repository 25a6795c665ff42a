/**
 * A spliced turn, token by token.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Figure, frame, legend, type Panel } from "./frame.ts";
import { glyphWidth } from "./glyph_widths.ts";
import { captionsOf, type SpliceFigureOptions, titleOf } from "./splice_figures.ts";
import { COLORS, escapeXml, FIGURE_WIDTH } from "./theme.ts";

/** What a token belongs to. */
export type TokenKind = "prompt" | "prefix" | "sentence" | "continuation";

/** A token as the model read or wrote it. */
export interface ViewToken {
  /** Its text; a token that is a part of a character may be the replacement character. */
  readonly text: string;
  /** What it belongs to: the prompt, the chain before the spliced sentence, that sentence, or what the model wrote. */
  readonly kind: TokenKind;
}

/** Options of {@linkcode spliceView}. */
export interface SpliceViewOptions extends SpliceFigureOptions {
  /** Most lines before the boundary and behind it, default 14. */
  readonly lines?: number;
}

const KINDS: Readonly<Record<TokenKind, { readonly color: string; readonly label: string }>> = {
  prompt: { color: "#5b6470", label: "prompt" },
  prefix: { color: "#1f5fa5", label: "recorded chain" },
  sentence: { color: "#c25a12", label: "spliced sentence" },
  continuation: { color: "#00704f", label: "written here" },
};
const SIZE = 12.5, LINE = 22, LEFT = 16;
const INNER = FIGURE_WIDTH - 2 * LEFT;

/** A token, or the part of one that fits on a line. */
interface Piece {
  readonly text: string;
  readonly kind: TokenKind;
  readonly index: number;
  readonly width: number;
}

/**
 * The text around the boundary between what was put before the model and what it wrote, a box for each token. Line breaks
 * are shown as `↵`.
 *
 * @throws {InputError} when there are no tokens.
 */
export function spliceView(tokens: readonly ViewToken[], options: SpliceViewOptions): Figure {
  if (tokens.length === 0) throw new InputError("A splice view needs tokens, got none.");
  const { lines: most = 14 } = options;
  const lines = layOut(tokens);
  const boundary = lines.findIndex((line) => line.some(({ kind }) => kind === "continuation"));
  const at = boundary < 0 ? lines.length : boundary;
  const from = Math.max(0, at - most), to = Math.min(lines.length, at + most);
  const shown = lines.slice(from, to);
  const parts: string[] = [];
  let y = 0;
  const note = (count: number, where: string) => {
    if (count === 0) return;
    parts.push(
      `<text x="${LEFT}" y="${y + 14}" font-size="11" fill="${COLORS.faint}">… ${count} token${
        count === 1 ? "" : "s"
      } ${where}</text>`,
    );
    y += LINE;
  };
  note(shown[0]?.[0]?.index ?? 0, "before");
  for (const line of shown) {
    let x = LEFT;
    for (const piece of line) {
      const first = piece.kind === "continuation" && tokens[piece.index - 1]?.kind !== "continuation";
      parts.push(box(piece, x, y, first && isStart(tokens, piece)));
      x += piece.width;
    }
    y += LINE;
  }
  const last = shown.at(-1)?.at(-1)?.index ?? -1;
  note(tokens.length - 1 - last, "behind");
  const count = (kind: TokenKind) => tokens.filter((token) => token.kind === kind).length;
  const kinds = (Object.keys(KINDS) as TokenKind[]).filter((kind) => count(kind) > 0);
  const panels: Panel[] = [
    { content: parts.join(""), height: y + 8 },
    legend(kinds.map((kind) => ({
      symbol: `<rect x="2" y="0" width="18" height="14" fill="${KINDS[kind].color}" fill-opacity="0.3"/>`,
      label: `${KINDS[kind].label}: ${count(kind)} tokens`,
    }))),
  ];
  const textOf = (kind: TokenKind) =>
    tokens.filter((token) => token.kind === kind).map(({ text }) => text).join("");
  const alt =
    `A spliced turn by tokens: ${kinds.map((kind) => `${count(kind)} ${KINDS[kind].label}`).join(", ")}. ` +
    `The sentence before the boundary: "${cut(textOf("sentence"))}" Written behind it: "${
      cut(textOf("continuation"))
    }"`;
  return frame(titleOf("A spliced chain", options), captionsOf(options), panels, alt);
}

/** Whether a piece begins its token. */
function isStart(tokens: readonly ViewToken[], { text, index }: Piece): boolean {
  return display(tokens[index]?.text ?? "").startsWith(text);
}

function box({ text, kind, index, width }: Piece, x: number, y: number, boundary: boolean): string {
  const { color } = KINDS[kind];
  const mark = boundary
    ? `<rect x="${round(x - 1.5)}" y="${y - 2}" width="3" height="${LINE}" fill="${COLORS.text}"/>`
    : "";
  return `<rect x="${round(x)}" y="${y}" width="${round(width - 1)}" height="${
    LINE - 4
  }" fill="${color}" fill-opacity="${index % 2 === 0 ? 0.16 : 0.3}"/>${mark}` +
    `<text x="${round(x)}" y="${y + 13}" font-size="${SIZE}" fill="${COLORS.text}" textLength="${
      round(width - 1)
    }" ` +
    `lengthAdjust="spacingAndGlyphs">${escapeXml(text)}</text>`;
}

/** Tokens in lines: a line ends at a line break or where the next token does not fit. */
function layOut(tokens: readonly ViewToken[]): Piece[][] {
  const lines: Piece[][] = [];
  let line: Piece[] = [], used = 0;
  const end = () => {
    if (line.length > 0) lines.push(line);
    [line, used] = [[], 0];
  };
  for (const [index, { text, kind }] of tokens.entries()) {
    for (const part of partsOf(display(text))) {
      const width = Math.max(4, glyphWidth(part, SIZE)) + 1;
      if (used + width > INNER) end();
      line.push({ text: part, kind, index, width });
      used += width;
      if (part.endsWith("↵")) end();
    }
  }
  end();
  return lines;
}

/** A token's text as it is drawn: white space kept and line breaks to be seen. */
function display(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll(" ", "\u00A0");
}

/** Parts that fit on a line each: cut behind line breaks, and where a token is longer than a line. */
function* partsOf(text: string): Generator<string> {
  for (const piece of text.match(/[^↵]*↵|[^↵]+/g) ?? [""]) {
    let rest = [...piece];
    while (rest.length > 0 || piece === "") {
      let count = rest.length;
      while (count > 1 && glyphWidth(rest.slice(0, count).join(""), SIZE) + 1 > INNER) {
        count = Math.floor(count / 2);
      }
      yield rest.slice(0, count).join("");
      if (piece === "") break;
      rest = rest.slice(count);
    }
  }
}

function cut(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim();
  return plain === "" ? "" : plain.length <= 200 ? plain : `${plain.slice(0, 200).toWellFormed()}…`;
}

const round = (value: number) => Number(value.toFixed(2));
