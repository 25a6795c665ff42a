/**
 * From logits to a token.
 * @module
 */

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
  const top = logits[argmax(logits)] as number;
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - top);
  return (logits[index] as number) - top - Math.log(sum);
}

/**
 * Chooses a token: temperature, then the topK likeliest, then the likeliest that reach topP, then by chance.
 *
 * @param uniform a number in [0, 1), the only source of chance.
 */
export function sampleToken(logits: Float32Array, options: SamplingOptions, uniform: number): number {
  const best = argmax(logits);
  const { temperature, topP, topK } = options;
  if (temperature === 0) return best;
  const top = logits[best] as number;
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp(((logits[i] as number) - top) / temperature);
  if (topP >= 1 && (topK <= 0 || topK >= weights.length)) return drawAny(weights, uniform);
  const kept = likeliest(weights, topP, topK > 0 ? topK : weights.length);
  return draw(weights, kept, uniform);
}

/** Indices of the likeliest weights, most likely first, until `topK` or the share `topP` of the `topK` is reached. */
function likeliest(weights: Float64Array, topP: number, topK: number): number[] {
  const byWeight = (a: number, b: number) => (weights[b] as number) - (weights[a] as number) || a - b;
  const above = (floor: number) => {
    const found: number[] = [];
    for (let i = 0; i < weights.length; i++) if ((weights[i] as number) >= floor) found.push(i);
    return found.sort(byWeight);
  };
  const sum = (indices: readonly number[]) => indices.reduce((total, i) => total + (weights[i] as number), 0);
  // Weights are at most 1: tokens far below that are seldom needed, so only look at them when they are.
  for (let floor = 1e-3; floor > 1e-12; floor *= 1e-3) {
    const candidates = above(floor);
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

function nucleus(weights: Float64Array, sorted: readonly number[], topP: number, total: number): number[] {
  let reached = 0;
  const count = sorted.findIndex((i) => (reached += weights[i] as number) >= topP * total);
  return sorted.slice(0, count === -1 ? sorted.length : count + 1);
}

/** {@linkcode draw} from all weights, without making a list of them. */
function drawAny(weights: Float64Array, uniform: number): number {
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
function draw(weights: Float64Array, kept: readonly number[], uniform: number): number {
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
