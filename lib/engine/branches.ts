/**
 * The tokens that branches of prefixes have added: their keys and values, laid out as the decode graph reads them.
 * @module
 */
import { maskName, windowsOf } from "./attention_graph.ts";
import { freeFloats } from "./free_floats.ts";
import type { DecoderConfig } from "./config.ts";
import { type Feed, floats, longs } from "./session.ts";

const FIRST_CAPACITY = 32;

/** Rows of a store that a branch continues. */
export interface Span {
  /** First row. */
  readonly start: number;
  /** Number of rows, which is also the position of the branch's first own token. */
  readonly length: number;
}

/**
 * Keys and values `[steps, kvHeads, branches, headDim]` per layer. Step 0 is a placeholder that the mask hides:
 * the graph cannot take zero steps.
 */
export class BranchCache {
  readonly #config: DecoderConfig;
  #spans: readonly Span[];
  /** Per branch, the step of its first own token. */
  #joined: number[];
  #steps = 1;
  #keys: Float32Array[];
  #values: Float32Array[];

  /** No tokens of their own yet. One span for each branch, all of one store. */
  constructor(config: DecoderConfig, spans: readonly Span[]) {
    this.#config = config;
    this.#spans = spans;
    this.#joined = spans.map(() => 1);
    const make = () =>
      Array.from({ length: config.numLayers }, () => new Float32Array(FIRST_CAPACITY * this.#stride));
    this.#keys = make();
    this.#values = make();
  }

  get #stride(): number {
    return this.#config.numKvHeads * this.#spans.length * this.#config.headDim;
  }

  /** Rows of the store that some branch still reads: up to the end of the last span. */
  get past(): number {
    return Math.max(...this.#spans.map(({ start, length }) => start + length));
  }

  /** Positions of the tokens fed next, per branch. */
  get positions(): number[] {
    return this.#spans.map(({ length }, branch) => length + this.#own(branch));
  }

  /** Tokens of its own that a branch has. */
  #own(branch: number): number {
    return this.#steps - (this.#joined[branch] as number);
  }

  /** The feeds that depend on the branches; the store's own are the caller's. */
  feeds(): Record<string, Feed> {
    const { numKvHeads, numHeads, numLayers, headDim } = this.#config;
    const group = numHeads / numKvHeads;
    const [past, steps, count] = [this.past, this.#steps, this.#spans.length];
    const feeds: Record<string, Feed> = {
      position_ids: longs(this.positions, count, 1),
      split: longs([past, steps, 1], 3),
      scores_shape: longs([numKvHeads, count, group, past], 4),
      weights_shape: longs([numKvHeads, count * group, past], 3),
    };
    for (const window of windowsOf(this.#config)) {
      feeds[maskName(window)] = floats(this.#mask(past, window), count, 1, past + steps + 1);
    }
    for (let layer = 0; layer < numLayers; layer++) {
      const dims = [steps, numKvHeads, count, headDim];
      feeds[`suffix_k.${layer}`] = floats(this.#keys[layer] as Float32Array, ...dims);
      feeds[`suffix_v.${layer}`] = floats(this.#values[layer] as Float32Array, ...dims);
    }
    return feeds;
  }

  /**
   * `[branches, past + steps + 1]`: 0 on the rows of a branch's span and on its own tokens, -Infinity elsewhere, on
   * steps before it joined, and on what lies outside the window.
   */
  #mask(past: number, window: number | null): Float32Array {
    const width = past + this.#steps + 1;
    const mask = new Float32Array(this.#spans.length * width);
    for (const [branch, { start, length }] of this.#spans.entries()) {
      const row = mask.subarray(branch * width, (branch + 1) * width);
      /** Tokens of this branch that are no longer seen: those at the beginning of its span, then of its own. */
      const unseen = window === null ? 0 : Math.max(0, length + this.#own(branch) + 1 - window);
      row.fill(-Infinity, 0, start + Math.min(length, unseen));
      row.fill(
        -Infinity,
        start + length,
        past + (this.#joined[branch] as number) + Math.max(0, unseen - length),
      );
    }
    return mask;
  }

  /** Appends one step, `k.N` and `v.N` `[kvHeads, branches, headDim]`, and frees them. */
  append(outputs: Readonly<Record<string, Float32Array>>): void {
    const stride = this.#stride;
    const at = this.#steps * stride;
    const put = (list: Float32Array[], which: string) => {
      for (let layer = 0; layer < list.length; layer++) {
        let data = list[layer] as Float32Array;
        if (at + stride > data.length) {
          list[layer] = data = new Float32Array((data.buffer as ArrayBuffer).transfer(2 * data.byteLength));
        }
        const output = outputs[`${which}.${layer}`] as Float32Array;
        data.set(output, at);
        freeFloats(output);
      }
    };
    put(this.#keys, "k");
    put(this.#values, "v");
    this.#steps++;
  }

  /** Adds branches that have no tokens of their own yet; the first spans are those of the branches there are. */
  admit(spans: readonly Span[]): void {
    const old = this.#spans.length;
    this.#arrange(Array.from(spans, (_, index) => index < old ? index : undefined));
    for (let i = old; i < spans.length; i++) this.#joined.push(this.#steps);
    this.#spans = spans;
  }

  /** Keeps only the branches at these indices. */
  keep(indices: readonly number[]): void {
    if (indices.length === this.#spans.length) return;
    this.#arrange(indices);
    this.#spans = indices.map((index) => this.#spans[index] as Span);
    this.#joined = indices.map((index) => this.#joined[index] as number);
    this.#forget(Math.min(...this.#joined) - 1);
  }

  /** Lays the branches out anew: for each place the branch that stood at this index, or an empty one. */
  #arrange(places: readonly (number | undefined)[]): void {
    const old = this.#spans.length;
    const { numKvHeads, headDim } = this.#config;
    const rows = this.#steps * numKvHeads;
    const arrange = (data: Float32Array) => {
      const out = new Float32Array(data.length / old * places.length);
      for (let row = 0; row < rows; row++) {
        for (const [to, from] of places.entries()) {
          if (from === undefined) continue;
          const start = (row * old + from) * headDim;
          out.set(data.subarray(start, start + headDim), (row * places.length + to) * headDim);
        }
      }
      freeFloats(data);
      return out;
    };
    this.#keys = this.#keys.map(arrange);
    this.#values = this.#values.map(arrange);
  }

  /** Drops the first steps after the placeholder, before which no branch joined, once they are the greater part. */
  #forget(steps: number): void {
    if (steps < FIRST_CAPACITY || 2 * steps < this.#steps) return;
    const stride = this.#stride;
    for (const data of [...this.#keys, ...this.#values]) {
      data.copyWithin(stride, (1 + steps) * stride, this.#steps * stride);
    }
    this.#steps -= steps;
    this.#joined = this.#joined.map((step) => step - steps);
  }
}
