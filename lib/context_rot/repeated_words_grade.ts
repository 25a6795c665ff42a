/**
 * What is said of a copy, from its measures.
 * @module
 */
import { noText } from "../runs/degenerate.ts";
import type { Verdict } from "./grade_rows.ts";
import type { CopyMetrics } from "./repeated_words_metrics.ts";

/**
 * A copy is right when it is the text, but for white space around it. It is degenerate when it is no text, goes round
 * something that is not made of the pair's words, or goes round and round, longer than the text, until the cap: the
 * text itself goes round in circles, and so does a good copy.
 */
export function copyVerdict(metrics: CopyMetrics, output: string): Verdict {
  const { exact, circles } = metrics;
  return {
    correct: exact,
    judge: "match",
    output: String(exact),
    broken(capped) {
      if (exact) return null;
      const none = noText(output);
      if (none !== null || circles === null) return none;
      const toTheCap = capped && metrics.wordCountDelta < 0;
      return metrics.circlesElsewhere || toTheCap
        ? `loop: ${circles}${toTheCap ? ", up to the cap" : ""}`
        : null;
    },
    refuses: metrics.refuses,
    extra: {
      levenshtein_score: rounded(metrics.levenshteinScore),
      levenshtein_score_cut: rounded(metrics.levenshteinScoreCut),
      modified_word_present: metrics.modifiedCount > 0,
      modified_word_count: metrics.modifiedCount,
      position_accuracy: metrics.positionOffset === 0,
      position_offset: metrics.positionOffset,
      word_count_delta: metrics.wordCountDelta,
      foreign_words: metrics.foreignWords,
      foreign_sample: metrics.foreignSample,
      runs: metrics.runs,
    },
  };
}

/** A score with as many digits as tell two texts of a million characters apart; 1 for equal texts alone. */
function rounded(score: number): number {
  return Number(score.toFixed(9));
}
