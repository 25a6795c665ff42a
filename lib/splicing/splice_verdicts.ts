/**
 * What a splice experiment shows, as far as its points can say.
 * @module
 */
import { FEWEST_CLUSTERS } from "../stats/cluster_mean.ts";
import { pairsForCorrelation } from "../stats/pearson.ts";
import { MARGIN, type Outcome, signed } from "./analyse_point.ts";
import type { MeanDifference, SpliceCorrelation } from "./point_summaries.ts";

/** One verdict; keys are those of the JSON. */
export interface SpliceVerdict {
  /** `anchors`, `controls`, `check`, `dose`. */
  readonly name: string;
  /** What is asked. */
  readonly question: string;
  /** How it came out. */
  readonly outcome: Outcome;
  /** Numbers and why, for people. */
  readonly reason: string;
  /** Problems (for `dose`: points) that would settle it if things stay as they are; null where settled or not known. */
  readonly n_needed: number | null;
}

/** Whether an effect is there: `pass` above 0, `fail` below the margin. */
export function effectVerdict(name: string, question: string, mean: MeanDifference | null): SpliceVerdict {
  if (mean === null) return open(name, question, "not sampled, or no answer could be read");
  const { estimate, interval95, clusters } = mean;
  if (interval95 === null) return open(name, question, few(mean), Math.max(FEWEST_CLUSTERS, clusters + 1));
  const [low, high] = interval95;
  const seen = seenOf(mean);
  if (low > 0) return { name, question, outcome: "pass", reason: `${seen}: above 0`, n_needed: null };
  if (high < MARGIN) {
    return { name, question, outcome: "fail", reason: `${seen}: below ${MARGIN}`, n_needed: null };
  }
  const n = problemsNeeded(clusters, (high - low) / 2, Math.max(estimate, MARGIN - estimate));
  return open(name, question, `${seen}: about ${n} problems like these would settle it`, n);
}

/** Whether rates are those that the deltas were made of: `pass` within the margin, `fail` outside. */
export function checkVerdict(name: string, question: string, mean: MeanDifference | null): SpliceVerdict {
  if (mean === null) return open(name, question, "not sampled, or no answer could be read");
  const { estimate, interval95, clusters } = mean;
  if (interval95 === null) return open(name, question, few(mean), Math.max(FEWEST_CLUSTERS, clusters + 1));
  const [low, high] = interval95;
  const seen = seenOf(mean);
  if (low > -MARGIN && high < MARGIN) {
    return { name, question, outcome: "pass", reason: `${seen}: within ${MARGIN} of 0`, n_needed: null };
  }
  if (low > MARGIN || high < -MARGIN) {
    return {
      name,
      question,
      outcome: "fail",
      reason: `${seen}: another model, prompt or sampling than the one the deltas were measured with`,
      n_needed: null,
    };
  }
  const n = problemsNeeded(clusters, (high - low) / 2, Math.abs(MARGIN - Math.abs(estimate)));
  return open(name, question, `${seen}: about ${n} problems like these would settle it`, n);
}

/** Whether larger deltas come with larger effects. */
export function doseVerdict(name: string, question: string, correlation: SpliceCorrelation): SpliceVerdict {
  const { r, n, interval95 } = correlation;
  if (n === 0) return open(name, question, "not sampled, or no answer could be read");
  if (r === null) {
    return open(name, question, `${n} sentences with an effect, of which one side does not vary`);
  }
  if (interval95 === null) {
    return open(name, question, `r ${signed(r)} of ${n} sentences, too few for an interval`, 4);
  }
  const seen = `r ${signed(r)} of ${n} sentences (95% interval ${interval95.map(signed).join(" to ")})`;
  if (interval95[0] > 0) {
    return { name, question, outcome: "pass", reason: `${seen}: above 0`, n_needed: null };
  }
  if (interval95[1] < 0) {
    return { name, question, outcome: "fail", reason: `${seen}: below 0`, n_needed: null };
  }
  const needed = pairsForCorrelation(r);
  return open(
    name,
    question,
    `${seen}: ${
      needed === null ? "no number of sentences" : `about ${needed} sentences`
    } would settle it at this r`,
    needed,
  );
}

function open(name: string, question: string, reason: string, n_needed: number | null = null): SpliceVerdict {
  return { name, question, outcome: "inconclusive", reason, n_needed };
}

function seenOf({ estimate, interval95, points, clusters }: MeanDifference): string {
  const interval = interval95 === null ? "" : ` (95% interval ${interval95.map(signed).join(" to ")})`;
  return `${signed(estimate)} on average${interval} over ${points} points of ${clusters} problems`;
}

function few(mean: MeanDifference): string {
  return `${seenOf(mean)}: fewer than ${FEWEST_CLUSTERS} problems say nothing about others`;
}

function problemsNeeded(clusters: number, half: number, distance: number): number {
  return Math.max(clusters + 1, Math.ceil(clusters * (half / Math.max(distance, 1e-3)) ** 2));
}
