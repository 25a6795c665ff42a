/**
 * Keys and values of one sequence, appended to and shared by every prefix that is a beginning of it.
 * @module
 */
import type { DecoderConfig } from "./config.ts";
import type { KvEdit, KvRow } from "./types.ts";

/** Rows `[position, kvHeads * headDim]` per layer. Prefixes refer to the first rows; rows past `used` are free. */
export class KvStore {
  /** Numbers in a row: kvHeads * headDim. */
  readonly width: number;
  /** Rows written. */
  used = 0;
  #owners = 0;
  /** Tokens of the rows. */
  readonly tokens: number[] = [];
  /** Whether some row is not what the tokens alone give: it was steered or edited. */
  changed = false;
  /** Positions are those of a sequence of at least this many tokens; see {@linkcode RopeTables.feeds}. */
  atLeast = 0;
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
    this.#capacity = capacity;
    const make = () =>
      Array.from({ length: config.numLayers }, () => new Float32Array(capacity * this.width));
    this.keys = make();
    this.values = make();
  }

  /** Prefixes, cached prompts and calls that refer to this store. */
  get owners(): number {
    return this.#owners;
  }

  /** Counts an owner. */
  retain(): void {
    this.#owners++;
  }

  /** Ends an owner's use. The last one's frees the memory at once: a collection may be a long time coming. */
  release(): void {
    if (--this.#owners > 0) return;
    for (const list of [this.keys, this.values]) {
      for (const [layer, { buffer }] of list.entries()) {
        list[layer] = new Float32Array((buffer as ArrayBuffer).transfer(0));
      }
    }
    this.#capacity = this.used = 0;
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
      for (const [layer, { buffer }] of list.entries()) {
        list[layer] = new Float32Array((buffer as ArrayBuffer).transfer(4 * this.#capacity * this.width));
      }
    }
  }

  /** Notes the tokens of the rows that follow, before `used` is moved on. */
  note(tokens: readonly number[]): void {
    this.tokens.length = this.used;
    for (const token of tokens) this.tokens.push(token);
  }

  /** Appends rows to one layer; `used` is moved on by the caller once all layers are written. */
  write(layer: number, keys: Float32Array, values: Float32Array): void {
    this.keys[layer]?.set(keys, this.used * this.width);
    this.values[layer]?.set(values, this.used * this.width);
  }

  /** Changes one row of one layer, `slot` counted from 0. */
  edit(slot: number, { layer, key, value, scaleK, scaleV }: KvEdit): void {
    this.changed = true;
    const at = slot * this.width;
    const addTo = (rows: Float32Array, vector: Float32Array | undefined, scale = 1) => {
      for (const [i, x] of (vector ?? []).entries()) rows[at + i] = (rows[at + i] as number) + scale * x;
    };
    addTo(this.keys[layer] as Float32Array, key, scaleK);
    addTo(this.values[layer] as Float32Array, value, scaleV);
  }

  /** A copy of one row of one layer, `slot` counted from 0. */
  row(layer: number, slot: number): KvRow {
    const copy = (rows: Float32Array) => rows.slice(slot * this.width, (slot + 1) * this.width);
    return {
      layer,
      key: copy(this.keys[layer] as Float32Array),
      value: copy(this.values[layer] as Float32Array),
    };
  }

  /** A new store with a copy of the first `rows` rows and room for `capacity`. */
  fork(config: DecoderConfig, rows: number, capacity: number): KvStore {
    return KvStore.join(config, [{ store: this, rows }], Math.max(rows, capacity));
  }

  /** A new store with copies of the first rows of each, one behind the other. */
  static join(
    config: DecoderConfig,
    parts: readonly { readonly store: KvStore; readonly rows: number }[],
    capacity: number = parts.reduce((sum, { rows }) => sum + rows, 0),
  ): KvStore {
    const joined = new KvStore(config, capacity);
    for (const { store, rows } of parts) {
      for (let layer = 0; layer < joined.keys.length; layer++) {
        const first = (list: readonly Float32Array[]) =>
          (list[layer] as Float32Array).subarray(0, rows * store.width);
        joined.write(layer, first(store.keys), first(store.values));
      }
      joined.note(store.tokens.slice(0, rows));
      joined.changed ||= store.changed;
      joined.used += rows;
    }
    return joined;
  }
}

/** Counts a call among the owners of its stores while it waits and runs, so that an edit works on a copy. */
export function inUse(stores: readonly KvStore[]): Disposable {
  for (const store of stores) store.retain();
  return {
    [Symbol.dispose]: () => {
      for (const store of stores) store.release();
    },
  };
}
