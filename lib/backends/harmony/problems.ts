/**
 * What can be wrong with Harmony, by name.
 * @module
 */

/**
 * What a parser met that the format does not allow. A strict parser fails with it; a recovering one goes on as said
 * here and records it.
 *
 * - `text_outside_message`: text where `<|start|>` should be; kept as a message when it is more than white space
 * - `missing_start`: a header without `<|start|>`; read as one
 * - `doubled_start`: `<|start|>` twice; one is left out
 * - `start_in_header`: `<|start|>` before the header's `<|message|>`; the header is closed as with `stop_in_header`
 * - `stop_in_header`: an end token before `<|message|>`; what is not role and channel becomes the content
 * - `cut_header`: the stream ends in a header; what is more than a header becomes the content
 * - `no_role`, `unknown_role`: the header names nobody known; taken as the role a completion has, else a tool
 * - `empty_channel`: `<|channel|>` without a name; a known name behind white space is taken
 * - `second_channel`: two channels in one header; the last counts
 * - `missing_channel_token`: a channel's name without `<|channel|>`; taken as the channel
 * - `leftover_header`: words that are neither role, recipient, channel nor content type; left out of the message
 * - `missing_end`: `<|start|>` in content; the message is closed
 * - `channel_in_content`: `<|channel|>` in content; the message is closed and the next begins
 * - `stray_special`: any other special token out of its place; left out
 * - `unknown_token`: an id that does not exist; U+FFFD stands for it
 * - `invalid_utf8`: bytes that are no UTF-8; U+FFFD stands for them. No failure in strict parsing either
 * - `stripped_specials`: a text whose special tokens were removed (`analysis...assistantfinal...`); cut at its words
 */
export type HarmonyProblemCode =
  | "text_outside_message"
  | "missing_start"
  | "doubled_start"
  | "start_in_header"
  | "stop_in_header"
  | "cut_header"
  | "no_role"
  | "unknown_role"
  | "empty_channel"
  | "second_channel"
  | "missing_channel_token"
  | "leftover_header"
  | "missing_end"
  | "channel_in_content"
  | "stray_special"
  | "unknown_token"
  | "invalid_utf8"
  | "stripped_specials";

/** Something that was wrong and how it was taken; see {@linkcode HarmonyProblemCode}. */
export interface HarmonyRecovery {
  /** Its name. */
  readonly code: HarmonyProblemCode;
  /** Where: index of the token, or of the UTF-16 unit of the text. */
  readonly position: number;
  /** The text concerned: all of it where it is in no message. */
  readonly text: string;
}

/** A stream that is no Harmony, from a strict parser. */
export class HarmonyParseError extends Error {
  /** Tells it from other errors. */
  override readonly name = "HarmonyParseError";
  /** What is wrong. */
  readonly code: HarmonyProblemCode;
  /** Where: index of the token, or of the UTF-16 unit of the text. */
  readonly position: number;
  /** Makes the error of a problem. */
  constructor({ code, position, text }: HarmonyRecovery) {
    const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
    super(`This is no Harmony: ${code} at ${position}: ${JSON.stringify(shown)}`);
    this.code = code;
    this.position = position;
  }
}

/** A message that cannot be written in Harmony so that it is read as the same message again. */
export class HarmonyRenderError extends Error {
  /** Tells it from other errors. */
  override readonly name = "HarmonyRenderError";
}
