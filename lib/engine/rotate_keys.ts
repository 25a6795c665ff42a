/**
 * Keys with and without their rotary position, so that keys read at one position can be used at another.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import { inverseFrequencies } from "./rope_table.ts";
import { checkLayer } from "./steering.ts";

/** Where a key stands. */
export interface KeyPlace {
  /** 0-based block. */
  readonly layer: number;
  /** 0-based position in the sequence. */
  readonly position: number;
  /** Tokens of the whole sequence: longrope has other frequencies past its original window. */
  readonly length: number;
}

/**
 * A key as it is cached at a position: `key` `[kvHeads * headDim]` without a position, rotated as the layer does. In
 * layers without rotary positions it is `key` itself, copied.
 *
 * @throws {InputError} for layers, positions and vectors that do not fit the model.
 */
export function rotateKey(config: DecoderConfig, key: Float32Array, place: KeyPlace): Float32Array {
  return turn(config, key, place, 1);
}

/**
 * A cached key `[kvHeads * headDim]` without its position: what {@linkcode rotateKey} undoes. A scaling that also
 * stretches keys (YaRN, LongRoPE) is undone with it.
 *
 * @throws {InputError} for layers, positions and vectors that do not fit the model.
 */
export function unrotateKey(config: DecoderConfig, key: Float32Array, place: KeyPlace): Float32Array {
  return turn(config, key, place, -1);
}

/** Turns the pairs (i, i + rotaryDim / 2) of each head by the position's angles, forward or back. */
function turn(config: DecoderConfig, key: Float32Array, place: KeyPlace, sense: 1 | -1): Float32Array {
  const { layer, position, length } = place;
  const { headDim, numKvHeads, rotaryDim } = config;
  checkLayer(config, layer);
  if (key.length !== numKvHeads * headDim) {
    throw new InputError(
      `A key of ${key.length} numbers was given; those of this model have ${numKvHeads * headDim}.`,
    );
  }
  if (!Number.isInteger(position) || position < 0 || position >= length) {
    throw new InputError(`There is no position ${position} in a sequence of ${length} tokens.`);
  }
  const turned = key.slice();
  const rope = config.ropes[config.layers[layer]?.rope ?? -1];
  if (rope === undefined) return turned;
  const half = rotaryDim / 2;
  const frequencies = inverseFrequencies(rope, rotaryDim, length);
  const stretch = rope.amplitude ** sense;
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(position * (frequencies[i] as number)); // in float32, as the tables have it
    const [cos, sin] = [stretch * Math.cos(angle), sense * stretch * Math.sin(angle)];
    for (let head = 0; head < numKvHeads; head++) {
      const at = head * headDim + i;
      const [a, b] = [key[at] as number, key[at + half] as number];
      turned[at] = a * cos - b * sin;
      turned[at + half] = b * cos + a * sin;
    }
  }
  return turned;
}
