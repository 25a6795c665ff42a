/**
 * Copies that went wrong, for simulated models.
 * @module
 */
import { type CopySpec, goldText } from "./repeated_words_prompt.ts";

/**
 * Wrong copies of a text, one of each kind: without the modified word; with it a tenth of the text off its place; broken
 * off after four fifths of the words; with a fifth of the words too many.
 */
export function copyMistakes(spec: CopySpec & { readonly position: number }): string[] {
  const { pair, count, position } = spec;
  const off = Math.max(1, Math.round(count / 10));
  const moved = position + off < count ? position + off : position - off;
  const kept = Math.floor(count * 0.8);
  return [
    goldText({ pair, count, position: null }),
    moved >= 0 ? goldText({ pair, count, position: moved }) : pair.base,
    goldText({ pair, count: kept, position: position < kept ? position : null }),
    goldText({ pair, count: count + Math.max(1, Math.round(count / 5)), position }),
  ];
}
