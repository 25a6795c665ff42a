/**
 * Byte-level BPE for the embedded model: learns a vocabulary and writes it as a Hugging Face tokenizer.json.
 * @module
 */

/** Tokens with a meaning of their own; never produced from text. */
export const SPECIAL_TOKENS = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<think>",
  "</think>",
  "<|start|>",
  "<|message|>",
  "<|channel|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|constrain|>",
] as const;

/** GPT-2's splitting of text into words, with every digit alone. */
function* splitWords(text: string): Generator<string> {
  for (const piece of text.split(/(\p{N})/u)) {
    for (
      const [word] of piece.matchAll(
        /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu,
      )
    ) {
      yield word;
    }
  }
}

/** The printable character that stands for each byte in GPT-2's vocabulary files. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const out: string[] = [];
  let next = 256;
  for (let b = 0; b < 256; b++) {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
    out.push(String.fromCharCode(printable ? b : next++));
  }
  return out;
})();

const encoder = new TextEncoder();
const toBytes = (word: string): string[] =>
  [...encoder.encode(word)].map((b) => BYTE_CHARACTERS[b] as string);

/** A learned vocabulary. */
export interface Bpe {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Learns a vocabulary of `size` tokens (specials and bytes included) from a text, most frequent pair first; on top of
 * another vocabulary, whose tokens keep their ids, where one is given.
 */
export function trainBpe(text: string, size: number, base?: Bpe): Bpe {
  const counts = new Map<string, number>();
  for (const word of splitWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const names = base && [...base.vocabulary.keys()];
  const encode = base && bpeEncoder(base);
  const partsOf = (word: string) =>
    encode && names ? encode(word).map((id) => names[id] as string) : toBytes(word);
  const words = [...counts].map(([word, count]) => ({ parts: partsOf(word), count }));
  const vocabulary = new Map(base?.vocabulary);
  if (!base) {
    for (const token of [...SPECIAL_TOKENS, ...BYTE_CHARACTERS]) vocabulary.set(token, vocabulary.size);
  }
  const merges: (readonly [string, string])[] = [...base?.merges ?? []];
  const pairs = new Map<string, number>();
  const count = (parts: readonly string[], times: number) => {
    for (let i = 1; i < parts.length; i++) {
      const pair = `${parts[i - 1]} ${parts[i]}`;
      const now = (pairs.get(pair) ?? 0) + times;
      if (now === 0) pairs.delete(pair);
      else pairs.set(pair, now);
    }
  };
  for (const word of words) count(word.parts, word.count);
  while (vocabulary.size < size) {
    let best = "";
    let most = 1;
    for (const [pair, times] of pairs) {
      if (times > most || (times === most && best !== "" && pair < best)) [best, most] = [pair, times];
    }
    if (best === "") break;
    const [left, right] = best.split(" ") as [string, string];
    merges.push([left, right]);
    vocabulary.set(left + right, vocabulary.size);
    for (const word of words) {
      if (!word.parts.some((part, i) => part === left && word.parts[i + 1] === right)) continue;
      count(word.parts, -word.count);
      word.parts = merge(word.parts, left, right);
      count(word.parts, word.count);
    }
  }
  return { vocabulary, merges };
}

/** The vocabulary of a tokenizer.json that {@linkcode tokenizerJson} wrote. */
export function readTokenizerJson(json: string): Bpe {
  const { model } = JSON.parse(json) as {
    model: { vocab: Record<string, number>; merges: [string, string][] };
  };
  return { vocabulary: new Map(Object.entries(model.vocab)), merges: model.merges };
}

/** Turns text into token ids (no specials), with a cache of words. */
export function bpeEncoder(bpe: Bpe): (text: string) => number[] {
  const ranks = new Map(bpe.merges.map(([a, b], i) => [`${a} ${b}`, i]));
  const cache = new Map<string, readonly number[]>();
  const encodeWord = (word: string): readonly number[] => {
    let parts = toBytes(word);
    while (parts.length > 1) {
      let best = Infinity;
      let pair: [string, string] | undefined;
      for (let i = 1; i < parts.length; i++) {
        const rank = ranks.get(`${parts[i - 1]} ${parts[i]}`) ?? Infinity;
        if (rank < best) [best, pair] = [rank, [parts[i - 1] as string, parts[i] as string]];
      }
      if (pair === undefined) break;
      parts = merge(parts, pair[0], pair[1]);
    }
    return parts.map((p) => bpe.vocabulary.get(p) as number);
  };
  return (text) => {
    const ids: number[] = [];
    for (const word of splitWords(text)) {
      let known = cache.get(word);
      if (known === undefined) {
        known = encodeWord(word);
        if (cache.size < 200_000) cache.set(word, known);
      }
      for (const id of known) ids.push(id);
    }
    return ids;
  };
}

function merge(parts: readonly string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === left && parts[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(parts[i] as string);
  }
  return out;
}

/** The vocabulary as the content of a Hugging Face tokenizer.json. */
export function tokenizerJson(bpe: Bpe): string {
  return JSON.stringify(
    {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: SPECIAL_TOKENS.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: !content.includes("think"),
      })),
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Digits", individual_digits: true },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
      post_processor: null,
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(bpe.vocabulary),
        merges: bpe.merges,
      },
    },
    null,
    1,
  );
}

/** The tokens of a vocabulary that are letters only, without a leading space. */
export function wordPieces({ vocabulary }: Bpe): string[] {
  return [...vocabulary.keys()].map((token) => token.replace(/^Ġ/, "")).filter((token) =>
    /^[A-Za-z]+$/.test(token)
  );
}
