/**
 * The tokens that branches of one prefix have added: their keys and values, laid out as the decode graph reads them.
 * @module
 */
import type { DecoderConfig } from "./config.ts";
import { type Feed, floats, longs } from "./session.ts";

const FIRST_CAPACITY = 32;

/**
 * Keys and values `[steps, kvHeads, branches, headDim]` per layer. Step 0 is a placeholder that the mask hides:
 * the graph cannot take zero steps.
 */
export class BranchCache {
  readonly #config: DecoderConfig;
  readonly #past: number;
  #count: number;
  #steps = 1;
  #keys: Float32Array[];
  #values: Float32Array[];

  /**
   * No tokens of their own yet.
   *
   * @param past tokens of the prefix.
   * @param count branches.
   */
  constructor(config: DecoderConfig, past: number, count: number) {
    this.#config = config;
    this.#past = past;
    this.#count = count;
    const make = () =>
      Array.from({ length: config.numLayers }, () => new Float32Array(FIRST_CAPACITY * this.#stride));
    this.#keys = make();
    this.#values = make();
  }

  get #stride(): number {
    return this.#config.numKvHeads * this.#count * this.#config.headDim;
  }

  /** Position of the token fed next. */
  get position(): number {
    return this.#past + this.#steps - 1;
  }

  /** The feeds that depend on the branches; the prefix's own are the caller's. */
  feeds(): Record<string, Feed> {
    const { numKvHeads, numHeads, numLayers, headDim } = this.#config;
    const group = numHeads / numKvHeads;
    const [past, steps, count] = [this.#past, this.#steps, this.#count];
    const length = past + steps + 1;
    const mask = new Float32Array(count * length);
    for (let branch = 0; branch < count; branch++) mask[branch * length + past] = -Infinity;
    const feeds: Record<string, Feed> = {
      mask: floats(mask, count, 1, length),
      position_ids: longs(new Array<number>(count).fill(this.position), count, 1),
      split: longs([past, steps, 1], 3),
      scores_shape: longs([numKvHeads, count, group, past], 4),
      weights_shape: longs([numKvHeads, count * group, past], 3),
    };
    for (let layer = 0; layer < numLayers; layer++) {
      feeds[`suffix_k.${layer}`] = floats(
        this.#keys[layer] as Float32Array,
        steps,
        numKvHeads,
        count,
        headDim,
      );
      feeds[`suffix_v.${layer}`] = floats(
        this.#values[layer] as Float32Array,
        steps,
        numKvHeads,
        count,
        headDim,
      );
    }
    return feeds;
  }

  /** Appends one step, `k.N` and `v.N` `[kvHeads, branches, headDim]`. */
  append(outputs: Readonly<Record<string, Float32Array>>): void {
    const stride = this.#stride;
    const at = this.#steps * stride;
    const put = (list: Float32Array[], which: string) => {
      for (let layer = 0; layer < list.length; layer++) {
        let data = list[layer] as Float32Array;
        if (at + stride > data.length) {
          const grown = new Float32Array(2 * data.length);
          grown.set(data);
          list[layer] = data = grown;
        }
        data.set(outputs[`${which}.${layer}`] as Float32Array, at);
      }
    };
    put(this.#keys, "k");
    put(this.#values, "v");
    this.#steps++;
  }

  /** Keeps only the branches at these indices. */
  keep(indices: readonly number[]): void {
    if (indices.length === this.#count) return;
    const { numKvHeads, headDim } = this.#config;
    const old = this.#count;
    const rows = this.#steps * numKvHeads;
    const squeeze = (data: Float32Array) => {
      const out = new Float32Array(data.length / old * indices.length);
      for (let row = 0; row < rows; row++) {
        for (const [to, from] of indices.entries()) {
          const start = (row * old + from) * headDim;
          out.set(data.subarray(start, start + headDim), (row * indices.length + to) * headDim);
        }
      }
      return out;
    };
    this.#keys = this.#keys.map(squeeze);
    this.#values = this.#values.map(squeeze);
    this.#count = indices.length;
  }
}
