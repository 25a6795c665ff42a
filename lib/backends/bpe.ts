/**
 * Byte-pair encoding over a vocabulary that lies in three flat arrays: a few megabytes, and nothing for the garbage
 * collector to walk.
 * @module
 */

/** The tokens of a byte-pair vocabulary by rank. A token's rank is its id. */
export interface Vocabulary {
  /** How many tokens there are; ids run from 0. */
  readonly size: number;
  /** The id of the token of these bytes, or -1. */
  id(bytes: Uint8Array, from: number, to: number): number;
  /** The bytes of tokens, one after another. @throws {RangeError} when there is no such id. */
  bytes(ids: readonly number[]): Uint8Array;
}

/** First value and factor of the FNV-1a hash (Fowler, Noll and Vo). */
const FNV_START = 0x811c9dc5, FNV_PRIME = 0x01000193;

/**
 * Reads a vocabulary in the format of tiktoken: a line `base64 rank` for each token, ranks counted from 0.
 *
 * @throws {RangeError} when the file is of another form.
 */
export function readTiktoken(file: Uint8Array): Vocabulary {
  const starts = [0];
  const arena = new Uint8Array(Math.ceil(file.length * 3 / 4));
  let end = 0;
  for (let at = 0; at < file.length;) {
    const space = file.indexOf(32, at);
    const found = file.indexOf(10, at);
    const lineEnd = found < 0 ? file.length : found;
    if (space < 0 || space > lineEnd || wholeNumber(file, space + 1, lineEnd) !== starts.length - 1) {
      throw new RangeError(`Line ${starts.length} of the vocabulary is not "base64 ${starts.length - 1}"`);
    }
    end = decodeBase64(file, at, space, arena, end);
    starts.push(end);
    at = lineEnd + 1;
  }
  return createVocabulary(arena.slice(0, end), Uint32Array.from(starts));
}

/** Token `i` has the bytes `arena[starts[i] .. starts[i + 1])`. */
function createVocabulary(arena: Uint8Array, starts: Uint32Array): Vocabulary {
  const size = starts.length - 1;
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, size * 2))) - 1;
  const slots = new Int32Array(mask + 1).fill(-1);
  const slotOf = (bytes: Uint8Array, from: number, to: number): number => {
    let hash = FNV_START;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    const length = to - from;
    for (let slot = (hash ^ hash >>> 15) & mask;; slot = (slot + 1) & mask) {
      const id = slots[slot] as number;
      if (id < 0) return slot;
      const start = starts[id] as number;
      if ((starts[id + 1] as number) - start !== length) continue;
      let same = 0;
      while (same < length && arena[start + same] === bytes[from + same]) same++;
      if (same === length) return slot;
    }
  };
  for (let id = 0; id < size; id++) {
    slots[slotOf(arena, starts[id] as number, starts[id + 1] as number)] = id;
  }
  return {
    size,
    id: (bytes, from, to) => slots[slotOf(bytes, from, to)] as number,
    bytes(ids) {
      let total = 0;
      for (const id of ids) {
        const start = starts[id], end = starts[id + 1];
        if (start === undefined || end === undefined) {
          throw new RangeError(`The vocabulary has no token ${id}`);
        }
        total += end - start;
      }
      const bytes = new Uint8Array(total);
      let at = 0;
      for (const id of ids) {
        const end = starts[id + 1] as number;
        for (let i = starts[id] as number; i < end; i++) bytes[at++] = arena[i] as number;
      }
      return bytes;
    },
  };
}

function wholeNumber(file: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + (file[i] as number) - 48;
  return value;
}

/** Writes the decoded bytes to `into` from `end` on. @returns where they end. */
function decodeBase64(file: Uint8Array, from: number, to: number, into: Uint8Array, end: number): number {
  let bits = 0, held = 0;
  for (let i = from; i < to; i++) {
    const digit = BASE64[file[i] as number] as number;
    if (digit < 0) break; // padding
    bits = bits << 6 | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    into[end++] = bits >> held & 255;
  }
  return end;
}

const BASE64 = new Int8Array(256).fill(-1);
[..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].forEach((digit, value) => {
  BASE64[digit.charCodeAt(0)] = value;
});

/** Splits pieces of text into tokens. */
export interface PieceEncoder {
  /** Appends the ids of one piece (what the split pattern gave) to `ids`. */
  encode(piece: string, ids: number[]): void;
}

/** Pairs are queued as one number, `rank * PLACES + place`: the lowest rank first, the leftmost of equals. */
const PLACES = 2 ** 32;

/**
 * An encoder of pieces: the adjacent pair of the lowest rank is merged first (Sennrich et al. 2016, as in tiktoken).
 * A heap of pairs makes it n log n on pieces of any length.
 */
export function createPieceEncoder(vocabulary: Vocabulary): PieceEncoder {
  const utf8 = new TextEncoder();
  const queue = new MinHeap();
  let bytes = new Uint8Array(0);
  // Parts are linked by their first byte: part i spans [i, end[i]), previous[i] is the part before it, and pair[i] the
  // rank of the pair of part i and the next, or -1.
  let end = new Int32Array(0), previous = new Int32Array(0), pair = new Int32Array(0);

  const write = (piece: string): number => {
    if (piece.length * 3 > bytes.length) {
      const size = Math.max(256, piece.length * 3);
      bytes = new Uint8Array(size);
      end = new Int32Array(size);
      previous = new Int32Array(size);
      pair = new Int32Array(size);
    }
    for (let i = 0; i < piece.length; i++) {
      const code = piece.charCodeAt(i);
      if (code > 127) return utf8.encodeInto(piece, bytes).written;
      bytes[i] = code;
    }
    return piece.length;
  };

  const propose = (left: number, n: number) => {
    const right = end[left] as number;
    const rank = right < n ? vocabulary.id(bytes, left, end[right] as number) : -1;
    pair[left] = rank;
    if (rank >= 0) queue.push(rank * PLACES + left);
  };

  const merge = (n: number) => {
    for (let i = 0; i < n; i++) {
      end[i] = i + 1;
      previous[i] = i - 1;
    }
    for (let i = 0; i < n; i++) propose(i, n);
    for (let least = queue.pop(); least !== undefined; least = queue.pop()) {
      const left = least % PLACES;
      if (pair[left] !== (least - left) / PLACES) continue; // one of the two has been merged since
      const middle = end[left] as number;
      const to = end[middle] as number;
      end[left] = to;
      pair[middle] = -1;
      if (to < n) previous[to] = left;
      propose(left, n);
      if (left > 0) propose(previous[left] as number, n);
    }
  };

  return {
    encode(piece, ids) {
      const n = write(piece);
      const whole = vocabulary.id(bytes, 0, n);
      if (whole >= 0) return void ids.push(whole);
      merge(n);
      for (let i = 0; i < n; i = end[i] as number) {
        const id = vocabulary.id(bytes, i, end[i] as number);
        if (id < 0) throw new RangeError(`The vocabulary has no token for byte ${bytes[i]}`);
        ids.push(id);
      }
    },
  };
}

/** A binary heap of numbers, the least on top. */
class MinHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = items[parent] as number;
      if (above <= item) break;
      items[i] = above;
      i = parent;
    }
    items[i] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] as number) < (items[child] as number)) child++;
      if ((items[child] as number) >= last) break;
      items[i] = items[child] as number;
      i = child;
    }
    items[i] = last;
    return top;
  }
}
