/**
 * Which layers are meant: always a set of numbers, never "from".
 * @module
 */
import { InputError } from "../base/errors.ts";

/**
 * The layers that are read and steered unless others are named: 8 to 15 of models of 24 to 32 blocks (the factory was
 * made for one of 28), the middle to late half of all others.
 */
export function defaultLayers(numLayers: number): number[] {
  const [from, to] = numLayers >= 24 && numLayers <= 32 ? [8, 16] : [Math.floor(numLayers / 2), numLayers];
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * Reads a set of layers: `8-15`, `2,3`, `0,4-6`.
 *
 * @returns each once, ascending.
 * @throws {InputError} when it is none, or the model has no such layer.
 */
export function parseLayers(text: string, numLayers: number): number[] {
  const layers = new Set<number>();
  for (const part of text.split(",")) {
    const found = /^\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*$/.exec(part);
    const first = Number(found?.[1]), last = Number(found?.[2] ?? found?.[1]);
    if (found === null || last < first) {
      throw new InputError(`The layers ${JSON.stringify(text)} are no set of numbers: write 8-15, or 2,3.`);
    }
    if (last >= numLayers) {
      throw new InputError(`There is no layer ${last}: the model has layers 0 to ${numLayers - 1}.`);
    }
    for (let layer = first; layer <= last; layer++) layers.add(layer);
  }
  return [...layers].sort((a, b) => a - b);
}
