/**
 * The two texts that a pair is read from: the same but for the style.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { InputError } from "../base/errors.ts";
import type { AnsweredPair, StylePair } from "./pairs.ts";
import { type Style, styleMessages } from "./style.ts";

/**
 * What differs between the two texts of a pair.
 *
 * - `answers`: the neutral prompt, the question, and the answer, at whose last token is read;
 * - `examples`: answered questions before the same final question, whose prompt is read at its end;
 * - `instructions`: the style's prompt against the neutral one, with the same question.
 */
export const PAIR_FORMS = ["answers", "examples", "instructions"] as const;
/** What differs between the two texts of a pair. */
export type PairForm = typeof PAIR_FORMS[number];

/** One text of a pair. */
export interface PairText {
  /** The chat. */
  readonly messages: readonly Message[];
  /** How the assistant's turn begins; read is at the last token of the whole. */
  readonly prefix: string;
}

/** Both texts of a pair. */
export interface PairTexts {
  /** The pair's id. */
  readonly id: string;
  /** In the style. */
  readonly positive: PairText;
  /** Plain. */
  readonly negative: PairText;
}

/**
 * The texts of pairs in a form. Pairs with examples of their own have that form alone; from pairs with answers examples
 * are made, `shots` of the pairs that follow, which end with the pair's own question.
 *
 * @throws {InputError} when the pairs cannot be read in this form.
 */
export function pairTexts(
  style: Style,
  pairs: readonly StylePair[],
  form: PairForm,
  shots = 3,
): PairTexts[] {
  const instructed = (question: string, side: "positive" | "negative"): PairText => ({
    messages: styleMessages(style, side === "positive" ? "positive" : "neutral", question),
    prefix: "",
  });
  const shown = (
    question: string,
    examples: readonly AnsweredPair[],
    side: "positive" | "negative",
  ): PairText => ({
    messages: [
      ...examples.flatMap((example): Message[] => [
        ...styleMessages(style, "neutral", example.question),
        { role: "assistant", content: example[side] },
      ]),
      ...styleMessages(style, "neutral", question),
    ],
    prefix: "",
  });
  const both = (id: string, of: (side: "positive" | "negative") => PairText): PairTexts => ({
    id,
    positive: of("positive"),
    negative: of("negative"),
  });
  if (form === "instructions") {
    return pairs.map(({ id, question }) => both(id, (side) => instructed(question, side)));
  }
  const answered = pairs.filter((pair): pair is StylePair & AnsweredPair => "positive" in pair);
  if (form === "answers") {
    if (answered.length < pairs.length) {
      throw new InputError(
        `${
          pairs.length - answered.length
        } pairs have worked examples and no answers of their own: read them with ` +
          "--form examples.",
      );
    }
    return answered.map((pair) =>
      both(pair.id, (side) => ({
        messages: styleMessages(style, "neutral", pair.question),
        prefix: pair[side].trimEnd(),
      }))
    );
  }
  if (answered.length > 0 && answered.length <= shots) {
    throw new InputError(
      `${answered.length} pairs cannot be ${shots} worked examples for one another: give at least ${
        shots + 1
      }.`,
    );
  }
  return pairs.map((pair) => {
    const examples = "examples" in pair ? pair.examples : following(answered, pair, shots);
    return both(pair.id, (side) => shown(pair.question, examples, side));
  });
}

/** The `count` pairs behind one, from the first again where the list ends. */
function following(
  pairs: readonly (StylePair & AnsweredPair)[],
  pair: StylePair,
  count: number,
): AnsweredPair[] {
  const at = pairs.findIndex(({ id }) => id === pair.id);
  return Array.from({ length: count }, (_, i) => pairs[(at + 1 + i) % pairs.length] as AnsweredPair);
}
