/**
 * The steering of a request in the engine's words.
 * @module
 */
import { type Decoder, type KvEdit, rotateKey, type Steer } from "../engine/mod.ts";
import { KV_SLOT, type Steering } from "./steering.ts";

/** The residual steerings in the engine's words. */
export function steersOf(steering: Steering | undefined): Steer[] {
  return (steering?.residual ?? []).map((steer) => ({ ...steer, vector: steer.vector.values }));
}

/**
 * The cache edits of a prompt in the engine's words; null when the cache is left alone.
 *
 * @param length tokens of the whole prompt.
 * @throws {InputError} for layers and vectors that do not fit the model.
 */
export function editsOf(
  steering: Steering | undefined,
  decoder: Pick<Decoder, "config">,
  length: number,
): KvEdit[] | null {
  const position = length + KV_SLOT;
  return steering?.kv === undefined
    ? null
    : steering.kv.map(({ layer, key, value, unrotated, ...scales }) => ({
      layer,
      slot: position,
      ...scales,
      ...(value === undefined ? {} : { value: value.values }),
      ...(key === undefined ? {} : {
        key: unrotated ? rotateKey(decoder.config, key.values, { layer, position, length }) : key.values,
      }),
    }));
}
