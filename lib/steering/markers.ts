/**
 * Words that give a trait away: a score without a judge.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { sentencesOf } from "./style_score.ts";

/** Words and phrases of a trait and of its opposite; `/.../` is a regular expression. */
export interface Markers {
  /** Stand in answers with the trait. */
  readonly positive: readonly string[];
  /** Stand in answers without it. */
  readonly negative: readonly string[];
}

/** Counts markers in texts. */
export interface MarkerScorer {
  /**
   * 0..100: the share of sentences that hold a marker of the trait. Where the trait has markers of its opposite too, 50
   * is a text with as many sentences of one as of the other.
   */
  score(text: string): number;
  /** Sentences that hold a marker of the trait, that hold one of its opposite, and all. */
  count(text: string): { readonly positive: number; readonly negative: number; readonly sentences: number };
}

/**
 * Makes a scorer. Case does not count; words are found as whole words.
 *
 * @throws {InputError} for a regular expression that is none, and for an empty marker.
 */
export function markerScorer(markers: Markers): MarkerScorer {
  const [positive, negative] = [markers.positive, markers.negative].map((words) => words.map(pattern)) as [
    RegExp[],
    RegExp[],
  ];
  const count = (text: string) => {
    const sentences = sentencesOf(text);
    const holding = (patterns: readonly RegExp[]) =>
      sentences.filter((sentence) => patterns.some((regex) => regex.test(sentence))).length;
    return { positive: holding(positive), negative: holding(negative), sentences: sentences.length };
  };
  return {
    count,
    score(text) {
      const { positive: yes, negative: no, sentences } = count(text);
      if (negative.length === 0) return sentences === 0 ? 0 : 100 * yes / sentences;
      return sentences === 0 ? 50 : 50 * (1 + (yes - no) / sentences);
    },
  };
}

function pattern(marker: string): RegExp {
  const written = /^\/(.+)\/$/s.exec(marker)?.[1];
  const words = marker.trim().split(/\s+/).map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const [before, after] = [/^[\p{L}\p{N}]/u, /[\p{L}\p{N}]$/u].map((edge) => edge.test(marker.trim()));
  const source = written ??
    `${before ? "(?<![\\p{L}\\p{N}])" : ""}${words.join("\\s+")}${after ? "(?![\\p{L}\\p{N}])" : ""}`;
  if (marker.trim() === "") throw new InputError("A marker is empty: give a word, or leave it out.");
  try {
    return new RegExp(source, "imu");
  } catch (cause) {
    throw new InputError(`The marker ${marker} is no regular expression: ${(cause as Error).message}.`, {
      cause,
    });
  }
}

/** Times that a word stands in each set of texts. */
interface Counted {
  readonly word: string;
  readonly weight: number;
}

/**
 * Markers learned from texts with and without a trait: the words whose share of texts differs most, up to `most` on
 * each side. A word counts when it is in at least two texts and its log-odds are more than two standard errors from 0.
 */
export function learnMarkers(
  positive: readonly string[],
  negative: readonly string[],
  options: { readonly most?: number } = {},
): Markers {
  const { most = 20 } = options;
  const [yes, no] = [positive, negative].map(textsWith) as [Map<string, number>, Map<string, number>];
  const weights = [...new Set([...yes.keys(), ...no.keys()])].flatMap((word): Counted[] => {
    const [a, b] = [yes.get(word) ?? 0, no.get(word) ?? 0];
    if (a + b < 2) return [];
    const cells = [a + 0.5, positive.length - a + 0.5, b + 0.5, negative.length - b + 0.5] as const;
    const logOdds = Math.log(cells[0] / cells[1]) - Math.log(cells[2] / cells[3]);
    const error = Math.sqrt(cells.reduce((sum, cell) => sum + 1 / cell, 0));
    return Math.abs(logOdds) > 2 * error ? [{ word, weight: logOdds / error }] : [];
  });
  const strongest = (side: number) =>
    weights.filter(({ weight }) => weight * side > 0)
      .toSorted((a, b) => (b.weight - a.weight) * side || (a.word < b.word ? -1 : 1))
      .slice(0, most).map(({ word }) => word);
  return { positive: strongest(1), negative: strongest(-1) };
}

/** In how many texts each word stands. */
function textsWith(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}
