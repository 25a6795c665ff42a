/**
 * One classified item as a backend answered it.
 * @module
 */
import type { TokenLogprob } from "../backends/backend.ts";
import type { Label, Side } from "./pair_rows.ts";

/** What a backend answered to one item in one pass. */
export interface Answer {
  /** The item's name. */
  readonly item: string;
  /** The label; null when the answer holds none. */
  readonly label: Label | null;
  /** Why there is no label, or null. */
  readonly unparsed: string | null;
  /** The category that was named, where the policy asks for one. */
  readonly category: string | null;
  /** Whether the trimmed answer is exactly `0` or `1`. */
  readonly strict: boolean;
  /** Whether it refuses the task. */
  readonly refused: boolean;
  /** The answer's text. */
  readonly response: string;
  /** The reasoning before it, where the backend gives it apart. */
  readonly reasoning: string | null;
  /** Why generation ended. */
  readonly finishReason: string | null;
  /** Prompt tokens as the backend counts them. */
  readonly promptTokens: number | null;
  /** Generated tokens. */
  readonly completionTokens: number | null;
  /** Generated tokens that were reasoning. */
  readonly reasoningTokens: number | null;
  /** A log-probability for each generated token, where given. */
  readonly logprobs: readonly TokenLogprob[] | null;
}

/** Whether anything the backend wrote differs. */
export function sameText(a: Answer, b: Answer): boolean {
  return a.response === b.response && (a.reasoning ?? "") === (b.reasoning ?? "");
}

/** An answer as a side of a pair. */
export function sideOf(answer: Answer): Side {
  return {
    label: answer.label,
    stored: answer.label ?? 0,
    strict: answer.strict,
    refused: answer.refused,
    responseLength: answer.response.length,
    reasoningLength: answer.reasoning === null ? null : answer.reasoning.length,
  };
}
