/**
 * Tokenizers that do not come with a model.
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Message, Tokenizer } from "./backend.ts";
import { createPieceEncoder, readTiktoken, type Vocabulary } from "./bpe.ts";

/** Read once a process: from the package's data, because its module of 200,000 strings takes ten times the memory. */
let vocabulary: Promise<Vocabulary> | null = null;

async function o200kVocabulary(): Promise<Vocabulary> {
  const path = fileURLToPath(import.meta.resolve("gpt-tokenizer/data/o200k_base.tiktoken"));
  return readTiktoken(await Deno.readFile(path));
}

/**
 * The o200k_base tokenizer of OpenAI's models and gpt-oss, for plain text: `<|endoftext|>` in a text is encoded as
 * the characters it is made of, never as a special token. Time grows as n log n on any text.
 *
 * `countMessages` adds what OpenAI's chat format adds: 3 tokens per message, its role, and 3 for the answer's start.
 *
 * @param options.exact whether the model that is asked counts with this tokenizer.
 */
export async function loadO200k(options: { readonly exact?: boolean } = {}): Promise<Tokenizer> {
  const tokens = await (vocabulary ??= o200kVocabulary());
  const { O200K_TOKEN_SPLIT_REGEX: pieces } = await import("gpt-tokenizer/encodingParams/constants");
  const pieceEncoder = createPieceEncoder(tokens);
  const encode = (text: string): number[] => {
    const ids: number[] = [];
    // A lone surrogate has no UTF-8: it becomes U+FFFD, as it does when it is sent.
    for (const [piece] of text.toWellFormed().matchAll(pieces)) pieceEncoder.encode(piece, ids);
    return ids;
  };
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const count = (text: string) => encode(text).length;
  return {
    name: "o200k_base",
    exact: options.exact ?? false,
    encode,
    decode: (ids) => utf8.decode(tokens.bytes(ids)),
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
    const units = new Uint16Array(ids.length * UNITS);
    let n = 0;
    for (const id of ids) {
      const size = Math.floor(id / UNIT ** UNITS);
      let rest = id - size * UNIT ** UNITS;
      for (let u = UNITS - 1; u >= 0; u--) {
        const higher = Math.floor(rest / UNIT);
        if (u < size) units[n + u] = rest - higher * UNIT;
        rest = higher;
      }
      n += size;
    }
    let text = "";
    for (let i = 0; i < n; i += 4096) {
      text += String.fromCharCode(...units.subarray(i, Math.min(n, i + 4096)));
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
