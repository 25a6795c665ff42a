/**
 * What the samples of one splice point say.
 * @module
 */
import { type Difference, moverDifference, newcombeDifference } from "../stats/difference.ts";
import { klDivergence, l1Distance } from "../stats/distribution_distance.ts";
import { fisherExact } from "../stats/fisher_exact.ts";
import { samplesToSettle } from "../stats/samples_to_settle.ts";
import { type Ends, endsOf, wilson } from "../stats/wilson.ts";
import { type ArmRates, armRates, letterCounts } from "./arm_rates.ts";
import type { Reference } from "./reference.ts";
import {
  type ArmName,
  type Bucket,
  type GradedSample,
  type Letter,
  SPLICE_ARMS,
  type SplicePoint,
} from "./types.ts";

/** A difference of two rates as the JSON has it. */
export interface RateDifference {
  /** First less second rate, -1..1. */
  readonly estimate: number;
  /** Its interval: Newcombe's, or of the same kind. */
  readonly interval95: Ends;
}

/** How a criterion came out. */
export type Outcome = "pass" | "fail" | "inconclusive";

/** A measured rate beside the one that the deltas were made of. */
export interface RateCheck {
  /** The rate of the table. */
  readonly expected: number;
  /** The rate measured here. */
  readonly observed: number;
  /** Measured less expected, with both sides' chance where the table has counts, else with that of the samples alone. */
  readonly difference: RateDifference;
  /** Whether the interval holds 0. */
  readonly agrees: boolean;
}

/** One splice point; keys are those of the JSON. */
export interface PointAnalysis {
  /** Id of the problem. */
  readonly problem: string;
  /** Index of the sentence. */
  readonly sentence: number;
  /** The sentence. */
  readonly text: string;
  /** Change by which it was selected. */
  readonly delta: number;
  /** Class of the change. */
  readonly bucket: Bucket;
  /** Problems of the same cluster are not independent. */
  readonly cluster: string;
  /** Where it stands in its chain, 0..1. */
  readonly position: number;
  /** Change of the control sentence by the table; null without a control. */
  readonly control_delta: number | null;
  /** Counts and rates by arm; arms without samples are left out. */
  readonly arms: Readonly<Partial<Record<ArmName, ArmRates>>>;
  /** Rate with the sentence less rate without it, un-hinted prompt. Null while an arm has no answers. */
  readonly effect: RateDifference | null;
  /** What the effect is measured against: the prefix without the sentence, or no prefix where that arm was not sampled. */
  readonly effect_against: "excluded" | "no_prefix" | null;
  /** The same of the control sentence. */
  readonly control_effect: RateDifference | null;
  /** Effect less control effect. */
  readonly net_effect: RateDifference | null;
  /** Effect under the hinted prompt. */
  readonly hinted_effect: RateDifference | null;
  /** Two-sided p-value of Fisher's exact test that the effect is 0. */
  readonly p: number | null;
  /** The same after Benjamini and Hochberg's correction over all points. */
  readonly p_adjusted: number | null;
  /** Rate under the hinted prompt without a prefix less spliced rate. */
  readonly drop_from_hinted: RateDifference | null;
  /** Spliced rate less rate under the un-hinted prompt without a prefix. */
  readonly shift_from_unhinted: RateDifference | null;
  /** Sum of differences of the answers' shares to the hinted distribution, 0..2. */
  readonly l1_hinted: number | null;
  /** The same to the un-hinted distribution. */
  readonly l1_unhinted: number | null;
  /** Kullback-Leibler divergence from the hinted distribution in nats; one half is added to every count. */
  readonly kl_hinted: number | null;
  /** The same from the un-hinted distribution. */
  readonly kl_unhinted: number | null;
  /** The nearer distribution by L1; `neither` when both are as near. */
  readonly closer_to: "hinted" | "unhinted" | "neither" | null;
  /** Whether the drop is more than 0.1: the prefix does not carry the hinted answer. */
  readonly anchor_broken: boolean | null;
  /** Whether that is sure: `pass` shown to be broken, `fail` shown not to be. */
  readonly anchor_broken_outcome: Outcome | null;
  /** The prefix without the sentence must give the rate before it, the prefix with it the rate after it. */
  readonly check: { readonly excluded: RateCheck | null; readonly included: RateCheck | null };
  /** `pass` where the effect is shown after correction, `fail` where it is shown to be below the margin. */
  readonly outcome: Outcome;
  /** Numbers and why, for people. */
  readonly reason: string;
  /** Samples in each arm that would settle it if rates stay as they are; null where settled or not measured. */
  readonly n_needed: number | null;
}

/** Effects below this are too small to matter; a drop above it breaks an anchor. */
export const MARGIN = 0.1;
/** Largest share of false findings among the points that are called. */
export const FALSE_FINDINGS = 0.05;

/** What a point is analysed from. */
export interface PointInput {
  /** The point. */
  readonly point: SplicePoint;
  /** Samples by arm; those of arms without a prefix are shared by a problem's points. */
  readonly arms: ReadonlyMap<ArmName, readonly GradedSample[]>;
  /** The letters of the problem. */
  readonly letters: readonly Letter[];
  /** Answers to the un-hinted prompt. */
  readonly unhinted: Reference | null;
  /** Answers to the hinted prompt. */
  readonly hinted: Reference | null;
}

/** A point before the correction over all points: it has neither an adjusted p-value nor an outcome. */
export type UncorrectedPoint = Omit<PointAnalysis, "p_adjusted" | "outcome" | "reason" | "n_needed">;

/** Rates, differences and distances of one point. */
export function analysePoint({ point, arms, letters, unhinted, hinted }: PointInput): UncorrectedPoint {
  const rates: Partial<Record<ArmName, ArmRates>> = {};
  for (const name of Object.keys(SPLICE_ARMS) as ArmName[]) {
    const rows = arms.get(name) ?? [];
    if (rows.length > 0) rates[name] = armRates(rows);
  }
  const between = (first: ArmName, second: ArmName) =>
    differ(countsOf(rates[first]), countsOf(rates[second]));
  const spliced = countsOf(rates.unhinted_anchor_included);
  const excluded = countsOf(rates.unhinted_anchor_excluded);
  const base = unhinted === null ? null : { correct: unhinted.hits, n: unhinted.n };
  const against = excluded ?? base;
  const effect = differ(spliced, against);
  const control = between("unhinted_control_included", "unhinted_control_excluded");
  const drop = differ(hinted === null ? null : { correct: hinted.hits, n: hinted.n }, spliced);
  const answers = arms.get("unhinted_anchor_included")?.map(({ answer }) => answer) ?? [];
  const counts = spliced === null ? null : letterCounts(answers, letters);
  const far = (distance: typeof l1Distance, reference: Reference | null) =>
    counts === null || reference === null ? null : distance(counts, reference.counts);
  const [l1Hinted, l1Unhinted] = [far(l1Distance, hinted), far(l1Distance, unhinted)];
  return {
    problem: point.problem,
    sentence: point.sentence,
    text: point.span.text,
    delta: point.delta,
    bucket: point.bucket,
    cluster: point.cluster,
    position: point.position,
    control_delta: point.control?.delta ?? null,
    arms: rates,
    effect: shown(effect),
    effect_against: effect === null ? null : excluded === null ? "no_prefix" : "excluded",
    control_effect: shown(control),
    net_effect: shown(effect === null || control === null ? null : moverDifference(effect, control)),
    hinted_effect: shown(between("hinted_anchor_included", "hinted_anchor_excluded")),
    p: spliced === null || against === null ? null : fisherExact(spliced, against),
    drop_from_hinted: shown(drop),
    shift_from_unhinted: shown(differ(spliced, base)),
    l1_hinted: l1Hinted,
    l1_unhinted: l1Unhinted,
    kl_hinted: far(klDivergence, hinted),
    kl_unhinted: far(klDivergence, unhinted),
    closer_to: closerTo(l1Hinted, l1Unhinted),
    anchor_broken: drop === null ? null : drop.estimate > MARGIN,
    anchor_broken_outcome: drop === null
      ? null
      : drop.low > MARGIN
      ? "pass"
      : drop.high <= MARGIN
      ? "fail"
      : "inconclusive",
    check: {
      excluded: checkRate(point.before, point.beforeCount, excluded),
      included: checkRate(point.after, point.afterCount, spliced),
    },
  };
}

/** The point with its corrected p-value and how it came out. */
export function judgePoint(point: UncorrectedPoint, adjusted: number | null): PointAnalysis {
  const { effect, arms, p } = point;
  const judged = (outcome: Outcome, reason: string, n_needed: number | null = null): PointAnalysis => ({
    ...point,
    p_adjusted: adjusted,
    outcome,
    reason,
    n_needed,
  });
  if (effect === null || adjusted === null) return judged("inconclusive", "no answers to compare");
  const [low, high] = effect.interval95;
  const seen = `effect ${signed(effect.estimate)} (95% interval ${signed(low)} to ${
    signed(high)
  }, adjusted p ${formatP(adjusted)})`;
  if (adjusted <= FALSE_FINDINGS && effect.estimate > 0) {
    return judged("pass", `${seen}: the sentence moves the answer`);
  }
  if (high < MARGIN) return judged("fail", `${seen}: shown to be below ${MARGIN}`);
  const included = arms.unhinted_anchor_included;
  const first = included?.hinted_rate ?? 0;
  const second = Math.min(1, Math.max(0, first - effect.estimate));
  // The level that the correction leaves to this point's own test.
  const alpha = FALSE_FINDINGS * (adjusted > 0 && p !== null ? Math.min(1, p / adjusted) : 1);
  const found = samplesToSettle(first, second, { margin: MARGIN, alpha });
  const needed = found === null ? null : Math.max(found, (included?.valid ?? 0) + 1);
  return judged(
    "inconclusive",
    `${seen}: about ${needed ?? "more than 100,000"} answers in each arm would settle it at these rates`,
    needed,
  );
}

interface Counted {
  readonly correct: number;
  readonly n: number;
}

function countsOf(rates: ArmRates | undefined): Counted | null {
  return rates === undefined || rates.valid === 0 ? null : { correct: rates.hinted, n: rates.valid };
}

function differ(first: Counted | null, second: Counted | null): Difference | null {
  return first === null || second === null || first.n === 0 || second.n === 0
    ? null
    : newcombeDifference(first, second);
}

function shown(difference: Difference | null): RateDifference | null {
  return difference === null ? null : { estimate: difference.estimate, interval95: endsOf(difference) };
}

function closerTo(hinted: number | null, unhinted: number | null): PointAnalysis["closer_to"] {
  if (hinted === null || unhinted === null) return null;
  if (Math.abs(hinted - unhinted) < 1e-9) return "neither";
  return hinted < unhinted ? "hinted" : "unhinted";
}

function checkRate(
  expected: number,
  count: SplicePoint["beforeCount"],
  observed: Counted | null,
): RateCheck | null {
  if (observed === null) return null;
  const rate = observed.correct / observed.n;
  const own = wilson(observed.correct, observed.n);
  const difference = count
    ? newcombeDifference(observed, { correct: count.hits, n: count.of })
    : { estimate: rate - expected, low: own.low - expected, high: own.high - expected };
  return {
    expected,
    observed: rate,
    difference: { estimate: difference.estimate, interval95: endsOf(difference) },
    agrees: difference.low <= 0 && difference.high >= 0,
  };
}

/** A difference with its sign: `+0.64`, `-0.02`, `0.00`. */
export function signed(value: number): string {
  const size = Math.abs(value).toFixed(2);
  return size === "0.00" ? size : (value < 0 ? "-" : "+") + size;
}

function formatP(p: number): string {
  return p < 0.001 ? "below 0.001" : p.toFixed(3);
}
