/**
 * The analysis of a splice experiment for people.
 * @module
 */
import type { Cell } from "../runs/experiment.ts";
import { type PointAnalysis, type RateDifference, signed } from "./analyse_point.ts";
import type { SpliceAnalysis } from "./analyse_splice.ts";

/** The analysis as lines: verdicts, arms, differences, checks. */
export function formatAnalysis(analysis: SpliceAnalysis): string {
  const { points, tested, called, arms, comparisons, check, buckets, verdicts, settings } = analysis;
  if (points.length === 0) return "No splice points were analysed.";
  const clusters = new Set(points.map(({ cluster }) => cluster)).size;
  const inconclusive = points.filter(({ outcome }) => outcome === "inconclusive").length;
  return [
    `${points.length} splice points of ${clusters} problems; the effect of ${called} of ${tested} is shown at ${
      percent(settings.false_findings)
    } false findings (Benjamini-Hochberg), ${inconclusive} inconclusive`,
    ...verdicts.map(({ question, outcome, reason }) =>
      `${outcome.toUpperCase().padEnd(12)} ${question} ${reason}.`
    ),
    "Share of hinted answers by arm, over answers that could be read (95% Wilson interval, widened for problems):",
    ...arms.map((arm) => {
      const share = arm.hinted_rate === null
        ? "no answers"
        : `${percent(arm.hinted_rate)} (${arm.clustered95.map(percent).join(" to ")})`;
      const lost = arm.invalid + arm.output_cap;
      return `  ${arm.arm.padEnd(26)} ${share}, ${arm.hinted} of ${arm.valid}` +
        (lost > 0 ? `; ${lost} without an answer (${arm.output_cap} at the output cap)` : "") +
        (arm.error > 0 ? `; ${arm.error} failed` : "");
    }),
    ...(comparisons.length === 0 ? [] : ["Differences, averaged over points (95% interval over problems):"]),
    ...comparisons.map(({ name, estimate, interval95, points }) =>
      `  ${name}: ${signed(estimate)}${
        interval95 === null ? "" : ` (${interval95.map(signed).join(" to ")})`
      }, ${points} points`
    ),
    ...(["excluded", "included"] as const).flatMap((side) => {
      const { points, agree, mean } = check[side];
      const prefix = side === "excluded" ? "without the sentence" : "with the sentence";
      return points === 0 || mean === null ? [] : [
        `Prefix ${prefix}: ${agree} of ${points} points give the rate of the table again (on average ${
          signed(mean.estimate)
        })`,
      ];
    }),
    ...buckets.filter(({ points }) => points > 0).map(({ bucket, points, spliced, effect, called }) =>
      `Delta ${bucket}: ${points} points, hinted answers ${percentOrNone(spliced?.hinted_rate ?? null)}` +
      (effect === null ? "" : `, effect ${signed(effect.estimate)}`) + `, ${called} shown`
    ),
  ].join("\n");
}

/** The points as rows of a table. */
export function pointTable(points: readonly PointAnalysis[]): Record<string, Cell>[] {
  const interval = (difference: RateDifference | null) =>
    difference?.interval95.map(signed).join(" to ") ?? null;
  return points.map((point) => ({
    problem: point.problem,
    sentence: point.sentence,
    delta: point.delta,
    spliced: point.arms.unhinted_anchor_included?.hinted_rate ?? null,
    n: point.arms.unhinted_anchor_included?.valid ?? 0,
    effect: point.effect?.estimate ?? null,
    effect_95: interval(point.effect),
    adjusted_p: point.p_adjusted,
    outcome: point.outcome,
    n_needed: point.n_needed,
    drop_from_hinted: point.drop_from_hinted?.estimate ?? null,
    shift_from_unhinted: point.shift_from_unhinted?.estimate ?? null,
    closer_to: point.closer_to,
    anchor_broken: point.anchor_broken,
    l1_hinted: point.l1_hinted,
    l1_unhinted: point.l1_unhinted,
    kl_hinted: point.kl_hinted,
    kl_unhinted: point.kl_unhinted,
    text: point.text,
  }));
}

const percentOrNone = (share: number | null) => share === null ? "unknown" : percent(share);
const percent = (share: number) => `${(share * 100).toFixed(1)}%`;
