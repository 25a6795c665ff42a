/**
 * The figures of an analysed splice experiment.
 * @module
 */
import type { Figure } from "../figures/frame.ts";
import {
  type ArmBar,
  armsFigure,
  type EffectDot,
  effectFigure,
  type SpliceFigureOptions,
} from "../figures/splice_figures.ts";
import { spliceView, type ViewToken } from "../figures/splice_view.ts";
import { transferFigure, type TransferLine } from "../figures/transfer_figure.ts";
import type { PointAnalysis } from "./analyse_point.ts";
import type { SpliceAnalysis } from "./analyse_splice.ts";
import { clusterOf } from "./duplicates.ts";
import type { SpliceData } from "./splice_data.ts";
import { type ArmName, SPLICE_ARMS, type SpliceArm } from "./types.ts";

/** What is drawn. */
export interface DrawnSplice extends SpliceFigureOptions {
  /** The analysis. */
  readonly analysis: SpliceAnalysis;
  /** The inputs with the rates along their chains. */
  readonly data: Pick<SpliceData, "placement" | "clusters">;
  /** The tokens of one spliced turn; no view of them when left out or null. */
  readonly view?: { readonly tokens: readonly ViewToken[]; readonly notes: readonly string[] } | null;
}

/** The names of the figures. */
export type SpliceFigureName = "effect" | "arms" | "transfer" | "view";

/**
 * The figures that there is something to draw for: `effect` against delta, `arms`, answer `transfer` along the chains,
 * and the token-exact `view` of a spliced turn.
 */
export async function drawSplice(drawn: DrawnSplice): Promise<Partial<Record<SpliceFigureName, Figure>>> {
  const { analysis, data, view = null, variant, simulated = false, notes = [] } = drawn;
  const options = { variant, simulated, notes };
  const dots = analysis.points.flatMap(dotsOf);
  const lines = transferLines(data);
  const { r, interval95 } = analysis.correlation.with_controls;
  const correlation = r === null ? [] : [
    `r of delta and effect, spliced and control sentences: ${r.toFixed(2)}` +
    (interval95 === null ? "" : ` (95% interval ${interval95.map((end) => end.toFixed(2)).join(" to ")})`) +
    ".",
  ];
  const answers = analysis.points.map(({ arms }) => arms.unhinted_anchor_included?.valid ?? 0);
  const counted = `${Math.min(...answers)} to ${Math.max(...answers)} answers for each spliced sentence.`;
  return {
    ...(dots.length === 0
      ? {}
      : { effect: await effectFigure(dots, { ...options, notes: [counted, ...correlation, ...notes] }) }),
    ...(analysis.arms.length === 0 ? {} : { arms: await armsFigure(analysis.arms.map(barOf), options) }),
    ...(lines.length === 0 ? {} : { transfer: await transferFigure(lines, options) }),
    ...(view === null || view.tokens.length === 0
      ? {}
      : { view: spliceView(view.tokens, { ...options, notes: [...view.notes, ...notes] }) }),
  };
}

/** The rates along the chains of a table, those of problems that are the same once. */
export function transferLines(
  { placement, clusters }: Pick<SpliceData, "placement" | "clusters">,
): TransferLine[] {
  const cluster = clusterOf(clusters);
  const seen = new Set<string>();
  const lines: TransferLine[] = [];
  for (const [problem, placed] of Map.groupBy(placement?.placed ?? [], ({ effect }) => effect.problem)) {
    if (seen.has(cluster(problem))) continue;
    seen.add(cluster(problem));
    const sorted = placed.toSorted((a, b) => a.span.index - b.span.index);
    const [first] = sorted;
    const start = first?.span.index === 0 ? first.effect.before : null;
    const points = [
      ...(start === null ? [] : [{ position: 0, rate: start, measured: true }]),
      ...sorted.map(({ effect, span, chain }) => ({
        position: span.end / chain.reasoning.length,
        rate: effect.after,
        measured: !effect.copied,
      })),
    ];
    if (points.length > 1) lines.push({ problem, points });
  }
  return lines;
}

/** What an arm is called in figures. */
export function armLabel(name: ArmName): string {
  const arm: SpliceArm = SPLICE_ARMS[name];
  const prompt = arm.prompt === "hinted" ? "Hinted prompt" : "Un-hinted prompt";
  if (arm.cut === null) return `${prompt}, no prefix`;
  if (arm.forced) return "Answer asked for at once";
  const sentence = arm.cut === "anchor" ? "sentence" : "control";
  return `${prompt}, ${arm.sentence === "included" ? "with" : "without"} ${sentence}`;
}

function dotsOf(point: PointAnalysis): EffectDot[] {
  const { delta, effect, control_delta, control_effect, outcome } = point;
  return [
    ...(effect === null ? [] : [{
      delta,
      effect: effect.estimate,
      interval: effect.interval95,
      kind: "anchor" as const,
      shown: outcome === "pass",
    }]),
    ...(control_delta === null || control_effect === null ? [] : [{
      delta: control_delta,
      effect: control_effect.estimate,
      interval: control_effect.interval95,
      kind: "control" as const,
      shown: false,
    }]),
  ];
}

function barOf(arm: SpliceAnalysis["arms"][number]): ArmBar {
  return {
    label: armLabel(arm.arm),
    hinted: arm.hinted,
    valid: arm.valid,
    lost: arm.invalid + arm.output_cap,
    rate: arm.hinted_rate,
    interval: arm.clustered95,
    group: SPLICE_ARMS[arm.arm].cut ?? "none",
  };
}
