/**
 * Rows that copy a text of one repeated word, with the Repeated Words prompt.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { ATTRIBUTES } from "../../../lib/context_rot/needles.ts";
import { WORD_PAIRS } from "../../../lib/context_rot/repeated_words_pairs.ts";
import { copyMessages, goldText } from "../../../lib/context_rot/repeated_words_prompt.ts";
import { emptyRow, type Encode, type Encoded, LEARNED, type Piece, turn } from "./encoded.ts";
import { wordOf } from "./facts.ts";

/** Words of the pairs that ship: never trained on. */
const SHIPPED = new Set(
  WORD_PAIRS.flatMap(({ base, modified }) => [base, modified]).flatMap((text) =>
    text.toLowerCase().split(" ")
  ),
);

/** A text of one word with another somewhere in it, and its copy: any number of words that fit the row. */
export function repeated(width: number, encode: Encode, random: Random): Encoded {
  const { base, modified } = drawPair(random);
  const each = encode(` ${base}`).length;
  const most = Math.max(2, Math.floor((width / 2 - 30 - encode(modified).length) / each));
  // Short texts are where counting begins: of 2 to 4 words there are nearly as many as of 200 to 400.
  const count = Math.round(2 * (most / 2) ** (random.next() ** 0.75));
  const position = random.next() < 0.1 ? null : random.int(count);
  const gold = goldText({ pair: { base, modified }, count, position });
  const row = emptyRow();
  turn("user", copyMessages(gold)[0]?.content ?? "", 0, encode, row);
  turn("assistant", pieces(base, modified, count, position, random), LEARNED, encode, row);
  return row.ids.length <= width ? row : repeated(width, encode, random);
}

/**
 * The copy, word by word. That a word follows which is like the one before is learned of a few: what matters is where the
 * other word stands and where the text ends.
 */
function pieces(
  base: string,
  modified: string,
  count: number,
  position: number | null,
  random: Random,
): Piece[] {
  return Array.from({ length: count }, (_, i) => {
    const matters = i < 1 || i >= count - 2 || (position !== null && Math.abs(i - position) <= 1);
    return {
      text: (i === 0 ? "" : " ") + (i === position ? modified : base),
      mark: matters || random.next() < 0.04 ? LEARNED : 0,
    };
  });
}

function drawPair(random: Random): { base: string; modified: string } {
  while (true) {
    const word = () => random.next() < 0.5 ? random.pick(random.pick(ATTRIBUTES).values) : wordOf(random);
    const base = random.next() < 0.15 ? `${word()} ${word()}` : word();
    const roll = random.next();
    const modified = roll < 0.4
      ? `${base}s`
      : roll < 0.6
      ? capital(base)
      : roll < 0.85
      ? word()
      : `${word()} ${word()}`;
    const said = `${base} ${modified}`.toLowerCase().split(" ");
    if (base === modified || said.some((w) => SHIPPED.has(w) || SHIPPED.has(w.replace(/s$/, "")))) continue;
    return random.next() < 0.2 ? { base: modified, modified: base } : { base, modified };
  }
}

const capital = (text: string) => text.replace(/\b[a-z]/g, (c) => c.toUpperCase());
