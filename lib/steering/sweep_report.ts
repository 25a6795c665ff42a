/**
 * What a sweep found: the chosen point, its controls with paired tests, and the figures.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { doseResponse, type DoseSeries } from "../figures/dose_response.ts";
import { signed, steeringHeatmap, type SweepCell } from "../figures/steering_heatmap.ts";
import type { Report } from "../runs/experiment.ts";
import { type PairedMean, pairedMean } from "../stats/paired_mean.ts";
import { type CoherenceScale, saladGap, SMALLEST_GAP } from "./coherence.ts";
import { adjusted, breaksAt, dosePoint, percent, promptedLevels, pText } from "./dose_report.ts";
import type { SweepConfig } from "./sweep_config.ts";
import { choosePoint, differences, passes, type SweepAnswer, type SweepPoint } from "./sweep_points.ts";
import type { Arm } from "./sweep_rows.ts";
import type { SweepTrait } from "./sweep_trait.ts";

/** What a report is about. */
export interface SweepAbout {
  /** The settings. */
  readonly config: SweepConfig;
  /** The trait. */
  readonly trait: SweepTrait;
  /** The variant that was steered. */
  readonly variant: string;
  /** What likelihood was held against. */
  readonly scale: CoherenceScale | null;
}

/** One paired comparison on the questions held out from the choice. */
export interface SweepComparison {
  /** For people: `steered against unsteered`. */
  readonly label: string;
  /** Mean difference of the scores, in points of 0..100. */
  readonly difference: PairedMean;
  /** The p-value, corrected for all comparisons of the report (Holm). */
  readonly adjustedP: number | null;
}

/** The report of a sweep. */
export async function sweepReport(points: readonly SweepPoint[], about: SweepAbout): Promise<Report> {
  const { config, trait, variant, scale } = about;
  const chosen = choosePoint(points, config.coherentShare);
  const comparisons = compare(points, chosen, config.seed);
  const zero = zeroIsUnsteered(points);
  const breaks = breaksAt(
    points.filter(({ arm }) => arm === "trait"),
    ({ ratio }) => ratio,
    (point) => passes(point, config.coherentShare),
  );
  const title = `${trait.name}, ${variant}`;
  const site =
    `${config.methods} vectors of ${config.component} at ${config.position}, ${config.mode} to ${config.phase} ` +
    "tokens";
  const search = points.filter(({ arm }) => arm === "search");
  const how = scoredBy(points);
  const cells = search.map((point): SweepCell => ({
    layer: config.methods.includes(",") ? `${point.layers} ${point.method}` : point.layers,
    ratio: point.ratio ?? 0,
    effect: point.effect.estimate,
    coherent: point.coherent,
    n: point.answers.length,
    passes: passes(point, config.coherentShare),
    chosen: point === chosen,
  }));
  const n = Math.max(0, ...search.map(({ answers }) => answers.length));
  const figures: Record<string, { svg: string; alt: string }> = {};
  if (cells.length > 0) {
    figures["heatmap"] = steeringHeatmap(cells, {
      title: `Steering sweep: ${title}`,
      notes: [
        site,
        `${n} questions for each point, ${how}; effect: against the unsteered answer to the same question`,
      ],
    });
  }
  const series = seriesOf(points);
  if (chosen !== null && series.some((one) => one.points.length > 0)) {
    figures["dose_response"] = await doseResponse(
      series,
      promptedLevels(points.filter(({ arm }) => arm === "prompt")),
      {
        title: `Dose and response: ${title}, layer ${chosen.layers}`,
        notes: [
          site,
          `Questions held out from the choice, ${how}; random and shuffled vectors: another for each question`,
        ],
        chosen: chosen.ratio,
        breaks,
        coherentShare: config.coherentShare,
      },
    );
  }
  const summary = [
    `${title}: ${site}`,
    chosenLine(chosen, config.coherentShare, search.length),
    ...comparisons.map(comparisonLine),
    zero === null
      ? "Strength 0 was not tried."
      : zero.changed === 0
      ? `Strength 0 changes nothing: ${zero.n} of ${zero.n} answers are those of the unsteered model to the letter.`
      : `WARNING: strength 0 changed ${zero.changed} of ${zero.n} answers; nothing here can be trusted.`,
    breaks === null
      ? "Answers stay coherent at every strength of the trait's vector reported on."
      : `Answers break from strength ${breaks} on (fewer than ${percent(config.coherentShare)} coherent).`,
    scale === null
      ? "No unsteered answer could be read: likelihood is left out of coherence."
      : `Unsteered answers: ${scale.text.toFixed(2)} nats a token; with their words shuffled ${
        scale.salad.toFixed(2)
      }.` +
        (saladGap(scale) < SMALLEST_GAP
          ? " Too close to tell text from salad: likelihood is left out of coherence."
          : ""),
    `Scores: ${how}, 0 to 100.`,
  ].join("\n");
  const statistics = JSON.parse(JSON.stringify({
    trait: trait.name,
    chosen: chosen === null ? null : pointJson(chosen),
    chosen_is_coherent: chosen === null ? null : passes(chosen, config.coherentShare),
    comparisons: comparisons.map(({ label, difference, adjustedP }) => ({
      label,
      ...difference,
      adjusted_p: adjustedP,
    })),
    zero_changed: zero,
    breaks_at: breaks,
    coherence_scale: scale,
    scored_by: how,
    points: points.map(pointJson),
  })) as Json;
  return { summary, statistics, figures };
}

/** The numbers of a point, as they are written. */
export function pointJson(point: SweepPoint): Record<string, Json> {
  const {
    arm,
    split,
    method,
    layers,
    ratio,
    coef,
    answers,
    score,
    effect,
    coherent,
    coherentInterval,
    deltaNll,
  } = point;
  const { estimate, low, high, n } = effect;
  return {
    arm,
    split,
    method,
    layers: layers === "" ? [] : layers.split("+").map(Number),
    ratio,
    coef,
    answers: answers.length,
    score,
    effect: { estimate, low, high, n },
    coherent,
    coherent_interval: [...coherentInterval],
    delta_nll: deltaNll,
  };
}

/** The answers of an arm on the held-out questions, at a strength where it has several. */
function reported(points: readonly SweepPoint[], arm: Arm, ratio?: number | null): readonly SweepAnswer[] {
  return points.filter((point) =>
    point.arm === arm && point.split === "report" && (ratio === undefined || point.ratio === ratio)
  ).flatMap(({ answers }) => answers);
}

function compare(points: readonly SweepPoint[], chosen: SweepPoint | null, seed: number): SweepComparison[] {
  const steered = reported(points, "trait", chosen?.ratio ?? null);
  const unsteered = reported(points, "baseline");
  const pairs: [string, readonly SweepAnswer[], readonly SweepAnswer[]][] = [
    ["steered against unsteered", steered, unsteered],
    [
      "steered against random vectors of the same length",
      steered,
      reported(points, "random", chosen?.ratio ?? null),
    ],
    ["steered against vectors of shuffled labels", steered, reported(points, "shuffled")],
    ["steered against asked for in the prompt", steered, reported(points, "prompt")],
    ["asked for in the prompt against unsteered", reported(points, "prompt"), unsteered],
  ];
  const made = pairs.flatMap(([label, first, second]) => {
    const values = differences(first, second);
    const random = createRandom(`comparison/${seed}/${label}`);
    return values.length === 0 ? [] : [{ label, difference: pairedMean(values, { random }) }];
  });
  return adjusted(made);
}

function comparisonLine(
  { label, difference: { estimate, low, high, n, p }, adjustedP }: SweepComparison,
): string {
  const interval = low === null || high === null
    ? n < 6 ? "too few pairs for a 95% interval" : "all pairs alike: no interval"
    : `95% interval ${signed(low)} to ${signed(high)}`;
  return `${label}: ${signed(estimate ?? 0)} points (${interval}, n = ${n}, p = ${pText(p)}, ${
    pText(adjustedP)
  } corrected)`;
}

function chosenLine(chosen: SweepPoint | null, coherentShare: number, tried: number): string {
  if (chosen === null) return "No point was tried: every question was too long, or ended in an error.";
  const { layers, method, ratio, coef, coherent, answers, effect } = chosen;
  const where = `layer ${layers}, ${method}, strength ${ratio} (coefficient ${coef})`;
  const moved = effect.estimate === null ? "no score" : `${signed(effect.estimate)} points`;
  const seen = `${moved} and ${coherent} of ${answers.length} coherent on the ` +
    "questions it was chosen on";
  return passes(chosen, coherentShare)
    ? `Chosen of ${tried} points: ${where}; ${seen}.`
    : `No point of ${tried} has ${
      percent(coherentShare)
    } coherent answers; the most coherent stands in: ${where}; ${seen}.`;
}

/** Whether the answers at strength 0 are the unsteered ones, to the letter. */
function zeroIsUnsteered(
  points: readonly SweepPoint[],
): { readonly n: number; readonly changed: number } | null {
  const plain = new Map(reported(points, "baseline").map(({ row, text }) => [row.params.question, text]));
  const zero = reported(points, "zero").filter(({ row }) => plain.has(row.params.question));
  if (zero.length === 0) return null;
  return {
    n: zero.length,
    changed: zero.filter(({ row, text }) => plain.get(row.params.question) !== text).length,
  };
}

function seriesOf(points: readonly SweepPoint[]): DoseSeries[] {
  const of = (...arms: Arm[]) =>
    points.filter(({ arm, split }) => arms.includes(arm) && split === "report").map((point) =>
      dosePoint(point.ratio, point)
    );
  return [
    { label: "trait vector", control: false, points: of("zero", "trait") },
    { label: "random vectors of the same length", control: true, points: of("random") },
    { label: "vectors of shuffled labels", control: true, points: of("shuffled") },
  ];
}

/** How the answers were scored: `weighted by log-probabilities (12), parsed (3)`. */
function scoredBy(points: readonly SweepPoint[]): string {
  const words: Readonly<Record<string, string>> = {
    weighted: "by a judge, weighted by log-probabilities",
    parsed: "by a judge's parsed numbers",
    markers: "by marker words",
    learned: "by words that tell the extraction's responses apart",
  };
  const counts = new Map<string, number>();
  for (const { how } of points.flatMap(({ answers }) => answers)) {
    if (how !== null) counts.set(how, (counts.get(how) ?? 0) + 1);
  }
  const parts = [...counts].map(([how, count]) =>
    `${words[how] ?? how}${counts.size > 1 ? ` (${count})` : ""}`
  );
  return parts.length === 0 ? "without a score" : `scored ${parts.join(", ")}`;
}
