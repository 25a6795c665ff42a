/**
 * What parsing Harmony gives.
 * @module
 */
import type { HarmonyRecovery } from "./problems.ts";
import type { HarmonyHeader } from "./render_header.ts";
import type { EndName } from "./special_tokens.ts";

/** A message as it was read. */
export interface ParsedMessage extends HarmonyHeader {
  /** Its text. */
  readonly content: string;
  /** The token that ended it; null when the stream ended first or another message began. */
  readonly end: EndName | null;
  /** Where it begins: index of the token, or of the UTF-16 unit of the text. */
  readonly position: number;
  /** Its header as it stood, special tokens written out. */
  readonly rawHeader: string;
}

/** What a stream of Harmony held. */
export interface HarmonyResult {
  /** The messages, in order. */
  readonly messages: readonly ParsedMessage[];
  /** What was wrong and how it was taken, in order; after strict parsing `invalid_utf8` alone can be here. */
  readonly recoveries: readonly HarmonyRecovery[];
}
