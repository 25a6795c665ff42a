/**
 * Repeated words as a kind of experiment: one for each pair of words.
 * @module
 */
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import { type PlannedRun, planRuns } from "../runs/plan_runs.ts";
import type { RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { createRepeatedWords, repeatedWordsName } from "./repeated_words.ts";
import { repeatedWordsConfigSchema } from "./repeated_words_config.ts";
import { pairName, parsePairs } from "./repeated_words_pairs.ts";

/** Repeated words, for tasks, notebooks and workflows. */
export const repeatedWordsKind: ExperimentKind = defineKind({
  name: "repeated-words",
  title: "Repeated words",
  short: "Repeated Words",
  config: repeatedWordsConfigSchema,
  compared: {
    unit: "words",
    place({ params }) {
      const { base_word, modified_word, word_count, position } = params;
      return {
        key: JSON.stringify([base_word, modified_word, word_count, position]),
        length: Number(word_count),
        condition: null,
        cluster: String(word_count), // texts of one count differ in a word's place alone
      };
    },
  },
  experiments: (config) =>
    parsePairs(config.pairs ?? config.pair).map((pair) => ({
      name: repeatedWordsName(pair),
      title: `Repeated words ${pairName(pair)}`,
      create: (options) => createRepeatedWords({ ...config, pair: pairName(pair), pairs: null }, options),
    })),
});

/** Plans the runs of all chosen pairs and variants, see {@linkcode planRuns}. @throws {InputError} */
export function planRepeatedWords(input: unknown): Promise<PlannedRun[]> {
  return planRuns(repeatedWordsKind, input);
}

/** Starts the runs of all chosen pairs and variants, see {@linkcode startRuns}. @throws {InputError} */
export function startRepeatedWords(input: unknown, options: StartOptions = {}): Promise<RunSequence> {
  return startRuns(repeatedWordsKind, input, options);
}
