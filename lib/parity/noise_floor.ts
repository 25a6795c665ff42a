/**
 * How much each backend differs from itself, and whether two backends differ by more.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { equalityKernel, hammingKernel, type MmdTest, mmdTest } from "../stats/mmd.ts";
import { type Answer, sameText } from "./answer.ts";
import {
  type MeanStatistics,
  meanStatistics,
  type ShareStatistics,
  shareStatistics,
} from "./pair_statistics.ts";
import { textSimilarity } from "./similarity.ts";

/** Below this p-value two backends are said to differ. */
export const DIFFERS_BELOW = 0.01;

/** Characters of a completion that the Hamming kernel compares. */
export const HAMMING_CHARS = 1000;

/** One item with all its answers, one of each pass. */
export interface RepeatedItem {
  /** Of the first backend. */
  readonly first: readonly Answer[];
  /** Of the second backend. */
  readonly second: readonly Answer[];
}

/** What one backend's second pass says about its first. */
export interface SelfAgreement {
  /** Items with the same outcome (0, 1, unparsed) in both passes. */
  readonly label: ShareStatistics;
  /** Items with the same text, reasoning included. */
  readonly text: ShareStatistics;
  /** Likeness of the answers of both passes. */
  readonly response_similarity: MeanStatistics | null;
}

/** Backends against themselves and each other; keys are those of the JSON. */
export interface NoiseFloor {
  /** Items that both backends answered in two passes or more. */
  readonly items: number;
  /** The first backend against itself. */
  readonly first: SelfAgreement;
  /** The second backend against itself. */
  readonly second: SelfAgreement;
  /** The first passes of both against each other, on the same items. */
  readonly across: SelfAgreement;
  /** Whether outcomes differ across backends by more than within: permutation test, samples of an item exchanged. */
  readonly labels: MmdTest;
  /** The same of whole completions, with the Hamming kernel over their characters. */
  readonly completions: MmdTest;
  /** McNemar's exact p that one backend's outcomes differ from its own more often than the other's. */
  readonly label_noise_p: number;
  /** The same of whole texts. */
  readonly text_noise_p: number;
  /** Whether labels or completions differ at the 1% level: by more than the floor, or in how much they vary. */
  readonly differs: boolean;
  /** Which tests say so. */
  readonly differs_by: readonly string[];
}

/**
 * The noise floor: each backend's first two passes against each other, and tests of A/B against it. Null when no item
 * has two passes of both.
 */
export function noiseFloor(
  items: readonly RepeatedItem[],
  options: { readonly seed: number; readonly permutations?: number },
): NoiseFloor | null {
  const { seed, permutations = 999 } = options;
  const repeated = items.filter(({ first, second }) => first.length > 1 && second.length > 1);
  if (repeated.length === 0) return null;
  const pairs = repeated.map(({ first, second }) => ({
    first: [first[0], first[1]] as [Answer, Answer],
    second: [second[0], second[1]] as [Answer, Answer],
    across: [first[0], second[0]] as [Answer, Answer],
  }));
  const random = createRandom(`noise floor/${seed}`);
  const outcome = ({ label }: Answer) => label ?? 2;
  const labels = mmdTest(
    repeated.map(({ first, second }) => ({ first: first.map(outcome), second: second.map(outcome) })),
    { kernel: equalityKernel, random, permutations },
  );
  const longest = Math.max(
    1,
    ...repeated.flatMap(({ first, second }) => [...first, ...second])
      .map((answer) => completion(answer).length),
  );
  const completions = mmdTest(
    repeated.map(({ first, second }) => ({ first: first.map(completion), second: second.map(completion) })),
    { kernel: hammingKernel(Math.min(HAMMING_CHARS, longest)), random, permutations },
  );
  const noise = (same: (a: Answer, b: Answer) => boolean) => {
    const moved = pairs.map(({ first, second }) => [!same(...first), !same(...second)] as const);
    return mcnemarExact(
      moved.filter(([one, two]) => one && !two).length,
      moved.filter(([one, two]) => !one && two).length,
    );
  };
  const label_noise_p = noise((a, b) => outcome(a) === outcome(b));
  const text_noise_p = noise(sameText);
  const tests: readonly [string, number | null][] = [
    ["labels differ by more than the noise floor", labels.p],
    ["completions differ by more than the noise floor", completions.p],
    ["one backend's labels vary more than the other's", label_noise_p],
    ["one backend's texts vary more than the other's", text_noise_p],
  ];
  const differs_by = tests.flatMap(([name, p]) => p !== null && p < DIFFERS_BELOW ? [name] : []);
  return {
    items: repeated.length,
    first: selfAgreement(pairs.map(({ first }) => first)),
    second: selfAgreement(pairs.map(({ second }) => second)),
    across: selfAgreement(pairs.map(({ across }) => across)),
    labels,
    completions,
    label_noise_p,
    text_noise_p,
    differs: differs_by.length > 0,
    differs_by,
  };
}

function selfAgreement(pairs: readonly (readonly [Answer, Answer])[]): SelfAgreement {
  const count = (same: (a: Answer, b: Answer) => boolean) => pairs.filter((pair) => same(...pair)).length;
  return {
    label: shareStatistics(count((a, b) => a.label === b.label), pairs.length),
    text: shareStatistics(count(sameText), pairs.length),
    response_similarity: meanStatistics(pairs.map(([a, b]) => textSimilarity(a.response, b.response))),
  };
}

/** What a completion is compared by: reasoning and answer, character by character. */
function completion({ reasoning, response }: Answer): string[] {
  return [...`${reasoning === null ? "" : `${reasoning}\n`}${response}`.slice(0, 2 * HAMMING_CHARS)]
    .slice(0, HAMMING_CHARS);
}
