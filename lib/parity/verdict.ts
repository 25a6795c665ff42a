/**
 * Whether two backends serve the same model, as far as the rows can say.
 * @module
 */
import type { Drift } from "./drift.ts";
import { DIFFERS_BELOW, type NoiseFloor } from "./noise_floor.ts";
import { sampleSizeFor } from "../stats/sample_size.ts";
import type { MeanStatistics, PairStatistics, SideStatistics } from "./pair_statistics.ts";

/** Share of likeness of answers that is wanted. */
export const SIMILARITY_CRITERION = 0.8;
/** "About 100%" of answers parsed: at least this share. */
export const PARSE_CRITERION = 0.99;

/** How one criterion or the whole came out. */
export type Outcome = "pass" | "fail" | "inconclusive";

/** One criterion. */
export interface CriterionResult {
  /** `agreement`, `similarity`, `parsed`, `same_prompt`. */
  readonly name: string;
  /** `not measured` criteria do not count. */
  readonly outcome: Outcome | "not measured";
  /** Numbers and why, for people. */
  readonly reason: string;
}

/** The verdict with its reasons; keys are those of the JSON. */
export interface Verdict {
  /** How the whole came out. */
  readonly outcome: Outcome;
  /** One sentence for people. */
  readonly reason: string;
  /** Every criterion, in the order of the rule. */
  readonly criteria: readonly CriterionResult[];
  /** Rows at which the agreement seen would show the criterion; null when no number of rows would. */
  readonly n_needed: number | null;
  /** Whether A/B differs from the A/A noise floor; null without a second pass. Says nothing about the criteria. */
  readonly differs_from_noise_floor: boolean | null;
}

/** What a verdict is made from. */
export interface VerdictInput {
  /** The pairs' statistics. */
  readonly statistics: PairStatistics;
  /** A/A and tests against it; null where there was one pass. */
  readonly floor: NoiseFloor | null;
  /** What differs, and why; null where only labels are known. */
  readonly drift: Drift | null;
}

/**
 * The rule. Each criterion has three ways to come out; the whole fails when one fails, else is inconclusive when one is,
 * else passes.
 *
 * 1. **agreement** (rows both parsed; criterion 95%): pass when the lower end of Wilson's 95% interval is at the criterion
 *    or above; fail when the upper end is below it; else inconclusive, with the rows needed.
 * 2. **similarity** of answers (criterion 80%): the same with the interval of the mean.
 * 3. **parsed**, each backend ("about 100%"): pass at 99% or more; fail when the upper end of Wilson's interval is below
 *    99%; else inconclusive.
 * 4. **same prompt**: fail when it is certain that a backend read another prompt (another template, or a cut one).
 *
 * A failed `parsed` is inconclusive instead when neither backend gives enough labels to judge agreement (73) and no
 * test tells the backends apart: that is the model or the policy, and says nothing about the backends.
 *
 * A failed agreement or similarity is inconclusive instead when the backends cannot be told apart (no test against
 * the A/A floor is below 1%) and one of them does not reach the criterion against itself: their own noise hides the answer.
 *
 * That A/B differs from the noise floor is said beside the verdict and does not change it: two backends may differ
 * measurably and yet agree on well over 95% of labels.
 */
export function verdictOf({ statistics, floor, drift }: VerdictInput): Verdict {
  const criteria = [
    agreement(statistics, floor),
    similarity(statistics, floor),
    ...statistics.sides.map((side) => parsed(side, statistics, floor)),
    samePrompt(drift),
  ];
  const found = (outcome: Outcome) => criteria.filter((criterion) => criterion.outcome === outcome);
  const outcome = found("fail").length > 0
    ? "fail"
    : found("inconclusive").length > 0
    ? "inconclusive"
    : "pass";
  const causes = outcome === "fail" ? drift?.causes ?? [] : [];
  const [cause] = causes;
  const because = cause === undefined ? "" : ` Cause (${cause.certainty}): ${cause.cause}.`;
  return {
    outcome,
    reason: found(outcome).map(({ reason }) => reason).join("; ") + "." + because,
    criteria,
    n_needed: statistics.both_parsed.n_needed,
    differs_from_noise_floor: floor?.differs ?? null,
  };
}

function agreement({ both_parsed, criterion }: PairStatistics, floor: NoiseFloor | null): CriterionResult {
  const { n, n11, n00, wilson95, agreement, n_needed } = both_parsed;
  const name = "agreement";
  if (agreement === null) {
    return {
      name,
      outcome: "inconclusive",
      reason: "no row was parsed on both sides, so no labels can be compared",
    };
  }
  const seen = `${n11 + n00} of ${n} labels agree (${percent(agreement)}, ${interval(wilson95)})`;
  const outcome = byInterval(wilson95, criterion);
  if (outcome === "pass") {
    return { name, outcome, reason: `${seen}, shown to be at least ${percent(criterion)}` };
  }
  if (outcome === "fail") {
    const own = floor === null ? [] : [floor.first, floor.second].map(({ label }) => label.share ?? 1);
    return hidden(floor, own, criterion)
      ? { name, outcome: "inconclusive", reason: `${seen}, but ${noise(own)}` }
      : { name, outcome, reason: `${seen}, shown to be below ${percent(criterion)}` };
  }
  const needed = n_needed === null
    ? `no number of rows with this agreement would show ${percent(criterion)}`
    : `${n_needed} rows with this agreement would show ${percent(criterion)}`;
  return { name, outcome, reason: `${seen}; ${needed}` };
}

function similarity(statistics: PairStatistics, floor: NoiseFloor | null): CriterionResult {
  const name = "similarity";
  const found = statistics.response_similarity;
  if (found === null || found.mean === null) {
    return { name, outcome: "not measured", reason: "likeness of answers is not known" };
  }
  const seen = `answers are ${percent(found.mean)} alike (${found.n} rows${
    found.mean95 === null ? "" : `, ${interval(found.mean95)}`
  })`;
  const outcome = found.mean95 === null ? "inconclusive" : byInterval(found.mean95, SIMILARITY_CRITERION);
  if (outcome !== "fail") return { name, outcome, reason: seen };
  const own = floor === null
    ? []
    : [floor.first, floor.second].map((self) => meanOf(self.response_similarity));
  return hidden(floor, own, SIMILARITY_CRITERION)
    ? { name, outcome: "inconclusive", reason: `${seen}, but ${noise(own)}` }
    : { name, outcome, reason: `${seen}, shown to be below ${percent(SIMILARITY_CRITERION)}` };
}

function parsed(
  { name: side, parsed: { count, n, share, wilson95 } }: SideStatistics,
  { both_parsed, criterion, sides }: PairStatistics,
  floor: NoiseFloor | null,
): CriterionResult {
  const name = `parsed ${side}`;
  if (share === null) return { name, outcome: "inconclusive", reason: `${side} answered no row` };
  const reason = `${count} of ${n} answers of ${side} hold a label (${percent(share)}, ${
    interval(wilson95)
  })`;
  if (share >= PARSE_CRITERION) return { name, outcome: "pass", reason };
  if (wilson95[1] >= PARSE_CRITERION) return { name, outcome: "inconclusive", reason };
  const few = both_parsed.n < (sampleSizeFor(1, { criterion }) as number);
  const both = sides.every(({ parsed }) => parsed.wilson95[1] < PARSE_CRITERION);
  return few && both && floor !== null && !floor.differs
    ? {
      name,
      outcome: "inconclusive",
      reason: `${reason}, too few to compare, and nothing tells the backends apart`,
    }
    : { name, outcome: "fail", reason };
}

function samePrompt(drift: Drift | null): CriterionResult {
  const name = "same_prompt";
  if (drift === null || drift.prompt_tokens.compared === 0 && drift.rendered_prompt === null) {
    return { name, outcome: "not measured", reason: "prompts as the backends read them are not known" };
  }
  const certain = drift.causes.find(({ cause, certainty }) =>
    certainty === "certain" && (cause === "template" || cause === "truncation")
  );
  return certain === undefined
    ? { name, outcome: "pass", reason: "nothing shows that the backends read different prompts" }
    : { name, outcome: "fail", reason: `the backends did not read the same prompt: ${certain.evidence}` };
}

/** Whether noise of their own can explain why two backends that cannot be told apart miss a criterion. */
function hidden(floor: NoiseFloor | null, own: readonly number[], criterion: number): boolean {
  return floor !== null && !floor.differs && own.some((share) => share < criterion);
}

function noise(own: readonly number[]): string {
  return `the backends differ no more from each other than from themselves (${
    own.map(percent).join(" and ")
  } alike in two passes; no test below ${DIFFERS_BELOW}): ask with temperature 0`;
}

function byInterval([low, high]: readonly [number, number], criterion: number): Outcome {
  return low >= criterion ? "pass" : high < criterion ? "fail" : "inconclusive";
}

const meanOf = (found: MeanStatistics | null) => found?.mean ?? 1;
const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
const interval = ([low, high]: readonly [number, number]) =>
  `95% interval ${percent(Math.max(0, low))} to ${percent(Math.min(1, high))}`;
