/**
 * What of a conversation the model is shown again.
 * @module
 */
import type { HarmonyMessage } from "./types.ts";

/**
 * Leaves out reasoning that has led to an answer: once the last assistant message is a final, analysis messages before
 * the first final are dropped. While tool calls go on, all reasoning stays. As openai/harmony does.
 */
export function dropAnalysis(messages: readonly HarmonyMessage[]): readonly HarmonyMessage[] {
  const last = messages.findLast(({ role }) => role === "assistant");
  if (last?.channel !== "final") return messages;
  const firstFinal = messages.findIndex(({ channel }) => channel === "final");
  return messages.filter(({ channel }, i) => channel !== "analysis" || i >= firstFinal);
}
