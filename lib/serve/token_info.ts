/**
 * Tokens as answers with log-probabilities show them.
 * @module
 */
import { tokenTexts } from "../backends/local_decoding.ts";
import type { Decoder } from "../engine/mod.ts";

/** A token of the vocabulary. */
export interface TokenInfo {
  /** Its text; that of special tokens, which stand in no answer, too. */
  readonly text: string;
  /** UTF-8 of what it adds to an answer; null for special tokens and for parts of a character. */
  readonly bytes: readonly number[] | null;
}

/** Gives what is known of tokens. */
export function tokenInfo(decoder: Pick<Decoder, "encode" | "decode">): (id: number) => TokenInfo {
  const textOf = tokenTexts(decoder);
  const encoder = new TextEncoder();
  const known = new Map<number, TokenInfo>();
  return (id) => {
    let info = known.get(id);
    if (info === undefined) {
      const text = textOf(id);
      const stands = !text.includes("\ufffd") && decoder.decode([id], { skipSpecialTokens: true }) !== "";
      known.set(id, info = { text, bytes: stands ? [...encoder.encode(text)] : null });
    }
    return info;
  };
}
