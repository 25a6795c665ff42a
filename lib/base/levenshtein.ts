/**
 * Edit distance of long texts.
 * @module
 */
import { blockDistances } from "./levenshtein_blocks.ts";
import { diagonalDistance } from "./levenshtein_diagonals.ts";

/**
 * The least number of insertions, deletions and substitutions of UTF-16 code units (as of fastest-levenshtein) that
 * turn one text into the other. Texts that are nearly alike, or alike but for a missing or an added end, take linear
 * time; any others `a.length * b.length / 256` short steps.
 */
export function levenshtein(a: string, b: string): number {
  return levenshteinPrefixes(a, b, [b.length])[0] as number;
}

/**
 * The distances of a text to several beginnings of another one, in about the time of the longest.
 *
 * @param ends the lengths of the beginnings, each at most `b.length`
 * @returns one distance for each end, in their order
 */
export function levenshteinPrefixes(a: string, b: string, ends: readonly number[]): number[] {
  const [pattern, text] = [unitsOf(a), unitsOf(b)];
  const cores = new Map(ends.map((end) => [end, trim(pattern, text.subarray(0, end))]));
  const found = new Map<number, number>();
  for (const [end, [x, y]] of cores) {
    const distance = diagonalDistance(x, y);
    if (distance !== null) found.set(end, distance);
  }
  const open = [...cores.keys()].filter((end) => !found.has(end));
  if (open.length > 1) {
    blockDistances(pattern, text, open).forEach((distance, i) => found.set(open[i] as number, distance));
  } else {
    for (const end of open) {
      const [short, long] = (cores.get(end) as Core).toSorted((x, y) => x.length - y.length) as [...Core];
      found.set(end, blockDistances(long, short, [short.length])[0] as number);
    }
  }
  return ends.map((end) => found.get(end) as number);
}

/** Two texts without what they have in common at both ends. */
type Core = readonly [Uint16Array, Uint16Array];

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return units;
}

function trim(a: Uint16Array, b: Uint16Array): Core {
  let from = 0, aTo = a.length, bTo = b.length;
  while (from < aTo && from < bTo && a[from] === b[from]) from++;
  while (aTo > from && bTo > from && a[aTo - 1] === b[bTo - 1]) aTo--, bTo--;
  return [a.subarray(from, aTo), b.subarray(from, bTo)];
}
