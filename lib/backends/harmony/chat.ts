/**
 * Chats as Harmony prompts.
 * @module
 */
import { BackendError, type Message } from "../backend.ts";
import { loadHarmonyEncoding } from "./encoding.ts";
import { HarmonyRenderError } from "./problems.ts";
import { harmonyIds, harmonyText, renderHarmony } from "./render.ts";
import type { HarmonySegment } from "./render_header.ts";
import { escapeSpecials, isStructural } from "./special_tokens.ts";
import { TextScanner } from "./text_scanner.ts";
import type { HarmonyMessage, SystemContent } from "./types.ts";

/** What the system message of a prompt says; its own defaults hold for what is left out. */
export type HarmonySettings = Pick<SystemContent, "reasoningEffort" | "currentDate" | "knowledgeCutoff">;

/**
 * A chat as a Harmony conversation: what a chat calls the system prompt is the developer's instructions, and the
 * system message is the format's own. Answers of the assistant were in the final channel.
 *
 * @throws {HarmonyRenderError} for a message of a tool: a chat does not say which one.
 */
export function harmonyConversation(
  messages: readonly Message[],
  settings: HarmonySettings = {},
): HarmonyMessage[] {
  return [
    { role: "system", content: settings },
    ...messages.map(({ role, content }): HarmonyMessage => {
      if (role === "system" || role === "developer") {
        return { role: "developer", content: { instructions: content } };
      }
      if (role === "assistant") return { role, channel: "final", content };
      if (role === "user") return { role, content };
      throw new HarmonyRenderError("A tool's message cannot be written: a chat does not name the tool");
    }),
  ];
}

/**
 * The prompt of a chat, ending where the assistant is to go on.
 *
 * @param opening what {@linkcode harmonyOpening} gives; nothing of the answer is begun when left out.
 */
export function harmonyPrompt(
  messages: readonly Message[],
  settings: HarmonySettings = {},
  opening: readonly HarmonySegment[] = [],
): HarmonySegment[] {
  return [...renderHarmony(harmonyConversation(messages, settings), { nextRole: "assistant" }), ...opening];
}

/**
 * The beginning of an answer, as text. Where it begins with `<|channel|>` its special tokens are meant as such:
 * `<|channel|>analysis<|message|>First,` goes on with the reasoning. Any other text begins the final message.
 */
export function harmonyOpening(prefix: string): HarmonySegment[] {
  if (prefix === "") return [];
  if (!prefix.startsWith("<|channel|>")) {
    return [{ special: "channel" }, { text: "final" }, { special: "message" }, { text: prefix }];
  }
  const segments: HarmonySegment[] = [];
  const scanner = new TextScanner({
    plain: (text) => segments.push({ text }),
    special: (name) => {
      if (!isStructural(name)) throw new HarmonyRenderError(`A begun answer cannot hold <|${name}|>`);
      segments.push({ special: name });
    },
  });
  scanner.push(prefix);
  scanner.finish();
  return segments;
}

/** A prompt as a raw endpoint takes it. */
export interface SendableHarmony {
  /** What of the answer it begins. */
  readonly opening: readonly HarmonySegment[];
  /** Text; token ids where a message holds what a server would read as a special token in text. */
  readonly prompt: string | readonly number[];
}

/**
 * The prompt of a chat for a raw endpoint, with a begun answer as {@linkcode harmonyOpening} says.
 *
 * @throws {BackendError} `bad_request` for messages that cannot be written in Harmony.
 */
export async function sendableHarmony(
  messages: readonly Message[],
  settings: HarmonySettings | undefined,
  prefix: string,
): Promise<SendableHarmony> {
  try {
    const opening = harmonyOpening(prefix);
    const segments = harmonyPrompt(messages, settings, opening);
    const isPlain = segments.every((segment) =>
      !("text" in segment) || escapeSpecials(segment.text) === segment.text
    );
    return {
      opening,
      prompt: isPlain ? harmonyText(segments) : harmonyIds(segments, await loadHarmonyEncoding()),
    };
  } catch (error) {
    if (!(error instanceof HarmonyRenderError)) throw error;
    throw new BackendError("bad_request", error.message, { cause: error, sent: false });
  }
}
