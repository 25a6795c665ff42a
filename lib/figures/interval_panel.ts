/**
 * Values with their intervals, along input lengths or in columns.
 * @module
 */
import type { Markish } from "@observablehq/plot";
import { legend, type LegendItem, type Panel } from "./frame.ts";
import { type AxisLine, lineMark, lineTitle, logAxis, logDomain, windowMark } from "./interval_axis.ts";
import { axisColumns, axisTitles, PANEL_MARGINS } from "./panel_axes.ts";
import { type Plot, plotSvg } from "./plot_svg.ts";
import { COLORS, FIGURE_WIDTH, formatLength } from "./theme.ts";

/** A value that was measured at one place. */
export interface IntervalPoint {
  /** The place: an input length, or a column. */
  readonly x: number;
  /** The value. */
  readonly y: number;
  /** Lower end of its interval; null where there is none. */
  readonly low: number | null;
  /** Upper end. */
  readonly high: number | null;
  /** Rows behind it. */
  readonly n: number;
}

/** Points that belong together. A line joins those of neighbouring places. */
export interface IntervalSeries {
  /** What it shows, for the legend. */
  readonly label: string;
  /** Which colours and dashes it has. */
  readonly style: SeriesStyle | SeriesLook;
  /** Its points; places without one are gaps. */
  readonly points: readonly IntervalPoint[];
  /** Places that belong to it, ascending; those of the x axis when left out. The line runs on over others. */
  readonly places?: readonly number[];
}

/** The looks of a series: `valid` rows, all rows (`raw`), or another measure of them. */
export type SeriesStyle = "valid" | "raw" | "other";

/** Looks of a series' own. */
export interface SeriesLook {
  /** Of line, bars and the rims of points. */
  readonly color: string;
  /** Of points. */
  readonly fill: string;
  /** Dashes of the line, as SVG has them; `none` for a whole one. */
  readonly dash: string;
  /** Shape of points; circles unless given. */
  readonly symbol?: Symbol;
}

/** A shape of points. */
export type Symbol = "circle" | "square" | "diamond" | "triangle";

const STYLES: Readonly<Record<SeriesStyle, SeriesLook>> = {
  valid: { color: COLORS.valid, fill: COLORS.valid, dash: "none" },
  raw: { color: COLORS.raw, fill: COLORS.background, dash: "4 3" },
  other: { color: COLORS.rule2, fill: COLORS.background, dash: "1 3" },
};

const lookOf = (style: SeriesStyle | SeriesLook) => typeof style === "string" ? STYLES[style] : style;

/** A level that is drawn across. */
export interface Level {
  /** Its value. */
  readonly value: number;
}

/** The x axis of an interval panel. */
export interface IntervalAxis {
  /** `log`: places where they are; `columns`: evenly. */
  readonly scale: "log" | "columns";
  /** All places, ascending; also those without a point. */
  readonly places: readonly number[];
  /** Title. */
  readonly title: string;
  /** Label of a place; tokens unless given. */
  readonly format?: (place: number) => string;
  /** A second label of every place, on a line of its own. */
  readonly second?: { readonly title: string; readonly format: (place: number) => string };
  /** Trained window in tokens, drawn as a vertical line; only on a log scale. */
  readonly window?: number | null;
}

/** The y axis of an interval panel. */
export interface ValueAxis {
  /** Title. */
  readonly title: string;
  /** Least and greatest value; 0 to 1 unless given. */
  readonly domain?: readonly [number, number];
  /** Where grid lines and labels stand; quarters unless given. */
  readonly ticks?: readonly number[];
  /** Label of a tick; percent unless given. */
  readonly format?: (value: number) => string;
}

/** What an interval panel shows. */
export interface IntervalPanelOptions {
  /** The series, the uppermost last. */
  readonly series: readonly IntervalSeries[];
  /** The x axis. */
  readonly x: IntervalAxis;
  /** The y axis. */
  readonly y: ValueAxis;
  /** Levels drawn across. */
  readonly levels?: readonly Level[];
  /** The series whose numbers of rows are written below the axis; none unless given. */
  readonly counts?: readonly IntervalSeries[];
  /** A line above the panel. */
  readonly heading?: string;
  /** Height in pixels. */
  readonly height: number;
}

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];
const BOTTOM = 42;
const LINE = 14;
/** Pixels between series of the same place, and from the first to the last of them. */
const APART = 10, SPREAD = 36;

/** Draws series of points with their intervals. */
export async function intervalPanel(options: IntervalPanelOptions): Promise<Panel> {
  const { series, x, y, levels = [], counts = [], heading = "" } = options;
  const log = x.scale === "log";
  const window = log ? x.window ?? null : null;
  const format = x.format ?? formatLength;
  const domain = logDomain(x.places, window);
  const top = (log ? 20 : 10) + (heading === "" ? 0 : 20);
  const lines = [
    ...(x.second === undefined ? [] : [secondLabels(x.places, x.second)]),
    ...counts.filter(({ points }) => points.length > 0).map((one, i) =>
      countLabels(one, i === 0 ? "rows" : "")
    ),
  ];
  const bottom = BOTTOM + LINE * lines.length;
  const ticks = y.ticks ?? QUARTERS;
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: options.height,
      ...PANEL_MARGINS,
      marginTop: top,
      marginBottom: bottom,
      x: log ? { type: "log", domain, axis: null } : axisColumns(x.places, format),
      y: {
        domain: y.domain ?? [0, 1],
        label: null,
        ticks,
        tickFormat: y.format ?? ((d: number) => `${d * 100}%`),
        tickSize: 0,
      },
      marks: [
        Plot.ruleY(ticks, { stroke: COLORS.grid }),
        ...(log ? logAxis(Plot, x.places, domain, format) : []),
        ...levels.map(({ value }, i) =>
          Plot.ruleY([value], {
            stroke: levelStyle(i).color,
            strokeWidth: 1.4,
            strokeDasharray: levelStyle(i).dash,
          })
        ),
        ...(window === null ? [] : windowMark(Plot, window, domain)),
        ...series.flatMap((one, i) => {
          const apart = Math.min(APART, SPREAD / Math.max(1, series.length - 1));
          return seriesMarks(Plot, one, one.places ?? x.places, ((series.length - 1) / 2 - i) * apart);
        }),
        ...lines.map((line, i) => lineMark(Plot, line, log ? domain : null, 18 + LINE * (i + 1))),
      ],
    })
  );
  const headingText = heading === ""
    ? ""
    : `<text x="${PANEL_MARGINS.marginLeft}" y="14" font-size="13" font-weight="bold" fill="${COLORS.text}">${heading}</text>`;
  return {
    content: headingText + plot +
      axisTitles(y.title, top, options.height - bottom, { title: x.title, below: bottom - 6 }) +
      lines.map(({ title }, i) => lineTitle(title, options.height - bottom + 18 + LINE * (i + 1))).join(""),
    height: options.height,
  };
}

/** The legend of series and levels. */
export function intervalLegend(
  series: readonly Pick<IntervalSeries, "label" | "style">[],
  levels: readonly (Level & { readonly label: string })[],
  heading: string,
): Panel {
  const line = (color: string, dash: string) =>
    `<line x1="0" y1="7" x2="22" y2="7" stroke="${color}" stroke-width="1.8" stroke-dasharray="${dash}"/>`;
  const items = series.map(({ label, style }): LegendItem => {
    const look = lookOf(style);
    return { symbol: line(look.color, look.dash) + legendPoint(look), label };
  });
  const rules = levels.map(({ label }, i): LegendItem => ({
    symbol: line(levelStyle(i).color, levelStyle(i).dash),
    label,
  }));
  return legend([...items, ...rules], heading);
}

/** The same shapes as Plot draws them, of about the same area. */
const SHAPES: Readonly<Record<Symbol, string>> = {
  circle: '<circle cx="11" cy="7" r="4.5"',
  square: '<rect x="7" y="3" width="8" height="8"',
  diamond: '<path d="M11 0.5L15.5 7L11 13.5L6.5 7Z"',
  triangle: '<path d="M11 1L16 10.5L6 10.5Z"',
};

function legendPoint({ symbol = "circle", color, fill }: SeriesLook): string {
  return `${SHAPES[symbol]} stroke="${color}" stroke-width="2" fill="${fill}"/>`;
}

function levelStyle(index: number): { readonly dash: string; readonly color: string } {
  return index % 2 === 0 ? { dash: "7 3", color: COLORS.rule } : { dash: "2 3", color: COLORS.rule2 };
}

function seriesMarks(
  Plot: Plot,
  { style, points }: IntervalSeries,
  places: readonly number[],
  dx: number,
): Markish[] {
  const { color: stroke, fill, dash, symbol = "circle" } = lookOf(style);
  const known = new Map(points.map((point) => [point.x, point]));
  const line = places.map((x) => known.get(x) ?? { x, y: NaN });
  const barred = points.filter(({ low, high }) => low !== null && high !== null);
  return [
    Plot.ruleX(barred, { x: "x", y1: "low", y2: "high", stroke, strokeWidth: 2, dx }),
    Plot.line(line, { x: "x", y: "y", stroke, strokeWidth: 1.5, strokeDasharray: dash, dx }),
    Plot.dot(points, { x: "x", y: "y", r: 4.5, symbol, stroke, strokeWidth: 2, fill, dx }),
  ];
}

function secondLabels(places: readonly number[], second: NonNullable<IntervalAxis["second"]>): AxisLine {
  const labels = places.map((x) => ({ x, text: second.format(x) }));
  return { title: second.title, color: COLORS.faint, labels };
}

function countLabels({ style, points }: IntervalSeries, title: string): AxisLine {
  const labels = points.map(({ x, n }) => ({ x, text: n.toLocaleString("en-US") }));
  return { title, color: lookOf(style).color, labels };
}
