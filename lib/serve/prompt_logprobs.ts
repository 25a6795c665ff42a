/**
 * How likely the tokens of a prompt are.
 * @module
 */
import type { Decoder, TokenLogprob } from "../engine/mod.ts";
import { likeliestTokens, logProbability } from "../engine/sampling.ts";
import { ApiError } from "./api_error.ts";

/** Of each token of a prompt. The first has nothing before it and no log-probability. */
export interface PromptLogprobs {
  /** Natural-log probability of each token after those before it. */
  readonly logprobs: readonly (number | null)[];
  /** The likeliest tokens in each place, likeliest first. */
  readonly top: readonly (readonly TokenLogprob[] | null)[];
}

/** Most numbers that the logits of one prompt may have: 1 GiB. */
const MAX_LOGITS = 2 ** 28;

/**
 * Computes them in one forward pass.
 *
 * @param count how many of the likeliest tokens are told.
 * @throws {ApiError} 400 when the logits would not fit into memory.
 */
export async function promptLogprobs(
  decoder: Decoder,
  ids: readonly number[],
  count: number,
  signal: AbortSignal,
): Promise<PromptLogprobs> {
  const { vocabSize } = decoder.config;
  if (ids.length * vocabSize > MAX_LOGITS) {
    const most = Math.floor(MAX_LOGITS / vocabSize);
    const text =
      `A prompt of ${ids.length} tokens cannot be echoed with log-probabilities: this server can do it for ` +
      `up to ${most}.`;
    throw new ApiError(400, text, { param: "echo", code: "invalid_value" });
  }
  const { logits } = await decoder.forward(ids, { signal });
  const logprobs: (number | null)[] = [null];
  const top: (TokenLogprob[] | null)[] = [null];
  for (let i = 1; i < ids.length; i++) {
    const row = logits.subarray((i - 1) * vocabSize, i * vocabSize);
    logprobs.push(logProbability(row, ids[i] as number));
    top.push(count === 0 ? [] : likeliestTokens(row, count));
  }
  return { logprobs, top };
}
