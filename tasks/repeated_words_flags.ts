/**
 * The flags of Repeated Words alone.
 * @module
 */
import { type Flags, numberFlag, numbersFlag, textFlag } from "../lib/notebooks/task_flags.ts";

/** The flags of Repeated Words alone. */
export const REPEATED_WORDS_FLAGS: Flags = {
  pair: textFlag("A/B", "A again and again, B once among it (default apple/apples)"),
  pairs: textFlag("A/B,C/D", "several, each a run of its own; all for the seven that ship"),
  counts: numbersFlag("25,100", "numbers of words"),
  positions: numbersFlag("0,50,100", "places of the other word, in percent of the text"),
  seed: numberFlag("N", "draws samples above temperature 0, and intervals"),
  temperature: numberFlag("T", "0 (default) is greedy"),
  "reasoning-tokens": numberFlag("N", "added to the cap of twice the input, for models that reason first"),
};
