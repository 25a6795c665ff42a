/**
 * Puts branches of several prefixes into batches, each of which decodes over one store.
 * @module
 */
import type { Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import { KvStore } from "./kv_store.ts";
import { lengthLimit } from "./rope_table.ts";

/**
 * Most rows that stores are copied together up to. Every branch of a batch attends over all rows of its store, its
 * own or not, so short prefixes gain by sharing a step and long ones lose.
 */
const MAX_JOINED_ROWS = 2048;

/** The prefix that is continued. */
export interface Start {
  /** Holds its keys and values in its first `length` rows. */
  readonly store: KvStore;
  /** Its tokens. */
  readonly length: number;
  /** `[vocabSize]`, after its last token. */
  readonly logits: Float32Array;
}

/** Starts that are decoded together. */
export interface Batch {
  /** Holds the rows of all of them. */
  readonly store: KvStore;
  /** Index of each start in the list given, and its rows in the store. */
  readonly members: readonly { readonly index: number; readonly span: Span }[];
}

/**
 * Groups prefixes: those of one store always go together, over the rows they share; different stores are copied
 * behind each other while they are short and have the same positions.
 */
export function planBatches(config: DecoderConfig, starts: readonly Start[]): Batch[] {
  const byStore = new Map<KvStore, number[]>();
  for (const [index, { store }] of starts.entries()) {
    byStore.set(store, [...byStore.get(store) ?? [], index]);
  }
  const rowsOf = (indices: readonly number[]) => Math.max(...indices.map((i) => (starts[i] as Start).length));
  const groups: { readonly parts: { store: KvStore; indices: readonly number[]; rows: number }[] }[] = [];
  let [joined, limit] = [Infinity, 0];
  for (const [store, indices] of byStore) {
    const rows = rowsOf(indices);
    if (joined + rows > MAX_JOINED_ROWS || lengthLimit(config, rows) !== limit) {
      groups.push({ parts: [] });
      [joined, limit] = [0, lengthLimit(config, rows)];
    }
    groups.at(-1)?.parts.push({ store, indices, rows });
    joined += rows;
  }
  return groups.map(({ parts }) => {
    let start = 0;
    const members = parts.flatMap(({ indices, rows }) => {
      const first = start;
      start += rows;
      return indices.map((index) => ({
        index,
        span: { start: first, length: (starts[index] as Start).length },
      }));
    });
    const [only] = parts;
    const store = parts.length === 1 && only ? only.store : KvStore.join(config, parts);
    return { store, members };
  });
}
