/**
 * How alike two texts are.
 * @module
 */
import { levenshtein } from "../base/levenshtein.ts";

/**
 * Likeness of two texts, 0..1: one less the edit distance (Levenshtein 1966) over the longer length, in UTF-16 units.
 * Texts are trimmed; two empty ones are alike. A bare label (`0`, `1`) against anything is 1 or 0.
 */
export function textSimilarity(a: string, b: string): number {
  const [one, two] = [a.trim(), b.trim()];
  if (one === two) return 1;
  if (isBare(one) || isBare(two)) return 0;
  return 1 - levenshtein(one, two) / Math.max(one.length, two.length);
}

const isBare = (text: string) => text === "0" || text === "1";
