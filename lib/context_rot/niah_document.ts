/**
 * Builds the document of a NIAH row: haystack cut to the token, needle at its depth, distractors at their places.
 * @module
 */
import type { Message, Tokenizer } from "../backends/backend.ts";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import type { Haystack } from "./haystack.ts";
import type { Needle } from "./needles.ts";
import { insertSentences, niahMessages, sentenceStarts, snapToSentence } from "./niah_prompt.ts";

/** What determines a row's document. */
export interface DocumentSpec {
  /** Tokens of the whole prompt: template, question, needle, distractors and haystack. */
  readonly length: number;
  /** Where the needle stands, 0 (first) to 100 (last), in percent of the haystack's tokens. */
  readonly depth: number;
  /** Which stretch of haystack. */
  readonly trial: number;
  /** Draws the places of distractors and hops. */
  readonly seed: number;
  /** What is hidden and asked. */
  readonly needle: Needle;
  /** How many of the needle's distractors are put in, 0..4. */
  readonly distractors: number;
}

/** A built prompt. */
export interface NiahDocument {
  /** The prompt. */
  readonly messages: readonly Message[];
  /** Exact tokens of the messages; at most `length`, and within 1% of it. */
  readonly tokens: number;
}

/** Builds rows' documents over one haystack and tokenizer, keeping what neighbouring rows share. */
export interface DocumentBuilder {
  /** @throws {InputError} when needle, question and template alone are longer than the length. */
  /** Builds a row's prompt. */
  build(spec: DocumentSpec): NiahDocument;
}

interface Encoded {
  readonly trial: number;
  readonly text: string;
  readonly ids: readonly number[];
}

/**
 * A builder of documents.
 *
 * The needle goes in at the sentence start at or before token `depth`% of the haystack; distractors and the further
 * sentences of a two-hop needle at seeded sentence starts that do not move with depth, so that all depths of a length
 * share everything before the needle.
 */
export function createDocumentBuilder(haystack: Haystack, tokenizer: Tokenizer): DocumentBuilder {
  let last: Encoded | undefined;
  const encoded = (trial: number, tokens: number): Encoded => {
    if (last?.trial === trial && last.ids.length >= tokens) return last;
    for (let chars = tokens * 4 + 200;; chars *= 2) {
      const text = haystack.text(trial, chars).slice(0, chars);
      const ids = tokenizer.encode(text);
      // The last few tokens may change when the text goes on.
      if (ids.length >= tokens + 8) return last = { trial, text, ids };
    }
  };
  return {
    build(spec) {
      const { length, needle } = spec;
      const planted = [needle.needle, ...needle.hops, ...distractorsOf(spec)];
      const least = tokenizer.countMessages(niahMessages(planted.join(" "), needle.question));
      if (least > length) {
        throw new InputError(
          `A prompt of ${length} tokens has no room for the needle: question, needle and distractors alone take ` +
            `${least} tokens. Give a longer --lengths, a shorter needle, or fewer distractors.`,
        );
      }
      const hay = encoded(spec.trial, length - least + 64);
      let room = length - least;
      let best: NiahDocument | undefined;
      for (let tries = 0; tries < 6 && best?.tokens !== length; tries++) {
        const messages = niahMessages(place(spec, hay, Math.max(0, room), tokenizer), needle.question);
        const tokens = tokenizer.countMessages(messages);
        if (tokens <= length && (best === undefined || tokens > best.tokens)) best = { messages, tokens };
        if (room <= 0 && tokens >= length) break;
        room += length - tokens;
      }
      return best ?? { messages: niahMessages(planted.join(" "), needle.question), tokens: least };
    },
  };
}

function distractorsOf(spec: DocumentSpec): string[] {
  return spec.needle.distractors.slice(0, spec.distractors).map((d) => d.text);
}

function place(spec: DocumentSpec, hay: Encoded, room: number, tokenizer: Tokenizer): string {
  const text = cut(hay, room, tokenizer);
  const starts = sentenceStarts(text);
  const at = (share: number) => {
    if (share >= 1) return text.length;
    return snapToSentence(starts, cut(hay, Math.floor(room * share), tokenizer).length);
  };
  const random = createRandom(`places/${spec.seed}/${spec.trial}`);
  const others = [...spec.needle.hops, ...distractorsOf(spec)].map((sentence) => ({
    at: at(random.next()),
    text: sentence,
  }));
  return insertSentences(text, [{ at: at(spec.depth / 100), text: spec.needle.needle }, ...others]);
}

/** The first tokens of the haystack as text; a character cut in half is left out. */
function cut(hay: Encoded, tokens: number, tokenizer: Tokenizer): string {
  const decoded = tokenizer.decode(hay.ids.slice(0, tokens));
  let length = Math.min(decoded.length, hay.text.length);
  while (length > 0 && !hay.text.startsWith(decoded.slice(0, length))) length--;
  return hay.text.slice(0, length);
}
