/**
 * How alike two texts are.
 * @module
 */
import { distance } from "fastest-levenshtein";

/** Characters of a text that are compared: its beginning. */
export const COMPARED_CHARS = 20_000;

/**
 * Likeness of two texts, 0..1: one less the edit distance (Levenshtein 1966) over the longer length, in UTF-16 units.
 * Texts are trimmed; two empty ones are alike. A bare label (`0`, `1`) against anything is 1 or 0.
 */
export function textSimilarity(a: string, b: string): number {
  const [one, two] = [a.trim().slice(0, COMPARED_CHARS), b.trim().slice(0, COMPARED_CHARS)];
  if (one === two) return 1;
  if (isBare(one) || isBare(two)) return 0;
  return 1 - distance(one, two) / Math.max(one.length, two.length);
}

const isBare = (text: string) => text === "0" || text === "1";
