/**
 * From logits to a token.
 * @module
 */

import type { TokenLogprob } from "./types.ts";

/** How a token is chosen. */
export interface SamplingOptions {
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  /** Probability that the kept tokens must reach together; 1 keeps all. */
  readonly topP: number;
  /** Tokens kept; 0 keeps all. */
  readonly topK: number;
}

/** Index of the largest of `logits`; the first of equals. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[best] as number)) best = i;
  return best;
}

/** Natural-log softmax probability of one index. */
export function logProbability(logits: Float32Array, index: number): number {
  return (logits[index] as number) - logSumExp(logits);
}

function logSumExp(logits: Float32Array): number {
  const top = logits[argmax(logits)] as number;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - top);
  return top + Math.log(sum);
}

/** The `count` likeliest tokens with their log-probabilities, likeliest first, of equals the first. */
export function likeliestTokens(logits: Float32Array, count: number): TokenLogprob[] {
  const found: number[] = [];
  for (let i = 0; i < logits.length; i++) {
    const x = logits[i] as number;
    if (found.length === count && x <= (logits[found.at(-1) as number] as number)) continue;
    let at = found.length;
    while (at > 0 && x > (logits[found[at - 1] as number] as number)) at--;
    found.splice(at, 0, i);
    if (found.length > count) found.pop();
  }
  const total = logSumExp(logits);
  return found.map((token) => ({ token, logprob: (logits[token] as number) - total }));
}

/** Probabilities of all tokens at a temperature above 0. */
export function softmax(logits: Float32Array, temperature = 1): Float32Array {
  const top = logits[argmax(logits)] as number;
  const weights = logits.map((x) => Math.exp((x - top) / temperature));
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] as number;
  return weights.map((x) => x / sum);
}

/**
 * Chooses a token: temperature, then the topK likeliest, then the likeliest that reach topP, then by chance.
 *
 * @param uniform a number in [0, 1), the only source of chance.
 */
export function sampleToken(logits: Float32Array, options: SamplingOptions, uniform: number): number {
  if (options.temperature === 0) return argmax(logits);
  return drawToken(softmax(logits, options.temperature), options, uniform);
}

/**
 * Chooses a token by its probability: the topK likeliest, of these the likeliest that reach topP, then by chance.
 *
 * @param weights probabilities, or numbers in proportion to them.
 * @param uniform a number in [0, 1), the only source of chance.
 */
export function drawToken(
  weights: Float32Array,
  { topP, topK }: Pick<SamplingOptions, "topP" | "topK">,
  uniform: number,
): number {
  if (topP >= 1 && (topK <= 0 || topK >= weights.length)) return drawAny(weights, uniform);
  const kept = likeliest(weights, topP, topK > 0 ? topK : weights.length);
  return draw(weights, kept, uniform);
}

/** Indices of the likeliest weights, most likely first, until `topK` or the share `topP` of the `topK` is reached. */
function likeliest(weights: Float32Array, topP: number, topK: number): number[] {
  const byWeight = (a: number, b: number) => (weights[b] as number) - (weights[a] as number) || a - b;
  const above = (floor: number) => {
    const found: number[] = [];
    for (let i = 0; i < weights.length; i++) if ((weights[i] as number) >= floor) found.push(i);
    return found.sort(byWeight);
  };
  const sum = (indices: readonly number[]) => indices.reduce((total, i) => total + (weights[i] as number), 0);
  // Tokens far below the likeliest are seldom needed, so only look at them when they are.
  const top = weights[argmax(weights)] as number;
  for (let floor = 1e-3; floor > 1e-12; floor *= 1e-3) {
    const candidates = above(floor * top);
    if (topK <= candidates.length) {
      return nucleus(weights, candidates.slice(0, topK), topP, sum(candidates.slice(0, topK)));
    }
    if (topK >= weights.length) {
      const total = weights.reduce((a, b) => a + b, 0);
      if (sum(candidates) >= topP * total) return nucleus(weights, candidates, topP, total);
    }
  }
  const all = above(0).slice(0, topK);
  return nucleus(weights, all, topP, sum(all));
}

function nucleus(weights: Float32Array, sorted: readonly number[], topP: number, total: number): number[] {
  let reached = 0;
  const count = sorted.findIndex((i) => (reached += weights[i] as number) >= topP * total);
  return sorted.slice(0, count === -1 ? sorted.length : count + 1);
}

/** {@linkcode draw} from all weights, without making a list of them. */
function drawAny(weights: Float32Array, uniform: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] as number;
  let rest = uniform * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if ((weights[i] as number) === 0) continue;
    last = i;
    rest -= weights[i] as number;
    if (rest < 0) break;
  }
  return last;
}

/** The index at which the running sum of the kept weights passes `uniform` of their total. */
function draw(weights: Float32Array, kept: readonly number[], uniform: number): number {
  let total = 0;
  for (const i of kept) total += weights[i] as number;
  let rest = uniform * total;
  let last = 0;
  for (const i of kept) {
    if ((weights[i] as number) === 0) continue;
    last = i;
    rest -= weights[i] as number;
    if (rest < 0) break;
  }
  return last;
}
