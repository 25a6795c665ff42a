/**
 * `deno task repeated-words`: executes notebooks/repeated_words.ipynb headless.
 * @module
 */
import { repeatedWordsKind } from "../lib/context_rot/start_repeated_words.ts";
import { runExperimentTask } from "../lib/notebooks/run_experiment_task.ts";
import { REPEATED_WORDS_FLAGS } from "./repeated_words_flags.ts";

await runExperimentTask({
  kind: repeatedWordsKind,
  about: "Repeated words: has a text of one word, again and again, copied with the one other word in it.",
  flags: REPEATED_WORDS_FLAGS,
});
