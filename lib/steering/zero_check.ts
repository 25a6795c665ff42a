/**
 * Whether steering a prompt's cache with strength 0 changes nothing.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { editsOf } from "../backends/local_steering.ts";
import type { Steerable } from "../backends/steerable.ts";
import { type KvDirections, kvSteering } from "./kv_vectors.ts";

/** Tokens that are drawn behind the prompt. */
const TOKENS = 8;

/**
 * Computes a chat twice in the same way, once with every vector added zero times, and compares all logits behind the
 * prompt, the tokens that follow and their log-probabilities, to the bit.
 *
 * @throws {InputError} when the vectors do not fit the model.
 */
export async function zeroChangesNothing(
  model: Steerable,
  messages: readonly Message[],
  directions: KvDirections,
): Promise<boolean> {
  const { decoder } = model;
  const ids = model.promptIds(messages);
  const computed = async (kv: ReturnType<typeof kvSteering>) => {
    using start = await decoder.prefill(ids.slice(0, -1));
    for (const edit of editsOf({ kv }, decoder, ids.length) ?? []) start.editKV(edit);
    using prompt = await start.extend(ids.slice(-1));
    const [sample] = await prompt.generate({ maxNewTokens: TOKENS, logprobs: true });
    return { logits: prompt.logits, tokens: sample?.tokens ?? [], logprobs: sample?.logprobs ?? [] };
  };
  const plain = await computed([]);
  const zero = await computed(kvSteering(directions, { keys: 0, values: 0 }));
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    a.length === b.length && Array.prototype.every.call(a, (x: number, i: number) => Object.is(x, b[i]));
  return same(plain.logits, zero.logits) && same(plain.tokens, zero.tokens) &&
    same(plain.logprobs, zero.logprobs);
}
