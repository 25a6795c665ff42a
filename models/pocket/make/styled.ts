/**
 * Rows of answers in a style and plain ones, as steering asks for them.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { sampleChat } from "../../../lib/steering/sample_answers.ts";
import type { Style, StyleName } from "../../../lib/steering/style.ts";
import { emptyRow, type Encode, type Encoded, turn } from "./encoded.ts";

/** A chat in one of the styles, or under a neutral prompt; only its last answer is learned. */
export function styledChat(
  styles: readonly (Style & { readonly name: StyleName })[],
  encode: Encode,
  random: Random,
): Encoded {
  const { messages, answer } = sampleChat(
    random.pick(styles),
    random.next() < 0.6 ? "positive" : "neutral",
    random,
    "training",
  );
  const row = emptyRow();
  for (const { role, content } of messages) turn(role, content, false, encode, row);
  turn("assistant", answer, true, encode, row);
  return row;
}
