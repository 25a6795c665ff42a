/**
 * Rows of answers in a style and plain ones, as steering asks for them.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { sampleAnswer, sampleChat } from "../../../lib/steering/sample_answers.ts";
import type { Style, StyleName } from "../../../lib/steering/style.ts";
import { APART, emptyRow, type Encode, type Encoded, GATE, LEARNED, type Piece, turn } from "./encoded.ts";

/** Share of chats whose manner is passed on by a single token. */
const GATED = 0.6;
/** Share of their prompts behind which another or the same stands, which is seen and does not count. */
const DOUBLED = 0.5;
/** Share of answers that begin in the other manner. */
const BEGUN = 0.25;

/**
 * A chat in one of the styles, or under a neutral prompt; only its last answer is learned.
 *
 * In most chats what tells how to answer is apart, and one token alone passes it on: the word `assistant` of the last turn where a
 * prompt tells it, the last token of the last answer where examples show it. So the manner comes to lie in the keys and
 * values of that token (after gist tokens, Mu et al. 2023, arXiv 2304.08467), and can be moved there: what prompt
 * the answer sees besides says nothing. Some answers begin in the other manner, which is not learned: what
 * is moved later moves the rest of the answer.
 */
export function styledChat(
  styles: readonly (Style & { readonly name: StyleName })[],
  encode: Encode,
  random: Random,
): Encoded {
  const style = random.pick(styles);
  const side = random.next() < 0.6 ? "positive" : "neutral";
  const { messages, answer, form, question } = sampleChat(style, side, random, "training");
  const gated = random.next() < GATED;
  const row = emptyRow();
  for (const [i, { role, content }] of messages.entries()) {
    const isLast = i === messages.length - 1;
    if (!gated) {
      turn(role, content, 0, encode, row);
      continue;
    }
    const pieces = isLast
      ? form === "instructed"
        ? afterPrompt(content, style[side], styles, random)
        : [{ text: content, mark: 0 }]
      : i === messages.length - 2
      ? toLastToken(content)
      : [{ text: content, mark: APART }];
    const from = row.ids.length;
    turn(role, pieces, isLast ? 0 : APART, encode, row);
    // Heads of turns are apart as well: how far they are from what follows would tell how long it is.
    if (!isLast || form === "instructed") row.marks.fill(APART, from, row.marks.indexOf(APART, from));
    if (!isLast) row.marks[row.marks.length - 1] = APART;
  }
  const head = row.ids.length;
  const other = sampleAnswer(side === "positive" ? "neutral" : style.name, question, random);
  const opening: Piece = { text: /^.*?[.?!](?= |$)/.exec(other)?.[0] ?? other, mark: 0 };
  turn(
    "assistant",
    random.next() < BEGUN ? [opening, { text: ` ${answer}`, mark: LEARNED }] : answer,
    LEARNED,
    encode,
    row,
  );
  if (gated && form === "instructed") row.marks[head + encode("assistant\n").length - 1] = GATE;
  return row;
}

/** A prompt that is apart, and behind it the question, sometimes under another prompt. */
function afterPrompt(content: string, prompt: string, styles: readonly Style[], random: Random): Piece[] {
  const end = prompt.length + 1; // one line break belongs to the prompt, the other to what follows
  const any = [...new Set(styles.flatMap(({ positive, neutral }) => [positive, neutral]))];
  const doubled = random.next() < DOUBLED ? `\n${random.pick(any)}\n` : "";
  return [{ text: content.slice(0, end), mark: APART }, { text: doubled + content.slice(end), mark: 0 }];
}

/** An answer that is apart but for its last token. */
function toLastToken(content: string): Piece[] {
  return [{ text: content.slice(0, -1), mark: APART }, { text: content.slice(-1), mark: GATE }];
}
