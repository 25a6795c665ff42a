/**
 * Variants beside each other, experiment by experiment.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Share } from "../stats/wilson.ts";
import { type Caption, type Figure, frame, legend } from "./frame.ts";
import {
  intervalLegend,
  intervalPanel,
  type IntervalPoint,
  type IntervalSeries,
  type SeriesLook,
} from "./interval_panel.ts";
import { ascending, formatAccuracy } from "./outcomes.ts";
import { COLORS, formatLength, formatPercent } from "./theme.ts";

/** The accuracy of one variant at one place. */
export interface ComparedPoint {
  /** An input length, or the index of a condition. */
  readonly place: number;
  /** Right rows of the valid ones. */
  readonly valid: Share;
  /** Right rows of all that were sent. */
  readonly raw: Share;
}

/** One variant in one experiment. */
export interface ComparedCurve {
  /** The variant. */
  readonly variant: string;
  /** Its points. */
  readonly points: readonly ComparedPoint[];
  /** All its rows together. */
  readonly all: { readonly valid: Share; readonly raw: Share };
  /** Share of its rows that are not valid. */
  readonly invalidShare: number;
}

/** One experiment. */
export interface ComparedPanel {
  /** For people. */
  readonly title: string;
  /** What lengths are counted in; null when places are conditions. */
  readonly unit: string | null;
  /** Names of the conditions, by index; empty when places are lengths. */
  readonly conditions: readonly string[];
  /** The variants that have results. */
  readonly curves: readonly ComparedCurve[];
}

/** What the figure says besides. */
export interface ComparisonFigureOptions {
  /** Whether the runs are test runs. */
  readonly test: boolean;
  /** Variants whose answers are simulated: said in the title. */
  readonly simulated: readonly string[];
}

/** Colours and shapes that are told apart with any colour vision, in the order of the variants. */
const LOOKS: readonly Pick<SeriesLook, "color" | "symbol">[] = [
  { color: "#1f5fa5", symbol: "circle" },
  { color: "#c25a12", symbol: "square" },
  { color: "#00704f", symbol: "diamond" },
  { color: "#7a3e9d", symbol: "triangle" },
  { color: "#2a8fbd", symbol: "square" },
  { color: "#8a6d00", symbol: "circle" },
  { color: "#b8447f", symbol: "diamond" },
  { color: "#3b424a", symbol: "triangle" },
];
/** With more variants than this, the numbers of rows are left out below the axes. */
const MOST_COUNTED = 4;
const INVALID_LIMIT = 0.05;

/**
 * A panel for each experiment: accuracy over valid rows by length, or under each condition, with Wilson intervals;
 * where rows are invalid, accuracy over all rows sent beside it.
 *
 * @throws {InputError} when no variant has results.
 */
export async function comparisonFigure(
  panels: readonly ComparedPanel[],
  options: ComparisonFigureOptions,
): Promise<Figure> {
  const variants = [...new Set(panels.flatMap(({ curves }) => curves.map(({ variant }) => variant)))];
  if (variants.length === 0) throw new InputError("A comparison needs the results of a variant, got none.");
  const lookOf = (variant: string, kind: "valid" | "raw"): SeriesLook => {
    const look = LOOKS[variants.indexOf(variant) % LOOKS.length] as typeof LOOKS[number];
    return kind === "valid"
      ? { ...look, fill: look.color, dash: "none" }
      : { ...look, fill: COLORS.background, dash: "4 3" };
  };
  const drawn = [];
  let differs = false;
  for (const panel of panels) {
    const valid = panel.curves.map((curve) => seriesOf(curve, "valid", lookOf(curve.variant, "valid")));
    const broken = panel.curves.filter(({ invalidShare }) => invalidShare > 0);
    const raw = broken.map((curve) => seriesOf(curve, "raw", lookOf(curve.variant, "raw")));
    differs ||= raw.length > 0;
    const places = ascending(panel.curves.flatMap(({ points }) => points.map(({ place }) => place)));
    const log = panel.conditions.length === 0;
    drawn.push(
      await intervalPanel({
        series: [...raw, ...valid],
        x: {
          scale: log ? "log" : "columns",
          places,
          title: log ? `Input length (${panel.unit})` : "Input",
          format: (place) => log ? formatLength(place) : panel.conditions[place] ?? "",
        },
        y: { title: "Share right" },
        counts: variants.length <= MOST_COUNTED ? valid.filter(({ points }) => points.length > 0) : [],
        heading: panel.title,
        height: 250,
      }),
      { content: "", height: 10 },
    );
  }
  drawn.push(
    intervalLegend(
      variants.map((variant) => ({ label: variant, style: lookOf(variant, "valid") })),
      [],
      differs ? "Valid rows:" : "All rows sent:",
    ),
  );
  if (differs) {
    const hollow: SeriesLook = { color: COLORS.faint, fill: COLORS.background, dash: "4 3" };
    drawn.push(intervalLegend([{ label: "all rows sent, where some are invalid", style: hollow }], [], ""));
  }
  drawn.push(
    legend([{ symbol: "", label: "Bars: 95% Wilson interval. Numbers below an axis: valid rows." }]),
  );
  return frame(titleOf(variants, options), captionsOf(panels), drawn, altOf(panels, variants));
}

function seriesOf(curve: ComparedCurve, kind: "valid" | "raw", style: SeriesLook): IntervalSeries {
  const points = curve.points.flatMap((point): IntervalPoint[] => {
    const { estimate, low, high, n } = point[kind];
    return estimate === null ? [] : [{ x: point.place, y: estimate, low, high, n }];
  });
  const places = ascending(curve.points.map(({ place }) => place));
  return { label: curve.variant, style, points, places };
}

function titleOf(variants: readonly string[], { test, simulated }: ComparisonFigureOptions): string {
  const names = variants.map((name) => simulated.includes(name) ? `${name} (SIMULATED answers)` : name);
  return `Context rot${test ? ", test runs" : ""}: ${names.join(", ")}`;
}

function captionsOf(panels: readonly ComparedPanel[]): Caption[] {
  return panels.flatMap(({ title, curves }) =>
    curves.filter(({ invalidShare }) => invalidShare > INVALID_LIMIT).map(({ variant, invalidShare }) => ({
      text: `${title}, ${variant}: ${
        formatPercent(invalidShare)
      } of rows invalid, no evidence of context rot.`,
      warning: true,
    }))
  );
}

function altOf(panels: readonly ComparedPanel[], variants: readonly string[]): string {
  const parts = panels.map(({ title, curves }) =>
    `${title}: ${
      curves.map(({ variant, all, invalidShare }) =>
        `${variant} ${formatAccuracy(all.raw)} of all rows sent` +
        (invalidShare > 0 ? `, ${formatAccuracy(all.valid)} of valid rows` : "")
      ).join("; ")
    }.`
  );
  return `Line charts of the accuracy of ${variants.join(", ")} by input length. ${parts.join(" ")}`;
}
