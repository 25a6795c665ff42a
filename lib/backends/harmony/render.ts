/**
 * Conversations as Harmony: text, or token ids.
 * @module
 */
import { developerText, offersFunctions, systemText } from "./content_text.ts";
import type { HarmonyEncoding } from "./encoding.ts";
import { type HarmonySegment, renderHeader } from "./render_header.ts";
import { dropAnalysis } from "./history.ts";
import { HarmonyRenderError } from "./problems.ts";
import { escapeSpecials, SPECIAL_TOKENS, specialText } from "./special_tokens.ts";
import type { DeveloperContent, HarmonyMessage, HarmonyRole, SystemContent } from "./types.ts";

/** How a conversation is rendered. */
export interface RenderHarmonyOptions {
  /** Who is to speak next: the text ends in `<|start|>` and this role, where a completion begins. */
  readonly nextRole?: HarmonyRole | undefined;
  /** Keeps reasoning that has led to an answer; see {@linkcode dropAnalysis}. */
  readonly keepAnalysis?: boolean | undefined;
  /** Ends a last message of the assistant in the final channel with `<|return|>`, as it was sampled. */
  readonly training?: boolean | undefined;
}

/**
 * A conversation as runs of plain text and special tokens. Text of messages is never a special token, whatever it says.
 * The format is that of openai/harmony, token for token.
 *
 * @throws {HarmonyRenderError} when a message could not be read back as what it is.
 */
export function renderHarmony(
  messages: readonly HarmonyMessage[],
  options: RenderHarmonyOptions = {},
): HarmonySegment[] {
  const { nextRole, keepAnalysis = false, training = false } = options;
  if (training && nextRole !== undefined) {
    throw new HarmonyRenderError("A training text ends with its last message: leave nextRole out");
  }
  const hasFunctions = messages.some(({ role, content }) =>
    role === "developer" && typeof content !== "string" && offersFunctions(content as DeveloperContent)
  );
  const shown = keepAnalysis ? messages : dropAnalysis(messages);
  const segments = shown.flatMap((message) => renderMessage(message, hasFunctions));
  const last = shown.at(-1);
  if (training && last?.role === "assistant" && last.channel === "final") {
    segments[segments.length - 1] = { special: "return" };
  }
  if (nextRole !== undefined) segments.push({ special: "start" }, { text: nextRole });
  return merged(segments);
}

/** A message from `<|start|>` to `<|end|>`; to `<|call|>` when the assistant speaks to somebody. */
function renderMessage(message: HarmonyMessage, hasFunctions: boolean): HarmonySegment[] {
  const isCall = message.role === "assistant" && message.recipient !== undefined;
  return [
    { special: "start" },
    ...renderHeader(message),
    { special: "message" },
    { text: contentText(message, hasFunctions) },
    { special: isCall ? "call" : "end" },
  ];
}

function contentText({ role, content }: HarmonyMessage, hasFunctions: boolean): string {
  if (typeof content === "string") return content;
  if (role === "system") return systemText(content as SystemContent, hasFunctions);
  if (role === "developer") return developerText(content as DeveloperContent);
  throw new HarmonyRenderError(
    `The content of a ${role} message is a text; only system and developer ones have fields`,
  );
}

/**
 * Joins texts that stand side by side: they are encoded as one. Lone surrogates become U+FFFD, as when they are sent.
 */
function merged(segments: readonly HarmonySegment[]): HarmonySegment[] {
  const result: HarmonySegment[] = [];
  for (const segment of segments) {
    const last = result.at(-1);
    if ("special" in segment) result.push(segment);
    else if (segment.text === "") continue;
    else if (last && "text" in last) result[result.length - 1] = { text: last.text + segment.text };
    else result.push(segment);
  }
  return result.map((segment) => "text" in segment ? { text: segment.text.toWellFormed() } : segment);
}

/**
 * Token ids of rendered segments.
 *
 * @param encoding what {@linkcode loadHarmonyEncoding} gives.
 */
export function harmonyIds(segments: readonly HarmonySegment[], encoding: HarmonyEncoding): number[] {
  const ids: number[] = [];
  for (const segment of segments) {
    if ("special" in segment) ids.push(SPECIAL_TOKENS[segment.special]);
    else for (const id of encoding.encode(segment.text)) ids.push(id);
  }
  return ids;
}

/**
 * Rendered segments as one text, special tokens written as `<|start|>`. What looks like a special token in a message is
 * escaped with {@linkcode escapeSpecials}, so that a server that reads special tokens in text cannot be led astray;
 * parsing takes the escape away again.
 */
export function harmonyText(segments: readonly HarmonySegment[]): string {
  return segments.map((segment) =>
    "special" in segment ? specialText(segment.special) : escapeSpecials(segment.text)
  )
    .join("");
}

/** {@linkcode renderHarmony} as token ids. @throws {HarmonyRenderError} */
export function renderHarmonyIds(
  messages: readonly HarmonyMessage[],
  encoding: HarmonyEncoding,
  options: RenderHarmonyOptions = {},
): number[] {
  return harmonyIds(renderHarmony(messages, options), encoding);
}

/** {@linkcode renderHarmony} as text, escaped as {@linkcode harmonyText} says. @throws {HarmonyRenderError} */
export function renderHarmonyText(
  messages: readonly HarmonyMessage[],
  options: RenderHarmonyOptions = {},
): string {
  return harmonyText(renderHarmony(messages, options));
}
