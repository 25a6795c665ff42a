/**
 * The answer and the reasoning of a completion.
 * @module
 */
import type { HarmonyResult, ParsedMessage } from "./parse_result.ts";
import { type ToolCall, toolCallsOf } from "./tool_calls.ts";

/** A completion by its parts. */
export interface HarmonyAnswer {
  /** The messages in the final channel; without any, those in no channel. */
  readonly text: string;
  /** All other messages, a blank line between them; null when there are none. Calls begin with `to=` and the tool. */
  readonly reasoning: string | null;
  /** The tools it called. */
  readonly toolCalls: readonly ToolCall[];
  /**
   * What had to be put right, by name and each once: {@linkcode HarmonyProblemCode}, and `no_final` when messages
   * ended without one in the final channel.
   */
  readonly recoveries: readonly string[];
}

/**
 * Splits what a completion held into answer and reasoning. The final channel is the answer. A model that leaves all
 * headers out answers in messages without a channel: these count when there is no final.
 */
export function answerOf({ messages, recoveries }: HarmonyResult): HarmonyAnswer {
  const isFinal = ({ channel, recipient }: ParsedMessage) => channel === "final" && recipient === undefined;
  const isBare = ({ channel, recipient }: ParsedMessage) => channel === undefined && recipient === undefined;
  const isAnswer = messages.some(isFinal) ? isFinal : isBare;
  const rest = messages.filter((message) => !isAnswer(message));
  const last = messages.at(-1);
  const ended = last !== undefined && last.end !== null && last.end !== "end";
  const names = recoveries.map(({ code }): string => code);
  if (ended && !messages.some(isFinal)) names.push("no_final");
  return {
    text: messages.filter(isAnswer).map(({ content }) => content).join("\n"),
    reasoning: rest.length === 0 ? null : rest.map(spoken).join("\n\n"),
    toolCalls: toolCallsOf(messages),
    recoveries: [...new Set(names)],
  };
}

function spoken({ recipient, content }: ParsedMessage): string {
  return spokenTo(recipient) + content;
}

/** What a message to a tool begins with in the reasoning. */
export function spokenTo(recipient: string | undefined): string {
  return recipient === undefined ? "" : `to=${recipient} `;
}
