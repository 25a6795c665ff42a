/**
 * OpenAI's Harmony format, which gpt-oss reads and writes: rendered to text and token ids, parsed from both as they
 * come.
 *
 * ```ts
 * const encoding = await loadHarmonyEncoding();
 * const prompt = renderHarmonyIds([{ role: "system", content: {} }, { role: "user", content: "Hello" }], encoding, {
 *   nextRole: "assistant",
 * });
 * const { text, reasoning } = answerOf(
 *   parseHarmonyIds(sampled, { encoding, startRole: "assistant", mode: "recover" }),
 * );
 * ```
 * @module
 */
export * from "./answer.ts";
export * from "./chat.ts";
export * from "./completion_reader.ts";
export * from "./encoding.ts";
export * from "./history.ts";
export * from "./parse.ts";
export * from "./parse_result.ts";
export * from "./problems.ts";
export * from "./render.ts";
export type { HarmonyHeader, HarmonySegment } from "./render_header.ts";
export * from "./special_tokens.ts";
export * from "./tool_calls.ts";
export * from "./types.ts";
