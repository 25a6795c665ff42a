/**
 * Accuracy by input length with its intervals.
 * @module
 */
import type { Markish } from "@observablehq/plot";
import { legend, type LegendItem, type Panel } from "./frame.ts";
import { axisTitles, lengthColumns, PANEL_MARGINS } from "./panel_axes.ts";
import { ascending, type FigureRow, tally } from "./outcomes.ts";
import { type Plot, plotSvg } from "./plot_svg.ts";
import { COLORS, FIGURE_WIDTH, formatLength, formatPercent } from "./theme.ts";

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
}

interface Point {
  readonly length: number;
  readonly series: "valid" | "raw";
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

const BOTTOM = 42;
const LEVELS = [0, 0.25, 0.5, 0.75, 1];

/** The line of the share right by length: over valid rows, and over all rows sent where that differs. */
export async function lengthPanel(rows: readonly FigureRow[], options: LengthPanelOptions): Promise<Panel> {
  const lengths = ascending(rows.map((row) => row.length));
  const log = options.scale === "log";
  const window = log ? options.window : null;
  const domain = logDomain(lengths, window);
  const top = log ? 20 : 10;
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: options.height,
      ...PANEL_MARGINS,
      marginTop: top,
      marginBottom: BOTTOM,
      x: log ? { type: "log", domain, axis: null } : lengthColumns(lengths),
      y: {
        domain: [0, 1],
        label: null,
        ticks: LEVELS,
        tickFormat: (d: number) => `${d * 100}%`,
        tickSize: 0,
      },
      marks: [
        Plot.ruleY(LEVELS, { stroke: COLORS.grid }),
        ...(log ? logAxis(Plot, lengths, domain) : []),
        ...options.thresholds.map(({ value }, i) =>
          Plot.ruleY([value], { stroke: ruleOf(i).color, strokeWidth: 1.4, strokeDasharray: ruleOf(i).dash })
        ),
        ...(window === null ? [] : windowMark(Plot, window, domain)),
        ...seriesMarks(Plot, pointsOf(rows)),
      ],
    })
  );
  return {
    content: plot + axisTitles("Share right", top, options.height - BOTTOM),
    height: options.height,
  };
}

/** The legend that {@linkcode lengthPanel} needs. */
export function lengthLegend(rows: readonly FigureRow[], thresholds: readonly Threshold[]): Panel {
  const line = (color: string, dash: string) =>
    `<line x1="0" y1="7" x2="22" y2="7" stroke="${color}" stroke-width="1.8" stroke-dasharray="${dash}"/>`;
  const dot = (color: string, fill: string) =>
    `<circle cx="11" cy="7" r="4.5" stroke="${color}" stroke-width="2" fill="${fill}"/>`;
  const valid = line(COLORS.valid, "none") + dot(COLORS.valid, COLORS.valid);
  const raw = line(COLORS.raw, "4 3") + dot(COLORS.raw, COLORS.background);
  const differs = pointsOf(rows).some((point) => point.series === "raw");
  const items: LegendItem[] = differs
    ? [{ symbol: valid, label: "valid rows" }, { symbol: raw, label: "all rows sent" }]
    : [{ symbol: valid, label: "all rows sent" }];
  const rules = thresholds.map(({ label, value }, i): LegendItem => ({
    symbol: line(ruleOf(i).color, ruleOf(i).dash),
    label: `${label} (${formatPercent(value)})`,
  }));
  return legend([...items, ...rules], "Bars: 95% Wilson interval.");
}

function ruleOf(index: number): { readonly dash: string; readonly color: string } {
  return index % 2 === 0 ? { dash: "7 3", color: COLORS.rule } : { dash: "2 3", color: COLORS.rule2 };
}

function seriesMarks(Plot: Plot, points: readonly Point[]): Markish[] {
  const apart = points.some((point) => point.series === "raw") ? 5 : 0;
  const styles = {
    raw: { color: COLORS.raw, fill: COLORS.background, strokeDasharray: "4 3", dx: apart },
    valid: { color: COLORS.valid, fill: COLORS.valid, strokeDasharray: "none", dx: -apart },
  };
  return (["raw", "valid"] as const).flatMap((name) => {
    const data = points.filter((point) => point.series === name);
    const { color: stroke, fill, strokeDasharray, dx } = styles[name];
    return [
      Plot.ruleX(data, { x: "length", y1: "low", y2: "high", stroke, strokeWidth: 2, dx }),
      Plot.line(data, { x: "length", y: "share", stroke, strokeWidth: 1.5, strokeDasharray, dx }),
      Plot.dot(data, { x: "length", y: "share", r: 4.5, stroke, strokeWidth: 2, fill, dx }),
    ];
  });
}

function logAxis(Plot: Plot, lengths: readonly number[], domain: readonly [number, number]): Markish[] {
  const label = { x: (d: number) => d, text: formatLength, frameAnchor: "bottom", dy: 18 } as const;
  return [
    Plot.ruleX(lengths, { stroke: COLORS.grid }),
    Plot.text(spread(lengths, domain), { ...label, fontSize: 12, fill: COLORS.text }),
  ];
}

function windowMark(Plot: Plot, window: number, domain: readonly [number, number]): Markish[] {
  const right = window > Math.sqrt(domain[0] * domain[1]);
  return [
    Plot.ruleX([window], { stroke: COLORS.rule, strokeWidth: 2, strokeDasharray: "5 3", insetTop: -16 }),
    Plot.text([window], {
      x: (d: number) => d,
      text: (d: number) => `trained window ${d.toLocaleString("en-US")}`,
      frameAnchor: "top",
      textAnchor: right ? "end" : "start",
      dx: right ? -6 : 6,
      dy: -12,
      fill: COLORS.rule,
      fontSize: 11.5,
    }),
  ];
}

function pointsOf(rows: readonly FigureRow[]): Point[] {
  const groups = [...Map.groupBy(rows, (row) => row.length)].sort(([a], [b]) => a - b)
    .map(([length, group]) => ({ length, shares: tally(group) }));
  const differs = groups.some((group) => group.shares.invalidShare > 0);
  return groups.flatMap(({ length, shares }) =>
    (["valid", "raw"] as const).flatMap((series): Point[] => {
      const { estimate: share, low, high } = shares[series];
      return share === null || (series === "raw" && !differs) ? [] : [{ length, series, share, low, high }];
    })
  );
}

function logDomain(lengths: readonly number[], window: number | null): [number, number] {
  const all = window === null ? lengths : [...lengths, window];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const room = low === high ? 2 : (high / low) ** 0.05;
  return [low / room, high * room];
}

/** The lengths that can be labelled on a log axis without their labels touching; the longest first. */
function spread(lengths: readonly number[], [low, high]: readonly [number, number]): number[] {
  const room = FIGURE_WIDTH - PANEL_MARGINS.marginLeft - PANEL_MARGINS.marginRight;
  const pixels = (length: number) => Math.log(length / low) / Math.log(high / low) * room;
  const kept: number[] = [];
  for (const length of lengths.toReversed()) {
    if (kept.every((other) => Math.abs(pixels(other) - pixels(length)) > 38)) kept.push(length);
  }
  return kept;
}
