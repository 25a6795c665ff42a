/**
 * What a user may choose of a Repeated Words run.
 * @module
 */
import { z } from "zod";
import { pairName, WORD_PAIRS } from "./repeated_words_pairs.ts";

/** The settings of a run; everything has a default. */
export const repeatedWordsConfigSchema = z.strictObject({
  /** The small grid: 5 counts x start, middle and end. */
  test: z.boolean().default(false),
  /** `base/modified`. */
  pair: z.string().default(pairName(WORD_PAIRS[0])),
  /** Several pairs separated by commas, or `all` that ship, each a run of its own; null for `pair` alone. */
  pairs: z.string().nullable().default(null),
  /** Numbers of words; null for the standard grid. */
  counts: z.array(z.number()).nullable().default(null),
  /** Places of the modified word in percent of the text; null for the standard grid. */
  positions: z.array(z.number()).nullable().default(null),
  /** Draws samples at a temperature above 0, and the resamples behind intervals. */
  seed: z.int().default(0),
  temperature: z.number().min(0).max(2).default(0),
  /** Tokens that a row may have beside twice its input, for models that reason before they answer. */
  reasoningTokens: z.int().min(0).max(10_000_000).default(0),
});

/** The settings of a run, checked and with defaults. */
export type RepeatedWordsConfig = z.output<typeof repeatedWordsConfigSchema>;
