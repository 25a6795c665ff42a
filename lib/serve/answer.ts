/**
 * Answers in the shapes of OpenAI's API: whole, or as the events of a stream.
 * @module
 */
import type { Sample, TokenLogprob } from "../engine/mod.ts";
import type { Drawn, DrawnToken } from "./draw.ts";

/** What every answer to a request begins with. */
export interface Head {
  /** `chatcmpl-...` or `cmpl-...` */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** The model's name in requests. */
  readonly model: string;
  /** Changes when the model or its settings do. */
  readonly system_fingerprint: string;
}

/** Tokens of a request. */
export interface UsageBody {
  /** Of all prompts. */
  readonly prompt_tokens: number;
  /** Of all samples. */
  readonly completion_tokens: number;
  /** The sum of both. */
  readonly total_tokens: number;
  /** Prompt tokens that were not computed again. */
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  /** Tokens before the answer, where the format tells reasoning from it. */
  readonly completion_tokens_details: { readonly reasoning_tokens: number };
}

/** Anything that becomes JSON. */
export type Body = Readonly<Record<string, unknown>>;

/** How likely a drawn token was. */
export interface Scored extends TokenLogprob {
  /** The likeliest tokens in its place, likeliest first. */
  readonly top: readonly TokenLogprob[];
}

/** How likely each token of a sample was, where log-probabilities were asked for. */
export function scoredTokens({ tokens, logprobs, topLogprobs }: Sample): Scored[] {
  return tokens.map((token, i) => ({ token, logprob: logprobs?.[i] as number, top: topLogprobs?.[i] ?? [] }));
}

/** How an endpoint writes its answers. */
export interface Shape {
  /** The whole answer, but for its usage. */
  whole(drawn: Drawn): Body;
  /** The events before the first token. */
  first(prompts: Drawn["prompts"]): readonly Body[];
  /** The event of a token, if it has one. */
  piece(token: DrawnToken): Body | null;
  /** The events after the last token. */
  last(drawn: Drawn): readonly Body[];
}

/** Every generated token counts, end tokens and those of a stop text included; a prompt counts once for all its samples. */
export function usageOf({ samples, promptTokens, cachedTokens, reasoningTokens }: Drawn): UsageBody {
  const completionTokens = samples.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

/** A log-probability as JSON can hold it; OpenAI writes -9999 for what is next to impossible. */
export function finite(logprob: number): number {
  return Number.isFinite(logprob) ? logprob : -9999;
}

/** Why a choice ended; those of a stopped request are never written. */
export function finishOf({ finishReason }: Sample): "stop" | "length" {
  return finishReason === "length" ? "length" : "stop";
}
