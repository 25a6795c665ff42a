/**
 * Byte-pair merging in n log n, for pieces of text too long for a quadratic merge.
 * @module
 */

/** A vocabulary by rank: the text of each token, or its bytes where they are no text. Holes are unused ranks. */
export type RankTable = readonly (string | readonly number[] | undefined)[];

const rankMaps = new WeakMap<RankTable, Map<string, number>>();

/** Ranks by the token's bytes, each byte one char. */
function rankMap(table: RankTable): Map<string, number> {
  let map = rankMaps.get(table);
  if (map) return map;
  map = new Map();
  const encoder = new TextEncoder();
  table.forEach((token, rank) => {
    if (token !== undefined) {
      map!.set(byteString(typeof token === "string" ? encoder.encode(token) : token), rank);
    }
  });
  rankMaps.set(table, map);
  return map;
}

function byteString(bytes: ArrayLike<number>): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/**
 * Token ids of one piece of text (what the split pattern gave) by byte-pair encoding: the adjacent pair of the lowest
 * rank is merged first, the leftmost of equals. A heap of candidate pairs makes it n log n. The same ids as the plain
 * algorithm (Sennrich et al. 2016, as in tiktoken).
 *
 * @throws {RangeError} when a byte is not in the vocabulary.
 */
export function encodeLongPiece(piece: string, table: RankTable): number[] {
  const ranks = rankMap(table);
  const bytes = byteString(new TextEncoder().encode(piece));
  const n = bytes.length;
  const whole = ranks.get(bytes);
  if (whole !== undefined) return [whole];
  // Parts are linked by their first byte: part i spans [i, end[i]); previous[i] is the part before it.
  const end = new Int32Array(n).map((_, i) => i + 1);
  const previous = new Int32Array(n).map((_, i) => i - 1);
  const alive = new Uint8Array(n).fill(1);
  const heap = new PairHeap();
  const propose = (left: number) => {
    const right = end[left] as number;
    if (left < 0 || right >= n) return;
    const rank = ranks.get(bytes.slice(left, end[right]));
    if (rank !== undefined) heap.push(rank, left, end[right] as number);
  };
  for (let i = 0; i + 1 < n; i++) propose(i);
  for (let pair = heap.pop(); pair; pair = heap.pop()) {
    const { left, right: to } = pair;
    const middle = end[left] as number;
    // A pair is stale when one of its parts has been merged since.
    if (!alive[left] || middle >= to || end[middle] !== to) continue;
    end[left] = to;
    alive[middle] = 0;
    if (to < n) previous[to] = left;
    propose(left);
    if ((previous[left] as number) >= 0) propose(previous[left] as number);
  }
  const ids: number[] = [];
  for (let i = 0; i < n; i = end[i] as number) {
    const id = ranks.get(bytes.slice(i, end[i]));
    if (id === undefined) throw new RangeError(`The vocabulary has no token for byte ${bytes.charCodeAt(i)}`);
    ids.push(id);
  }
  return ids;
}

interface Pair {
  readonly rank: number;
  readonly left: number;
  readonly right: number;
}

/** A binary min-heap of pairs by rank, then by place. */
class PairHeap {
  readonly #items: Pair[] = [];

  push(rank: number, left: number, right: number): void {
    const items = this.#items;
    const item = { rank, left, right };
    let i = items.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(item, items[parent] as Pair)) break;
      items[i] = items[parent] as Pair;
      i = parent;
    }
    items[i] = item;
  }

  pop(): Pair | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as Pair, items[child] as Pair)) child++;
      if (!before(items[child] as Pair, last)) break;
      items[i] = items[child] as Pair;
      i = child;
    }
    items[i] = last;
    return top;
  }
}

function before(a: Pair, b: Pair): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.left < b.left);
}
