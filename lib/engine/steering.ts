/**
 * Steerings as what the open graphs take: per layer, directions `[R, d]` and for each token how much of them to
 * add and how much of the token's own projection to remove.
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
  if (component !== "residual") {
    throw new InputError(
      `Cannot steer the component ${JSON.stringify(component)}: this version steers "residual".`,
    );
  }
  checkLayer(config, layer);
  if (vector.length !== config.hiddenSize || !vector.every(Number.isFinite)) {
    throw new InputError(
      `A steering vector of ${vector.length} numbers was given; the model takes ${config.hiddenSize} finite ones.`,
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
  for (let layer = 0; layer < config.numLayers; layer++) {
    const mine = steers.filter((steer) => steer.layer === layer);
    const count = Math.max(1, mine.length); // an empty direction stands where nothing is steered
    const vectors = new Float32Array(count * d);
    const add = new Float32Array(tokens * count);
    const cut = new Float32Array(tokens * count);
    for (const [r, { vector, coef, mode, phase }] of mine.entries()) {
      const length = mode === "add" ? 1 : Math.hypot(...vector);
      vectors.set(vector.map((x) => x / length), r * d);
      for (let t = 0; t < tokens; t++) {
        if (phase === "last_prompt" && t !== last) continue;
        add[t * count + r] = mode === "ablate" ? 0 : coef;
        cut[t * count + r] = mode === "add" ? 0 : mode === "ablate" ? coef : 1;
      }
    }
    feeds[`steer_vectors.${layer}`] = floats(vectors, count, d);
    feeds[`steer_add.${layer}`] = floats(add, tokens, count);
    feeds[`steer_cut.${layer}`] = floats(cut, tokens, count);
  }
  return feeds;
}
