/**
 * Keys and values of one sequence, appended to and shared by every prefix that is a beginning of it.
 * @module
 */
import type { DecoderConfig } from "./config.ts";

/** Rows `[position, kvHeads * headDim]` per layer. Prefixes refer to the first rows; rows past `used` are free. */
export class KvStore {
  /** Numbers in a row: kvHeads * headDim. */
  readonly width: number;
  /** Rows written. */
  used = 0;
  /** Prefixes that refer to this store. */
  owners = 0;
  /** Per layer, positions applied. */
  readonly keys: Float32Array[];
  /** Per layer. */
  readonly values: Float32Array[];
  #capacity: number;
  readonly #window: number;

  /** Holds nothing yet, with room for `capacity` rows. */
  constructor(config: DecoderConfig, capacity: number) {
    this.width = config.numKvHeads * config.headDim;
    this.#window = config.contextWindow;
    this.#capacity = Math.min(capacity, this.#window);
    const make = () =>
      Array.from({ length: config.numLayers }, () => new Float32Array(this.#capacity * this.width));
    this.keys = make();
    this.values = make();
  }

  /** Bytes held, free rows included. */
  get bytes(): number {
    return 8 * this.keys.length * this.#capacity * this.width;
  }

  /** Makes room for rows up to `rows`. */
  reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.min(this.#window, Math.max(rows, 2 * this.#capacity));
    for (const list of [this.keys, this.values]) {
      for (const [layer, old] of list.entries()) {
        const grown = new Float32Array(this.#capacity * this.width);
        grown.set(old.subarray(0, this.used * this.width));
        list[layer] = grown;
      }
    }
  }

  /** Appends rows to one layer; `used` is moved on by the caller once all layers are written. */
  write(layer: number, keys: Float32Array, values: Float32Array): void {
    this.keys[layer]?.set(keys, this.used * this.width);
    this.values[layer]?.set(values, this.used * this.width);
  }

  /** A new store with a copy of the first `rows` rows and room for `capacity`. */
  fork(config: DecoderConfig, rows: number, capacity: number): KvStore {
    const copy = new KvStore(config, Math.max(rows, capacity));
    for (let layer = 0; layer < this.keys.length; layer++) {
      copy.keys[layer]?.set((this.keys[layer] as Float32Array).subarray(0, rows * this.width));
      copy.values[layer]?.set((this.values[layer] as Float32Array).subarray(0, rows * this.width));
    }
    copy.used = rows;
    return copy;
  }
}
