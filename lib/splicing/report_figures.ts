/**
 * The figures of a splice experiment.
 * @module
 */
import { deploymentOf } from "../backends/variants.ts";
import { armsFigure, effectFigure, type SpliceFigureOptions } from "../figures/splice_figures.ts";
import { spliceView } from "../figures/splice_view.ts";
import { transferFigure, type TransferLine } from "../figures/transfer_figure.ts";
import type { Report } from "../runs/experiment.ts";
import { type PointAnalysis, signed } from "./analyse_point.ts";
import type { SpliceAnalysis } from "./analyse_splice.ts";
import { clusterOf } from "./duplicates.ts";
import { readSample } from "./read_sample.ts";
import type { SpliceOutcome } from "./splice_outcome.ts";
import { type AnsweredRow, rowsOf } from "./splice_stages.ts";
import { type ArmName, SPLICE_ARMS, type SplicePoint } from "./types.ts";
import { viewTokens } from "./view_tokens.ts";

/** Draws what there is to draw: effects against deltas, arms, answer transfer, and one splice by tokens. */
export async function reportFigures(
  outcome: SpliceOutcome,
  analysis: SpliceAnalysis,
): Promise<Report["figures"]> {
  const { derived, variant, sizes } = outcome;
  const { points } = analysis;
  const chains = derived.deltas === "written"
    ? ["Chains and deltas are those of the process that wrote them: this model follows none."]
    : derived.deltas === "measured" && derived.chosen.source === "written"
    ? ["Chains were written by us: the model was swayed in none of its own."]
    : [];
  const options: SpliceFigureOptions = {
    variant: variant.name,
    simulated: variant.backend === "simulated",
    notes: [...chains, `${sizes.samples} samples of each arm of ${points.length} splice points`],
  };
  const figures: Record<string, { svg: string; alt: string }> = {};
  const dots = points.flatMap(dotsOf);
  if (dots.length > 0) {
    const { r, interval95 } = analysis.correlation.with_controls;
    const interval = interval95 === null ? "" : ` (95% interval ${interval95.map(signed).join(" to ")})`;
    const notes = [
      ...options.notes ?? [],
      ...r === null ? [] : [`r of delta and effect ${signed(r)}${interval}`],
    ];
    figures["effects"] = await effectFigure(dots, { ...options, notes });
  }
  if (analysis.arms.length > 0) {
    figures["arms"] = await armsFigure(
      analysis.arms.map(({ arm, hinted, valid, invalid, output_cap, hinted_rate, clustered95 }) => ({
        label: ARM_LABELS[arm],
        hinted,
        valid,
        lost: invalid + output_cap,
        rate: hinted_rate,
        interval: clustered95,
        group: SPLICE_ARMS[arm].cut ?? "none",
      })),
      options,
    );
  }
  const lines = transferLines(outcome);
  if (lines.some(({ points }) => points.length > 1)) {
    figures["transfer"] = await transferFigure(lines, {
      variant:
        { given: "the given deltas", measured: options.variant, written: "our own writer" }[derived.deltas],
      simulated: derived.deltas === "measured" && options.simulated === true,
      notes: chains,
    });
  }
  const view = viewOf(outcome, points);
  if (view !== null) {
    figures["view"] = spliceView(view.tokens, { ...options, notes: [...view.notes, ...chains] });
  }
  return figures;
}

/** What the prompt of each arm is made of, in a few words. */
export const ARM_LABELS: Readonly<Record<ArmName, string>> = {
  unhinted_anchor_included: "no hint, with the sentence",
  unhinted_anchor_excluded: "no hint, without the sentence",
  no_prefix: "no hint, no prefix",
  unhinted_control_included: "no hint, with the control",
  unhinted_control_excluded: "no hint, without the control",
  hinted_no_prefix: "hint, no prefix",
  hinted_anchor_included: "hint, with the sentence",
  hinted_anchor_excluded: "hint, without the sentence",
  hinted_control_included: "hint, with the control",
  hinted_control_excluded: "hint, without the control",
  forced_answer: "no hint, letter forced",
};

function dotsOf({ delta, effect, outcome, control_delta, control_effect }: PointAnalysis) {
  return [
    ...(effect === null ? [] : [{
      delta,
      effect: effect.estimate,
      interval: effect.interval95,
      kind: "anchor" as const,
      shown: outcome === "pass",
    }]),
    ...(control_effect === null || control_delta === null ? [] : [{
      delta: control_delta,
      effect: control_effect.estimate,
      interval: control_effect.interval95,
      kind: "control" as const,
      shown: false,
    }]),
  ];
}

/** The share of hinted answers along each chain, as the table of deltas has it; of problems that are the same, the first. */
function transferLines({ derived }: SpliceOutcome): TransferLine[] {
  const { placement, clusters } = derived.data;
  const nameOf = clusterOf(clusters);
  const placed = placement?.placed.filter(({ effect: { problem } }) => nameOf(problem) === problem) ?? [];
  return [...Map.groupBy(placed, ({ effect }) => effect.problem)].map(([problem, group]) => {
    const [first] = group;
    const start = first?.effect.sentence === 0 && first.effect.before !== null
      ? [{ position: 0, rate: first.effect.before, measured: true }]
      : [];
    return {
      problem,
      points: [
        ...start,
        ...group.map(({ effect, span, chain }) => ({
          position: span.end / chain.reasoning.length,
          rate: effect.after,
          measured: !effect.copied,
        })),
      ],
    };
  });
}

/** One sample of the splice with the largest effect, or delta, by tokens: one that followed the prefix where there is one. */
function viewOf(outcome: SpliceOutcome, points: readonly PointAnalysis[]) {
  const { answered, derived, book, tokenizer, variant } = outcome;
  const [best] = points.toSorted((a, b) =>
    (b.effect?.estimate ?? -1) - (a.effect?.estimate ?? -1) || b.delta - a.delta
  );
  const point = derived.points.find(({ problem, sentence }) =>
    problem === best?.problem && sentence === best.sentence
  );
  if (point === undefined) return null;
  const rows = rowsOf(answered, "arms").filter(({ row: { params }, attempt }) =>
    attempt?.status === "done" && params.arm === "unhinted_anchor_included" &&
    params.problem_number === point.problem && params.sentence_number === point.sentence
  );
  const read = ({ row, attempt }: AnsweredRow) =>
    attempt === null ? null : readSample(row, attempt, book.marks);
  const shown = rows.find((row) => read(row)?.grade === "hinted") ?? rows[0];
  const sample = shown === undefined ? null : read(shown);
  if (shown === undefined || sample === null) return null;
  const { asked } = shown.row;
  const ids = book.ids(asked);
  const tokens = viewTokens({
    promptIds: ids ?? tokenizer.encode(`${asked.messages[0]?.content ?? ""}\n${asked.prefix ?? ""}`),
    chainLength: point.cut.included,
    sentenceLength: sentenceLength(point),
    continuation: sample.continuation,
  }, tokenizer);
  const { params } = shown.row;
  return {
    tokens,
    notes: [
      `Problem ${point.problem}, sentence ${point.sentence}, seed ${params.seed}: answer ${
        sample.answer ?? "not readable"
      } ` +
      `(hinted ${params.hinted_answer}, right ${params.correct_answer})`,
      ...(ids === null && variant.backend === "api"
        ? [`Cut into tokens by ${tokenizer.name}; the ${deploymentOf(variant)} server's own may differ.`]
        : []),
    ],
  };
}

const sentenceLength = ({ span }: SplicePoint) => span.end - span.start;
