/**
 * What the evaluation of a style's vectors found: the chosen strength, its controls with paired tests, the figure.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { doseResponse, type DoseSeries } from "../figures/dose_response.ts";
import { signed } from "../figures/steering_heatmap.ts";
import type { Report } from "../runs/experiment.ts";
import { type PairedMean, pairedMean } from "../stats/paired_mean.ts";
import { wilson } from "../stats/wilson.ts";
import { type CoherenceScale, saladGap, SMALLEST_GAP } from "./coherence.ts";
import { adjusted, breaksAt, dosePoint, percent, promptedLevels, pText } from "./dose_report.ts";
import type { FactoryMaterial } from "./factory_experiment.ts";
import type { FactoryConfig } from "./factory_config.ts";
import {
  chooseStrength,
  type FactoryAnswer,
  type FactoryPoint,
  isCoherent,
  pairedDifferences,
} from "./factory_points.ts";
import type { FactoryArm } from "./factory_rows.ts";
import type { StylePairs } from "./factory_vectors.ts";
import type { KvStrength } from "./kv_vectors.ts";
import type { Style } from "./style.ts";

/** What a report is about. */
export interface FactoryAbout {
  /** The style. */
  readonly style: Style;
  /** The settings. */
  readonly config: FactoryConfig;
  /** The variant that was steered. */
  readonly variant: string;
  /** What likelihood was held against. */
  readonly scale: CoherenceScale | null;
}

const FORMS: Readonly<Record<FactoryConfig["form"], string>> = {
  answers: "at the end of answers in the style and plain ones",
  examples: "behind worked examples in the style and plain ones",
  instructions: "behind the style's prompt and the neutral one",
};

/** Lines for people about the vectors, before there are any. */
export function factoryNotes(
  { style, config, from }: FactoryMaterial,
  pairs: StylePairs | null,
  target: Variant,
): string[] {
  return [
    `style: ${style.name} (${style.description})`,
    pairs === null
      ? `pairs: to be made by ${config.teacher} first (deno task steering-vectors --plan says what that takes)`
      : `pairs: ${pairs.pairs.length} ${pairs.source}` +
        (pairs.duplicates > 0 ? `, ${pairs.duplicates} duplicates left out` : ""),
    `vectors: keys ${
      config.rawKeys ? "as cached" : "without positions"
    } and values, read from ${from.name} ` +
    `${FORMS[config.form]} at token ${config.token}, layers ${config.layers ?? "of the default"}` +
    (from.name === target.name ? "" : `; added to ${target.name}`),
  ];
}

/** One paired comparison on the questions held out from the choice. */
interface Comparison {
  readonly label: string;
  readonly unit: "points" | "share right";
  readonly difference: PairedMean;
  readonly adjustedP: number | null;
}

/** The report of a style's vectors. */
export async function factoryReport(points: readonly FactoryPoint[], about: FactoryAbout): Promise<Report> {
  const { style, config, variant, scale } = about;
  const chosen = chooseStrength(points, config.coherentShare);
  const comparisons = compare(points, chosen?.strength ?? null, config.seed);
  const zero = zeroCheck(points);
  const breaks = breaksAt(
    points.filter(({ arm }) => arm === "steered"),
    cv,
    (point) => isCoherent(point, config.coherentShare),
  );
  const how = scoredBy(points);
  const title = `${style.name}, ${variant}`;
  const rights = accuracies(points, chosen?.strength ?? null);
  const summary = [
    `${title}: vectors for the cache, keys ${
      config.rawKeys ? "as cached" : "without positions"
    }, form ${config.form}`,
    chosenLine(chosen, config.coherentShare, points),
    ...comparisons.map(comparisonLine),
    ...rights.map(({ label, right, known, low, high }) =>
      `Right answers, ${label}: ${right} of ${known} (95% interval ${percent(low)} to ${percent(high)})`
    ),
    zeroLine(zero),
    breaks === null
      ? "Answers stay coherent at every strength reported on."
      : `Answers break from c_v ${breaks} on (fewer than ${percent(config.coherentShare)} coherent).`,
    ...(scale !== null && saladGap(scale) < SMALLEST_GAP
      ? ["The model finds shuffled words no less likely than text: likelihood is left out of coherence."]
      : []),
    `Answers ${how}, from 0 to 100.`,
  ].join("\n");
  const figures: Record<string, { svg: string; alt: string }> = {};
  const series = seriesOf(points);
  if (chosen?.strength && series.some((one) => one.points.length > 0)) {
    figures["dose_response"] = await doseResponse(
      series,
      promptedLevels(points.filter(({ arm }) => arm === "prompted")),
      {
        title: `Cache steering: ${title}`,
        notes: [
          `Keys added ${chosen.strength.keys} times (c_k), ${
            config.rawKeys ? "as cached" : "without their positions"
          }`,
          `Questions held out from the choice, ${how}`,
        ],
        chosen: chosen.strength.values,
        breaks,
        coherentShare: config.coherentShare,
        strength: "Strength: how many times values are added (c_v)",
      },
    );
  }
  const statistics = JSON.parse(JSON.stringify({
    style: style.name,
    chosen: chosen === null ? null : pointJson(chosen),
    chosen_is_coherent: chosen === null ? null : isCoherent(chosen, config.coherentShare),
    comparisons: comparisons.map(({ label, unit, difference, adjustedP }) => ({
      label,
      unit,
      ...difference,
      adjusted_p: adjustedP,
    })),
    accuracy: rights,
    zero: zero,
    breaks_at: breaks,
    coherence_scale: scale,
    scored_by: how,
    points: points.map(pointJson),
  })) as Json;
  return { summary, statistics, figures };
}

function pointJson({ arm, split, strength, answers, score, effect, ...rest }: FactoryPoint) {
  const { estimate, low, high, n } = effect;
  return {
    arm,
    split,
    c_k: strength?.keys ?? null,
    c_v: strength?.values ?? null,
    answers: answers.length,
    score,
    effect: { estimate, low, high, n },
    coherent: rest.coherent,
    coherent_interval: rest.coherentInterval,
    right: rest.right,
    known: rest.known,
  };
}

/** The answers of an arm on the held-out questions, at a strength where it has several. */
function reported(
  points: readonly FactoryPoint[],
  arm: FactoryArm,
  strength?: KvStrength | null,
): readonly FactoryAnswer[] {
  return points.filter((point) =>
    point.arm === arm && point.split === "report" &&
    (strength === undefined ||
      (point.strength?.keys === strength?.keys && point.strength?.values === strength?.values))
  ).flatMap(({ answers }) => answers);
}

function compare(points: readonly FactoryPoint[], chosen: KvStrength | null, seed: number): Comparison[] {
  const steered = reported(points, "steered", chosen);
  const unsteered = reported(points, "unsteered");
  const prompted = reported(points, "prompted");
  const score = ({ score }: FactoryAnswer) => score;
  const right = ({ right }: FactoryAnswer) => right === null ? null : Number(right);
  const asked: [string, Comparison["unit"], readonly FactoryAnswer[], readonly FactoryAnswer[]][] = [
    ["steered against unsteered", "points", steered, unsteered],
    [
      "steered against random vectors of the same length",
      "points",
      steered,
      reported(points, "random", chosen),
    ],
    ["steered against asked for in the prompt", "points", steered, prompted],
    ["asked for in the prompt against unsteered", "points", prompted, unsteered],
    ["right answers, steered against unsteered", "share right", steered, unsteered],
  ];
  const made = asked.flatMap(([label, unit, first, second]) => {
    const values = pairedDifferences(first, second, unit === "points" ? score : right);
    const random = createRandom(`comparison/${seed}/${label}`);
    return values.length === 0 ? [] : [{ label, unit, difference: pairedMean(values, { random }) }];
  });
  return adjusted(made);
}

function comparisonLine({ label, unit, difference, adjustedP }: Comparison): string {
  const { estimate, low, high, n, p } = difference;
  const text = (value: number) => unit === "points" ? signed(value) : signed(100 * value);
  const interval = low === null || high === null
    ? "no 95% interval: too few pairs, or all alike"
    : `95% interval ${text(low)} to ${text(high)}`;
  const what = unit === "points" ? "points" : "percentage points";
  return `${label}: ${text(estimate ?? 0)} ${what} (${interval}, n = ${n}, p = ${pText(p)}, ${
    pText(adjustedP)
  } corrected)`;
}

function chosenLine(chosen: FactoryPoint | null, share: number, points: readonly FactoryPoint[]): string {
  if (chosen?.strength === null || chosen === null) {
    return "No strength was tried: every question was too long, or ended in an error.";
  }
  const { strength, coherent, answers, effect } = chosen;
  const tried = points.filter(({ arm }) => arm === "search").length;
  const seen =
    `${signed(effect.estimate ?? 0)} points and ${coherent} of ${answers.length} coherent on the ` +
    "questions it was chosen on";
  const where = `c_k ${strength.keys}, c_v ${strength.values}`;
  return isCoherent(chosen, share)
    ? `Chosen of ${tried} strengths: ${where}; ${seen}.`
    : `No strength of ${tried} has ${
      percent(share)
    } coherent answers; the most coherent stands in: ${where}; ${seen}.`;
}

/** How strength 0 did: rows checked to the bit, rows that changed, and answers that differ from the unsteered ones. */
function zeroCheck(
  points: readonly FactoryPoint[],
): { checked: number; changed: number; otherTexts: number } | null {
  const plain = new Map(reported(points, "unsteered").map(({ row, text }) => [row.params.question, text]));
  const zero = reported(points, "zero");
  if (zero.length === 0) return null;
  const checked = zero.filter(({ sameBits }) => sameBits !== null);
  return {
    checked: checked.length,
    changed: checked.filter(({ sameBits }) => !sameBits).length,
    otherTexts: zero.filter(({ row, text }) => (plain.get(row.params.question) ?? text) !== text).length,
  };
}

function zeroLine(zero: ReturnType<typeof zeroCheck>): string {
  if (zero === null) return "Strength 0 was not tried.";
  const { checked, changed, otherTexts } = zero;
  if (changed > 0) {
    return `WARNING: strength 0 changed what the model computes in ${changed} of ${checked} prompts; nothing here can ` +
      "be trusted.";
  }
  return `Strength 0 changes no bit of what the model computes in ${checked} of ${checked} prompts` +
    (otherTexts === 0
      ? ", and no answer."
      : `; ${otherTexts} answers differ all the same, because answers drawn together round differently.`);
}

function accuracies(points: readonly FactoryPoint[], chosen: KvStrength | null) {
  const arms: [string, readonly FactoryAnswer[]][] = [
    ["unsteered", reported(points, "unsteered")],
    ["steered", reported(points, "steered", chosen)],
    ["asked for in the prompt", reported(points, "prompted")],
  ];
  return arms.flatMap(([label, answers]) => {
    const known = answers.filter(({ right }) => right !== null);
    if (known.length === 0) return [];
    const right = known.filter((answer) => answer.right).length;
    const { low, high } = wilson(right, known.length);
    return [{ label, right, known: known.length, low, high }];
  });
}

/** How many times values are added. */
const cv = ({ strength }: FactoryPoint) => strength?.values ?? null;

function seriesOf(points: readonly FactoryPoint[]): DoseSeries[] {
  const of = (...arms: FactoryArm[]) =>
    points.filter(({ arm }) => arms.includes(arm)).map((point) => dosePoint(cv(point), point));
  return [
    { label: "vectors of the style", control: false, points: of("zero", "steered") },
    { label: "random vectors of the same length", control: true, points: of("random") },
  ];
}

function scoredBy(points: readonly FactoryPoint[]): string {
  const words: Readonly<Record<string, string>> = {
    weighted: "by a judge, weighted by log-probabilities",
    parsed: "by a judge's parsed numbers",
    markers: "by the style's markers",
  };
  const hows = new Set(points.flatMap(({ answers }) => answers.flatMap((answer) => answer.how ?? [])));
  return hows.size === 0
    ? "without a score"
    : `scored ${[...hows].map((how) => words[how] ?? how).join(" and ")}`;
}
