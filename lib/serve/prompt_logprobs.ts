/**
 * How likely the tokens of a prompt are.
 * @module
 */
import type { Decoder } from "../engine/mod.ts";
import { ApiError } from "./api_error.ts";

/** A token and its log-probability (natural log). */
export interface IdLogprob {
  /** The token. */
  readonly token: number;
  /** Before temperature and filters. */
  readonly logprob: number;
}

/** Of each token of a prompt. The first has nothing before it and no log-probability. */
export interface PromptLogprobs {
  /** Natural-log probability of each token after those before it. */
  readonly logprobs: readonly (number | null)[];
  /** The likeliest tokens in each place, likeliest first. */
  readonly top: readonly (readonly IdLogprob[] | null)[];
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
  const top: (IdLogprob[] | null)[] = [null];
  for (let i = 1; i < ids.length; i++) {
    const row = logits.subarray((i - 1) * vocabSize, i * vocabSize);
    const total = logSumExp(row);
    logprobs.push((row[ids[i] as number] as number) - total);
    top.push(likeliest(row, count).map((token) => ({ token, logprob: (row[token] as number) - total })));
  }
  return { logprobs, top };
}

function logSumExp(row: Float32Array): number {
  let most = -Infinity;
  for (const x of row) most = Math.max(most, x);
  let sum = 0;
  for (const x of row) sum += Math.exp(x - most);
  return most + Math.log(sum);
}

/** Indices of the largest values, largest first; of equals the first. */
function likeliest(row: Float32Array, count: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < row.length && count > 0; i++) {
    const value = row[i] as number;
    if (found.length === count && value <= (row[found[count - 1] as number] as number)) continue;
    let at = found.length;
    while (at > 0 && (row[found[at - 1] as number] as number) < value) at--;
    found.splice(at, 0, i);
    found.length = Math.min(found.length, count);
  }
  return found;
}
