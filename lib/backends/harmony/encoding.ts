/**
 * The o200k_harmony tokenizer.
 * @module
 */
import { loadO200k } from "../tokenizers.ts";
import { specialOfId, specialText } from "./special_tokens.ts";

/** Text to token ids and back. Text never becomes a special token here: those come from their own table. */
export interface HarmonyEncoding {
  /** Ids of plain text; `<|start|>` in it is the five tokens its characters make. */
  encode(text: string): number[];
  /** The bytes of an id of text; undefined for special tokens and for ids that do not exist. */
  bytes(id: number): Uint8Array | undefined;
  /**
   * The text of ids, special tokens written as `<|start|>`. Bytes that are no UTF-8 become U+FFFD.
   *
   * @throws {RangeError} when an id does not exist.
   */
  decode(ids: readonly number[]): string;
}

/** Loads the vocabulary: o200k_base and the special tokens of Harmony. */
export async function loadHarmonyEncoding(): Promise<HarmonyEncoding> {
  const { encode } = await loadO200k();
  const ranks: readonly (string | readonly number[] | undefined)[] =
    (await import("gpt-tokenizer/bpeRanks/o200k_base")).default;
  const encoder = new TextEncoder();
  const bytes = (id: number): Uint8Array | undefined => {
    const token = ranks[id];
    return typeof token === "string" ? encoder.encode(token) : token && Uint8Array.from(token);
  };
  return {
    encode,
    bytes,
    decode(ids) {
      let text = "";
      let run: number[] = [];
      const flush = () => {
        text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(run));
        run = [];
      };
      for (const id of ids) {
        const special = specialOfId(id);
        const token = bytes(id);
        if (special !== undefined) {
          flush();
          text += specialText(special);
        } else if (token) { for (const byte of token) run.push(byte); }
        else throw new RangeError(`There is no token ${id}: ids of text are 0 to ${ranks.length - 1}`);
      }
      flush();
      return text;
    },
  };
}
