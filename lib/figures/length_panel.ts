/**
 * Accuracy by input length with its intervals.
 * @module
 */
import type { Panel } from "./frame.ts";
import { intervalLegend, intervalPanel, type IntervalSeries } from "./interval_panel.ts";
import { ascending, type FigureRow, tally } from "./outcomes.ts";
import { formatPercent } from "./theme.ts";

/** A level that an effective length is read at. */
export interface Threshold {
  /** Name of the rule, and what else is worth saying: `RULER: 1k tokens`. */
  readonly label: string;
  /** Accuracy that must be reached, 0..1. */
  readonly value: number;
}

/** What a length panel shows besides the rows. */
export interface LengthPanelOptions {
  /** `log`: lengths where they are; `columns`: evenly, under a heatmap's columns. */
  readonly scale: "log" | "columns";
  /** Levels drawn across. */
  readonly thresholds: readonly Threshold[];
  /** Trained window in tokens, drawn as a vertical line; only on a log scale. */
  readonly window: number | null;
  /** Height in pixels. */
  readonly height: number;
  /** What lengths are counted in; tokens when left out. */
  readonly unit?: string;
}

/** The line of the share right by length: over valid rows, and over all rows sent where that differs. */
export function lengthPanel(rows: readonly FigureRow[], options: LengthPanelOptions): Promise<Panel> {
  const { scale, thresholds, window, height, unit = "tokens" } = options;
  return intervalPanel({
    series: seriesOf(rows),
    x: { scale, places: ascending(rows.map((row) => row.length)), title: `Input length (${unit})`, window },
    y: { title: "Share right" },
    levels: thresholds,
    height,
  });
}

/** The legend that {@linkcode lengthPanel} needs. */
export function lengthLegend(rows: readonly FigureRow[], thresholds: readonly Threshold[]): Panel {
  const levels = thresholds.map(({ label, value }) => ({
    label: `${label} (${formatPercent(value)})`,
    value,
  }));
  return intervalLegend(seriesOf(rows).toReversed(), levels, "Bars: 95% Wilson interval.");
}

/** Valid rows uppermost; without invalid rows there is one series alone. */
function seriesOf(rows: readonly FigureRow[]): IntervalSeries[] {
  const groups = [...Map.groupBy(rows, (row) => row.length)].sort(([a], [b]) => a - b)
    .map(([length, group]) => ({ length, shares: tally(group) }));
  const differs = groups.some((group) => group.shares.invalidShare > 0);
  const points = (which: "valid" | "raw") =>
    groups.flatMap(({ length, shares }) => {
      const { estimate, low, high, n } = shares[which];
      return estimate === null ? [] : [{ x: length, y: estimate, low, high, n }];
    });
  const all: IntervalSeries = {
    label: "all rows sent",
    style: differs ? "raw" : "valid",
    points: points("raw"),
  };
  return differs ? [all, { label: "valid rows", style: "valid", points: points("valid") }] : [all];
}
