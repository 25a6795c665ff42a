/**
 * Harmony in the vocabulary of a checkpoint.
 * @module
 */
import { InputError } from "../../base/errors.ts";
import type { Decoder } from "../../engine/mod.ts";
import { TextStream } from "../../engine/text_stream.ts";
import { type HarmonyEncoding, loadHarmonyEncoding } from "./encoding.ts";
import type { HarmonyParser } from "./parse.ts";
import { harmonyIds } from "./render.ts";
import type { HarmonySegment } from "./render_header.ts";
import { SPECIAL_TOKENS, type SpecialName, specialText } from "./special_tokens.ts";

/** Turns rendered Harmony into a checkpoint's token ids, and generated ids into Harmony. */
export interface LocalVocabulary {
  /** Token ids of rendered segments; text in them is never a special token. */
  encode(segments: readonly HarmonySegment[]): number[];
  /** What a parser of this vocabulary's ids needs. */
  readonly encoding: HarmonyEncoding | undefined;
  /** Feeds generated ids to a parser, one at a time; call `end` behind the last. */
  feeder(parser: HarmonyParser): { push(id: number): void; end(): void };
}

/** Texts on which vocabularies differ. */
const PROBE = "Grüße, 天気 \t\n  123456 don't <x> 💖 ";

/**
 * The vocabulary of a decoder. One that has the ids of o200k_harmony is encoded exactly as gpt-oss was trained.
 *
 * @throws {InputError} when its tokenizer does not know Harmony's special tokens.
 */
export async function loadLocalVocabulary(
  decoder: Pick<Decoder, "encode" | "decode">,
  name: string,
): Promise<LocalVocabulary> {
  const ids = new Map<SpecialName, number>();
  for (const special of Object.keys(SPECIAL_TOKENS) as SpecialName[]) {
    const encoded = decoder.encode(specialText(special));
    if (encoded.length !== 1) {
      throw new InputError(
        `The tokenizer of ${name} has no token ${
          specialText(special)
        }: leave "format": "harmony" out of the variant, ` +
          `or use a checkpoint made for Harmony, such as gpt-oss.`,
      );
    }
    ids.set(special, encoded[0] as number);
  }
  const sameIds = [...ids].every(([special, id]) => SPECIAL_TOKENS[special] === id);
  if (sameIds) {
    const encoding = await loadHarmonyEncoding();
    if (encodePlain(decoder, PROBE).join() === encoding.encode(PROBE).join()) {
      return {
        encoding,
        encode: (segments) => harmonyIds(segments, encoding),
        feeder: (parser) => ({ push: (id) => void parser.push(id), end: () => {} }),
      };
    }
  }
  const names = new Map([...ids].map(([special, id]) => [id, special]));
  return {
    encoding: undefined,
    encode: (segments) =>
      segments.flatMap((segment) =>
        "special" in segment ? [ids.get(segment.special) as number] : encodePlain(decoder, segment.text)
      ),
    feeder: (parser) => feeder(parser, decoder, names),
  };
}

/** Ids of a text, cut so that the tokenizer sees no special token in it. */
function encodePlain(decoder: Pick<Decoder, "encode">, text: string): number[] {
  return text.split(/(?<=<)(?=\|)/).flatMap((part) => decoder.encode(part));
}

/** Decodes runs of text between special tokens, half characters held back. */
function feeder(
  parser: HarmonyParser,
  decoder: Pick<Decoder, "decode">,
  names: ReadonlyMap<number, SpecialName>,
): { push(id: number): void; end(): void } {
  const stream = () => new TextStream((run) => decoder.decode(run));
  let text = stream();
  const end = () => {
    const rest = text.finish();
    if (rest !== "") parser.pushDecoded({ plain: rest });
    text = stream();
  };
  return {
    push(id) {
      const special = names.get(id);
      if (special === undefined) return void parser.pushDecoded({ plain: text.push(id) });
      end();
      parser.pushDecoded({ special });
    },
    end,
  };
}
