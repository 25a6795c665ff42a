/**
 * The longest input a model still handles.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { betaDraw } from "./beta_draw.ts";
import { criticalZ, normalCdf } from "./normal.ts";

/** One graded row. */
export interface LengthRow {
  /** Input length in tokens. */
  readonly length: number;
  /** Whether it was answered right. */
  readonly correct: boolean;
}

/** When a length passes. */
export type EffectiveLengthRule =
  | { readonly name: string; readonly kind: "absolute"; readonly threshold: number }
  /** `share` of the model's own accuracy at its shortest lengths: those up to `baseUpTo` tokens, else the shortest alone. */
  | { readonly name: string; readonly kind: "relative"; readonly share: number; readonly baseUpTo?: number };

/** Accuracy of at least 85.6%, what Llama-2-7B reaches at 4k (Hsieh et al. 2024, RULER, arXiv 2404.06654). */
export const RULER_RULE: EffectiveLengthRule = { name: "RULER", kind: "absolute", threshold: 0.856 };

/** At least 85% of the model's own short-context base (Modarressi et al. 2025, NoLiMa, arXiv 2502.05167). */
export const NOLIMA_RULE: EffectiveLengthRule = { name: "NoLiMa", kind: "relative", share: 0.85 };

/** Options of {@linkcode effectiveLength}. */
export interface EffectiveLengthOptions {
  /** Source of the draws behind the interval. */
  readonly random: Random;
  /** Number of draws behind the interval, default 2000. */
  readonly resamples?: number;
  /** Confidence level, default 0.95. */
  readonly confidence?: number;
  /** What lengths are counted in, for the reason; `tokens` when left out. */
  readonly unit?: string;
}

/** The effective length under a rule. Lengths in the rows' own unit; null means below the shortest length tested. */
export interface EffectiveLength {
  /** The longest length that passes, with all shorter ones. */
  readonly length: number | null;
  /** Lower end of the interval. */
  readonly low: number | null;
  /** Upper end of the interval. */
  readonly high: number | null;
  /** Name of the rule. */
  readonly rule: string;
  /** The accuracy a length must reach, 0..1. */
  readonly threshold: number;
  /** Confidence level of the interval. */
  readonly confidence: number;
  /** The shortest length tested. */
  readonly shortest: number;
  /** The longest length tested. */
  readonly longest: number;
  /** Why it ends there, in one sentence: the first length that fails, or that none or all do. */
  readonly reason: string;
}

/**
 * The longest length tested such that accuracy there, and at every shorter length, passes the rule.
 *
 * The interval takes quantiles over draws of each length's accuracy from its Jeffreys posterior
 * Beta(right + 1/2, wrong + 1/2). A bootstrap of the rows would call 11 right of 11 certain; this does not.
 * When all lengths pass, the truth may be longer than anything tested (`length === longest`).
 *
 * @throws {InputError} when there are no rows, a length is not a positive number, or confidence is not a level.
 */
export function effectiveLength(
  rows: readonly LengthRow[],
  rule: EffectiveLengthRule,
  options: EffectiveLengthOptions,
): EffectiveLength {
  const { random, resamples = 2000, confidence = 0.95, unit = "tokens" } = options;
  const groups = groupByLength(rows);
  const shares = groups.map((group) => group.correct / group.n);
  const threshold = thresholdOf(rule, groups, shares);
  const passed = passing(rule, groups, shares);
  const draws = Array.from(
    { length: resamples },
    () => passing(rule, groups, groups.map((g) => betaDraw(g.correct + 0.5, g.n - g.correct + 0.5, random))),
  )
    .sort((a, b) => a - b);
  const tail = normalCdf(-criticalZ(confidence));
  const at = (index: number) => groups[index]?.length ?? null;
  const first = groups[0] as Group;
  const last = groups.at(-1) as Group;
  return {
    length: at(passed - 1),
    low: at(Math.min(passed, draws[Math.floor(tail * (resamples - 1))] as number) - 1),
    high: at(Math.max(passed, draws[Math.ceil((1 - tail) * (resamples - 1))] as number) - 1),
    rule: rule.name,
    threshold,
    confidence,
    shortest: first.length,
    longest: last.length,
    reason: reasonOf(groups, passed, threshold, unit),
  };
}

/** `5,000 tokens (95% interval 1,000 to 5,000)`, `at least ...` when the longest length passes, `below ...` when none does. */
export function formatEffectiveLength(result: EffectiveLength, unit = "tokens"): string {
  const say = (length: number | null) =>
    length === null
      ? `below ${result.shortest.toLocaleString("en-US")}`
      : `${length === result.longest ? "at least " : ""}${length.toLocaleString("en-US")}`;
  const level = `${Number((result.confidence * 100).toFixed(2))}%`;
  return `${say(result.length)} ${unit} (${level} interval ${say(result.low)} to ${say(result.high)})`;
}

interface Group {
  readonly length: number;
  correct: number;
  n: number;
}

function groupByLength(rows: readonly LengthRow[]): Group[] {
  const groups = new Map<number, Group>();
  for (const { length, correct } of rows) {
    if (!(length > 0 && Number.isFinite(length))) {
      throw new InputError(`Input length ${length}: a positive number of tokens was expected.`);
    }
    const group = groups.get(length) ?? { length, correct: 0, n: 0 };
    group.n++;
    if (correct) group.correct++;
    groups.set(length, group);
  }
  if (groups.size === 0) throw new InputError("An effective length needs at least one graded row, got none.");
  return [...groups.values()].sort((a, b) => a.length - b.length);
}

function thresholdOf(rule: EffectiveLengthRule, groups: readonly Group[], shares: readonly number[]): number {
  if (rule.kind === "absolute") return rule.threshold;
  const short = groups.filter((group, index) => index === 0 || group.length <= (rule.baseUpTo ?? 0));
  const rows = short.reduce((sum, group) => sum + group.n, 0);
  return rule.share * short.reduce((sum, group, index) => sum + group.n * (shares[index] as number), 0) /
    rows;
}

/** How many lengths, from the shortest on, pass. A length with nothing right never does. */
function passing(rule: EffectiveLengthRule, groups: readonly Group[], shares: readonly number[]): number {
  const threshold = thresholdOf(rule, groups, shares);
  const failed = shares.findIndex((share) => share === 0 || share < threshold - 1e-12);
  return failed === -1 ? groups.length : failed;
}

function reasonOf(groups: readonly Group[], passed: number, threshold: number, unit: string): string {
  const needed = `${(threshold * 100).toFixed(1)}%`;
  const failed = groups[passed];
  if (failed === undefined) return `every length tested reaches ${needed}`;
  const found = `${failed.correct} of ${failed.n} right at ${failed.length.toLocaleString("en-US")} ${unit}`;
  if (threshold === 0) return `no length passes: ${found}, so there is no accuracy to compare with`;
  return passed === 0 ? `no length passes: ${found}, ${needed} needed` : `${found}, ${needed} needed`;
}
