/**
 * Rows that say something again: texts to copy, repeated spans, plain reading.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { proseSentence } from "../../../lib/context_rot/prose.ts";
import { SPECIAL_TOKENS } from "./bpe.ts";
import { emptyRow, type Encode, type Encoded, LEARNED, turn } from "./encoded.ts";
import { wordOf } from "./facts.ts";
import { oddSentence } from "./filler.ts";

/** A text to be copied word for word: what teaches a small model to look back. */
export function copying(width: number, encode: Encode, random: Random): Encoded {
  const budget = Math.floor((width - 40) / 2 * (0.3 + 0.7 * random.next()));
  const words: string[] = [];
  const kind = random.int(4);
  const pool = Array.from({ length: 1 + random.int(12) }, () => wordOf(random));
  while (encode(words.join(" ")).length < budget) {
    if (kind === 0) words.push(wordOf(random));
    else if (kind === 1) words.push(oddSentence(random));
    else if (kind === 2) words.push(proseSentence(random));
    else words.push(random.pick(pool));
  }
  while (words.length > 1 && encode(words.join(" ")).length > budget) words.pop();
  const text = words.join(" ");
  const out = emptyRow();
  turn("user", `Repeat the following text exactly.\n\n${text}`, 0, encode, out);
  turn("assistant", text, LEARNED, encode, out);
  return out;
}

/** Random tokens, then pieces of them again: nothing but looking back can tell what comes next. */
export function spans(width: number, vocabulary: number, random: Random): Encoded {
  const first = SPECIAL_TOKENS.length;
  const ids = Array.from(
    { length: Math.floor(width * (0.25 + 0.25 * random.next())) },
    () => first + random.int(vocabulary - first),
  );
  const marks = ids.map(() => 0);
  const seen = ids.length;
  while (ids.length < width) {
    const from = random.int(seen - 6);
    const span = ids.slice(from, from + 5 + random.int(26)).slice(0, seen - from);
    span.forEach((id, i) => (ids.push(id), marks.push(i === 0 ? 0 : LEARNED)));
  }
  return { ids: ids.slice(0, width), marks: marks.slice(0, width) };
}

/** Plain prose, every token learned. */
export function reading(width: number, encode: Encode, random: Random): Encoded {
  const ids: number[] = [];
  while (ids.length < width) ids.push(...encode((ids.length ? " " : "") + proseSentence(random)));
  return { ids: ids.slice(0, width), marks: ids.slice(0, width).map((_, i) => i === 0 ? 0 : LEARNED) };
}
