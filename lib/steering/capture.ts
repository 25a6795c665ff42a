/**
 * Activations of texts: one forward pass, averaged over the tokens of a position.
 * @module
 */
import { unrotateKey } from "../engine/rotate_keys.ts";
import type { Decoder } from "../engine/types.ts";
import { addTimes } from "../stats/vector_sums.ts";
import { type Position, positionSpan, type TokenSpan } from "./position.ts";
import type { Component } from "./site.ts";

/** A text as a model reads it. */
export interface TokenText {
  /** Prompt and response. */
  readonly ids: readonly number[];
  /** How many of them are the prompt. */
  readonly promptTokens: number;
}

/** What is captured. */
export interface CaptureSites {
  /** What of the blocks. */
  readonly components: readonly Component[];
  /** 0-based blocks. */
  readonly layers: readonly number[];
}

/** The engine's name of a site: `residual.3`. */
export function captureName(component: Component, layer: number): string {
  return `${component}.${layer}`;
}

/**
 * The mean activation over the tokens of a position, at each site, by `captureName`: `[width]`, summed in float64.
 * Keys are taken without their rotary position: at different positions they would cancel one another.
 *
 * @returns null when the text has no token there.
 */
export async function captureMean(
  decoder: Pick<Decoder, "forward" | "config">,
  { ids, promptTokens }: TokenText,
  position: Position,
  { components, layers }: CaptureSites,
  signal?: AbortSignal,
): Promise<Map<string, Float32Array> | null> {
  const span = positionSpan(position, promptTokens, ids.length);
  if (span === null) return null;
  const names = components.flatMap((component) => layers.map((layer) => captureName(component, layer)));
  // What comes behind the last token that is wanted changes nothing before it.
  const { captured } = await decoder.forward(ids.slice(0, span.to), {
    capture: names,
    ...(signal === undefined ? {} : { signal }),
  });
  const means = new Map<string, Float32Array>();
  for (const component of components) {
    for (const layer of layers) {
      const name = captureName(component, layer);
      const tokens = captured[name] as Float32Array;
      if (component === "k") unrotate(decoder.config, tokens, layer, span);
      means.set(name, meanOver(tokens, span));
    }
  }
  return means;
}

/** Takes the positions out of keys `[tokens, kvHeads * headDim]`, in place. */
function unrotate(
  config: Decoder["config"],
  keys: Float32Array,
  layer: number,
  { from, to }: TokenSpan,
): void {
  const width = keys.length / to;
  for (let position = from; position < to; position++) {
    const key = keys.subarray(position * width, (position + 1) * width);
    key.set(unrotateKey(config, key, { layer, position, length: to }));
  }
}

/** The mean of rows of `[tokens, width]`. */
function meanOver(activations: Float32Array, { from, to }: TokenSpan): Float32Array {
  const width = activations.length / to;
  const sum = new Float64Array(width);
  for (let token = from; token < to; token++) {
    addTimes(sum, activations.subarray(token * width, (token + 1) * width), 1);
  }
  return Float32Array.from(sum, (x) => x / (to - from));
}
