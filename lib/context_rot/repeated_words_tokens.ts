/**
 * How many tokens the prompts of repeated words have, without encoding each of them.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import type { WordPair } from "./repeated_words_pairs.ts";
import { copyMessages, type CopySpec, goldText } from "./repeated_words_prompt.ts";

/** Prompts of at most so many characters of text are counted as they are. */
const SHORT = 1500;
/** Words on both sides that may change how a word is split into tokens. */
const NEIGHBOURS = 16;

/** Counts prompts. */
export interface CopyTokens {
  /** Tokens of the prompt of a text of so many words, with the modified word at a position, or without it. */
  count(words: number, position: number | null): number;
}

/**
 * Counts the prompts of a pair. A text without the modified word is counted once for each length; what the modified
 * word changes is counted among its neighbours, which for tokenizers that split at spaces is exact.
 */
export function copyTokens(tokenizer: Tokenizer, pair: WordPair): CopyTokens {
  const plain = new Map<number, number>();
  const changes = new Map<string, number>();
  const encode = (spec: Omit<CopySpec, "pair">) =>
    tokenizer.countMessages(copyMessages(goldText({ pair, ...spec })));
  const longest = Math.max(pair.base.length, pair.modified.length) + 1;
  const without = (count: number) => memo(plain, count, () => encode({ count, position: null }));
  return {
    count(words, position) {
      if (position === null) return without(words);
      if (words <= 2 * NEIGHBOURS + 1 || words * longest <= SHORT) return encode({ count: words, position });
      const before = Math.min(position, NEIGHBOURS);
      const after = Math.min(words - 1 - position, NEIGHBOURS);
      const change = memo(
        changes,
        `${before}/${after}`,
        () => encode({ count: before + 1 + after, position: before }) - without(before + 1 + after),
      );
      return without(words) + change;
    },
  };
}

function memo<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
