/**
 * Calls of tools and their answers.
 * @module
 */
import { messageOf } from "../../base/errors.ts";
import type { Json } from "../../base/hash.ts";
import type { HarmonyHeader } from "./render_header.ts";
import { specialText } from "./special_tokens.ts";
import type { HarmonyMessage } from "./types.ts";

/** A message of the assistant to a tool. */
export interface ToolCall {
  /** `functions`, `browser`; empty for a tool without namespace (`python`). */
  readonly namespace: string;
  /** The function's name in its namespace. */
  readonly name: string;
  /** The arguments as they were written: JSON as a rule, code for `python`. */
  readonly arguments: string;
  /** `json` or `code`, without the special token; null when the call does not say. */
  readonly contentType: string | null;
}

/** Arguments that were read, or why they could not be. */
export type ToolArguments =
  | { readonly ok: true; readonly value: { readonly [key: string]: Json } }
  | { readonly ok: false; readonly reason: string };

/** The calls among messages, in order. */
export function toolCallsOf(
  messages: readonly (HarmonyHeader & { readonly content: HarmonyMessage["content"] })[],
): ToolCall[] {
  return messages.flatMap(({ role, recipient, contentType, content }) => {
    if (role !== "assistant" || recipient === undefined || typeof content !== "string") return [];
    if (["all", "assistant", "user"].includes(recipient)) return [];
    const dot = recipient.indexOf(".");
    return [{
      namespace: dot === -1 ? "" : recipient.slice(0, dot),
      name: recipient.slice(dot + 1),
      arguments: content,
      contentType: contentType?.replace(specialText("constrain"), "") ?? null,
    }];
  });
}

/** Reads arguments as a JSON object. Empty ones are no arguments. What is no object is a value with a reason. */
export function parseArguments(call: Pick<ToolCall, "arguments">): ToolArguments {
  if (call.arguments.trim() === "") return { ok: true, value: {} };
  let value: Json;
  try {
    value = JSON.parse(call.arguments) as Json;
  } catch (error) {
    return { ok: false, reason: `the arguments are not JSON: ${messageOf(error)}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, reason: `the arguments are ${JSON.stringify(value).slice(0, 40)}, not an object` };
  }
  return { ok: true, value: value as { readonly [key: string]: Json } };
}

/** A tool's answer, as a message. @param name the whole name: `functions.get_weather`. */
export function toolResult(name: string, content: string): HarmonyMessage {
  return { role: "tool", name, recipient: "assistant", channel: "commentary", content };
}
