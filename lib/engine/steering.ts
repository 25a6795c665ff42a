/**
 * Steerings as what the open graphs take: per site, directions to add `[R, d]`, directions to read `[R, d]`, and for
 * each token how much to add and whether what was read is taken away.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import { type Feed, floats } from "./session.ts";
import type { Steer } from "./types.ts";

/**
 * Checks a steering against the model it is meant for.
 *
 * @throws {InputError} naming what is wrong.
 */
export function checkSteer(config: DecoderConfig, steer: Steer): void {
  const { component, layer, vector, coef, mode, phase } = steer;
  if (!["residual", "attn_out", "mlp_out"].includes(component)) {
    throw new InputError(
      `Cannot steer the component ${JSON.stringify(component)}: it is "residual", "attn_out" or "mlp_out".`,
    );
  }
  checkLayer(config, layer);
  const rows = vector.length / config.hiddenSize;
  if (
    !(rows === 1 || (mode === "ablate" && rows > 1 && Number.isInteger(rows))) ||
    !vector.every(Number.isFinite)
  ) {
    throw new InputError(
      `A steering vector of ${vector.length} numbers was given; the model takes ${config.hiddenSize} finite ones, ` +
        "or several times as many to ablate their span.",
    );
  }
  if (!Number.isFinite(coef)) {
    throw new InputError(`The steering coefficient is ${coef}; give a finite number.`);
  }
  if (!["add", "ablate", "clamp"].includes(mode)) {
    throw new InputError(`Unknown steering mode ${JSON.stringify(mode)}: it is "add", "ablate" or "clamp".`);
  }
  if (!["all", "prompt", "response", "last_prompt"].includes(phase)) {
    throw new InputError(
      `Unknown steering phase ${JSON.stringify(phase)}: it is "all", "prompt", "response" or "last_prompt".`,
    );
  }
  if (mode !== "add" && vector.every((x) => x === 0)) {
    throw new InputError(`A zero vector has no direction to ${mode}: give another vector.`);
  }
}

/**
 * Checks a 0-based layer number.
 *
 * @throws {InputError} when the model has no such layer.
 */
export function checkLayer(config: DecoderConfig, layer: number): void {
  if (!Number.isInteger(layer) || layer < 0 || layer >= config.numLayers) {
    throw new InputError(`Layer ${layer} does not exist: the model has layers 0 to ${config.numLayers - 1}.`);
  }
}

/** Whether a steering acts on prefilled tokens, or on generated ones. */
export function actsOn(steer: Steer, phase: "prompt" | "response"): boolean {
  return steer.phase === "all" || (steer.phase === "response") === (phase === "response");
}

/**
 * Feeds of the open graphs for `tokens` rows.
 *
 * @param steers those that act in this phase.
 * @param last index of the prompt's last token among the rows; -1 when it is not among them.
 */
export function steerFeeds(
  config: DecoderConfig,
  steers: readonly Steer[],
  tokens: number,
  last: number,
): Record<string, Feed> {
  const feeds: Record<string, Feed> = {};
  const d = config.hiddenSize;
  for (const component of ["residual", "attn_out", "mlp_out"] as const) {
    for (let layer = 0; layer < config.numLayers; layer++) {
      const mine = steers.filter((steer) => steer.layer === layer && steer.component === component);
      const blocks = blocksOf(mine, d, tokens, last);
      const count = Math.max(1, blocks.reduce((sum, { moves }) => sum + moves.length, 0));
      const vectors = new Float32Array(count * d); // one empty direction stands where nothing is steered
      const reads = new Float32Array(count * d);
      const add = new Float32Array(tokens * count);
      const cut = new Float32Array(tokens * count);
      let r = 0;
      for (const { moves, acts } of blocks) {
        for (const { vector, read, amount } of moves) {
          vectors.set(vector, r * d);
          reads.set(read, r * d);
          for (let t = 0; t < tokens; t++) {
            if (!acts(t)) continue;
            add[t * count + r] = amount;
            cut[t * count + r] = 1;
          }
          r++;
        }
      }
      const site = `${component}.${layer}`;
      feeds[`steer_vectors.${site}`] = floats(vectors, count, d);
      feeds[`steer_reads.${site}`] = floats(reads, count, d);
      feeds[`steer_add.${site}`] = floats(add, tokens, count);
      feeds[`steer_cut.${site}`] = floats(cut, tokens, count);
    }
  }
  return feeds;
}

/** Adds `amount - x . read` times `vector`, where x is the token before any move of its block. */
interface Move {
  readonly vector: Float64Array;
  readonly read: Float64Array;
  readonly amount: number;
}

/** The steerings of one site, for the prompt's last token and for the others where they differ. */
function blocksOf(steers: readonly Steer[], d: number, tokens: number, last: number) {
  if (steers.length === 0) return [];
  const lasting = steers.filter(({ phase }) => phase !== "last_prompt");
  const whole = lasting.length === steers.length;
  const blocks = [];
  if (whole || last === -1 || tokens > 1) {
    blocks.push({ moves: movesOf(lasting, d), acts: (t: number) => whole || t !== last });
  }
  if (!whole && last !== -1) blocks.push({ moves: movesOf(steers, d), acts: (t: number) => t === last });
  return blocks;
}

/**
 * Steerings one after another as moves that all read the token as it was before them. The r-th adds
 * `s_r = a_r - c_r (x + sum over q < r of s_q v_q) . v_r` times `v_r`, which is affine in x.
 */
function movesOf(steers: readonly Steer[], d: number): Move[] {
  const moves: Move[] = [];
  for (const { mode, coef, vector } of steers) {
    const [add, cut] = mode === "add" ? [coef, 0] : mode === "ablate" ? [0, coef] : [coef, 1];
    const directions = mode === "add" ? [Float64Array.from(vector)] : orthonormal(vector, d);
    for (const v of directions) {
      let amount = add;
      const read = v.map((x) => cut * x);
      for (const before of moves) {
        const overlap = cut * dot(before.vector, v);
        if (overlap === 0) continue;
        amount -= overlap * before.amount;
        for (let i = 0; i < d; i++) read[i] = (read[i] as number) - overlap * (before.read[i] as number);
      }
      moves.push({ vector: v, read, amount });
    }
  }
  return moves;
}

/** An orthonormal basis of the span of the rows `[rows, d]` (Gram-Schmidt, twice over for accuracy). */
function orthonormal(rows: Float32Array, d: number): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let at = 0; at < rows.length; at += d) {
    const v = Float64Array.from(rows.subarray(at, at + d));
    const length = Math.sqrt(dot(v, v));
    for (let pass = 0; pass < 2; pass++) {
      for (const u of basis) {
        const overlap = dot(u, v);
        for (let i = 0; i < d; i++) v[i] = (v[i] as number) - overlap * (u[i] as number);
      }
    }
    const left = Math.sqrt(dot(v, v));
    if (left > 1e-6 * length) basis.push(v.map((x) => x / left));
  }
  return basis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
