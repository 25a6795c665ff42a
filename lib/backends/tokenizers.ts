/**
 * Tokenizers that do not come with a model.
 * @module
 */
import type { Message, Tokenizer } from "./backend.ts";
import { encodeLongPiece } from "./bpe.ts";

/** Pieces at least this long are merged by {@linkcode encodeLongPiece}; the package's own merge is quadratic. */
const LONG_PIECE = 512;
const LONG_RUN = new RegExp(`\\S{${LONG_PIECE}}|\\s{${LONG_PIECE}}`);
const PLAIN = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/**
 * The o200k_base tokenizer of OpenAI's models and gpt-oss, for plain text: `<|endoftext|>` in a text is encoded as
 * the characters it is made of, never as a special token. Time grows as n log n on any text.
 *
 * `countMessages` adds what OpenAI's chat format adds: 3 tokens per message, its role, and 3 for the answer's start.
 *
 * @param options.exact whether the model that is asked counts with this tokenizer.
 */
export async function loadO200k(options: { readonly exact?: boolean } = {}): Promise<Tokenizer> {
  const bpe = await import("gpt-tokenizer/encoding/o200k_base");
  const pieces = (await import("gpt-tokenizer/encodingParams/constants")).O200K_TOKEN_SPLIT_REGEX;
  const ranks = (await import("gpt-tokenizer/bpeRanks/o200k_base")).default;
  const encode = (text: string): number[] => {
    // A lone surrogate has no UTF-8: it becomes U+FFFD, as it does when it is sent.
    const sent = text.toWellFormed();
    if (!LONG_RUN.test(sent)) return bpe.encode(sent, PLAIN);
    const ids: number[] = [];
    let shortFrom = 0;
    const flush = (to: number) => {
      if (to > shortFrom) { for (const id of bpe.encode(sent.slice(shortFrom, to), PLAIN)) ids.push(id); }
    };
    for (const match of sent.matchAll(pieces)) {
      if (match[0].length < LONG_PIECE) continue;
      flush(match.index);
      for (const id of encodeLongPiece(match[0], ranks)) ids.push(id);
      shortFrom = match.index + match[0].length;
    }
    flush(sent.length);
    return ids;
  };
  const count = (text: string) => encode(text).length;
  return {
    name: "o200k_base",
    exact: options.exact ?? false,
    encode,
    decode: (ids) => bpe.decode(ids),
    count,
    countMessages: (messages) =>
      3 + messages.reduce((sum, m) => sum + 3 + count(m.role) + count(m.content), 0),
  };
}

const UNITS = 3;
const UNIT = 2 ** 16;

/**
 * The tokenizer of simulated models: every three UTF-16 units of a text are one token, so that counting costs
 * nothing and 100,000 rows stay cheap. An id packs the units and how many there are (at most 50 bits).
 */
export const simulatedTokenizer: Tokenizer = {
  name: "simulated-3-units",
  exact: true,
  encode(text) {
    const ids = new Array<number>(Math.ceil(text.length / UNITS));
    for (let i = 0, at = 0; i < ids.length; i++) {
      const size = Math.min(UNITS, text.length - at);
      let id = size;
      for (let u = 0; u < UNITS; u++) id = id * UNIT + (u < size ? text.charCodeAt(at++) : 0);
      ids[i] = id;
    }
    return ids;
  },
  decode(ids) {
    let text = "";
    for (const id of ids) {
      const units = [Math.floor(id / UNIT ** 2) % UNIT, Math.floor(id / UNIT) % UNIT, id % UNIT];
      text += String.fromCharCode(...units.slice(0, Math.floor(id / UNIT ** 3)));
    }
    return text;
  },
  count: (text) => Math.ceil(text.length / UNITS),
  countMessages: (messages) => Math.ceil(renderPlain(messages).length / UNITS),
};

/** The messages' contents, one after another with a line break between: what a simulated model reads. */
export function renderPlain(messages: readonly Message[]): string {
  return messages.length === 1 ? (messages[0] as Message).content : messages.map((m) => m.content).join("\n");
}
