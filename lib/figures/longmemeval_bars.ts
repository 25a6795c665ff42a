/**
 * Two bars, focused and full, and the table of pairs.
 * @module
 */
import type { Markish } from "@observablehq/plot";
import type { Panel } from "./frame.ts";
import {
  type Bar,
  barsOf,
  CONDITION_COLORS,
  CONDITION_NAMES,
  countLabel,
  type MemoryFigureRow,
} from "./longmemeval_rows.ts";
import { tally } from "./outcomes.ts";
import { type Plot, plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, formatPercent } from "./theme.ts";

/** How the questions came out under both conditions. */
export interface MemoryPairs {
  /** Right under both. */
  readonly both: number;
  /** Right with the focused text only. */
  readonly focusedOnly: number;
  /** Right with the full text only. */
  readonly fullOnly: number;
  /** Right under none. */
  readonly neither: number;
}

/** What the bars are labelled with, and the table beside them. */
export interface ConditionBarsOptions {
  /** Questions seen under both conditions; null when there are none. */
  readonly pairs: MemoryPairs | null;
  /** Which rows the pairs are of: `valid under both conditions`. */
  readonly pairsOf: string;
  /** Median prompt tokens by condition. */
  readonly tokens: Readonly<Record<"focused" | "full", number | null>>;
}

const HEIGHT = 300;
const BARS_WIDTH = 440;
const TOP = 34;
const BOTTOM = 44;

/** Bars with intervals and counts on the left, the two-by-two table of pairs on the right. */
export async function conditionBars(
  rows: readonly MemoryFigureRow[],
  { pairs, pairsOf, tokens }: ConditionBarsOptions,
): Promise<Panel> {
  const bars = barsOf(rows);
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: BARS_WIDTH,
      height: HEIGHT,
      marginLeft: 68,
      marginRight: 10,
      marginTop: TOP,
      marginBottom: BOTTOM,
      x: { type: "band", domain: [...CONDITION_NAMES], padding: 0.35, axis: null },
      y: {
        domain: [0, 1],
        label: null,
        ticks: [0, 0.25, 0.5, 0.75, 1],
        tickFormat: (d: number) => `${d * 100}%`,
        tickSize: 0,
      },
      marks: [
        Plot.ruleY([0, 0.25, 0.5, 0.75, 1], { stroke: COLORS.grid }),
        Plot.barY(bars.filter(({ valid }) => valid.n > 0), {
          x: "condition",
          y: (bar: Bar) => bar.valid.estimate ?? 0,
          fill: (bar: Bar) => CONDITION_COLORS[bar.condition],
          stroke: COLORS.hatch,
          strokeWidth: 0.5,
        }),
        ...intervalMarks(Plot, bars),
        Plot.text(bars, {
          x: "condition",
          y: (bar: Bar) => Math.max(bar.valid.n > 0 ? bar.valid.high : 0, bar.differs ? bar.raw.high : 0),
          text: (bar: Bar) => countLabel(bar.valid),
          dy: -10,
          fontSize: 13,
          fontWeight: "bold",
          fill: COLORS.text,
        }),
        Plot.ruleY([0], { stroke: COLORS.rule }),
        Plot.text(CONDITION_NAMES, {
          x: (d: string) => d,
          text: (d: "focused" | "full") => tickLabel(d, tokens[d], rows),
          frameAnchor: "bottom",
          dy: 30,
          fontSize: 12,
          lineHeight: 1.25,
          fill: COLORS.text,
        }),
      ],
    })
  );
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  const title =
    `<text transform="translate(20,${middle}) rotate(-90)" font-size="12" text-anchor="middle">Share right</text>`;
  return { content: plot + title + (pairs === null ? "" : pairTable(pairs, pairsOf)), height: HEIGHT + 6 };
}

function intervalMarks(Plot: Plot, bars: readonly Bar[]): Markish[] {
  const dx = 14;
  const valid = bars.filter((bar) => bar.valid.n > 0);
  const raw = bars.filter((bar) => bar.differs);
  const x = "condition";
  const of = (kind: "valid" | "raw") => ({
    x,
    y1: (bar: Bar) => bar[kind].low,
    y2: (bar: Bar) => bar[kind].high,
    stroke: COLORS.text,
    strokeWidth: 1.8,
  });
  return [
    Plot.ruleX(valid.filter((bar) => !bar.differs), { ...of("valid"), marker: "tick" }),
    Plot.ruleX(valid.filter((bar) => bar.differs), { ...of("valid"), dx: -dx, marker: "tick" }),
    Plot.ruleX(raw, { ...of("raw"), dx, strokeDasharray: "4 3" }),
    Plot.dot(raw, {
      x,
      y: (bar: Bar) => bar.raw.estimate ?? 0,
      dx,
      r: 4.5,
      stroke: COLORS.text,
      strokeWidth: 1.6,
      fill: COLORS.background,
    }),
  ];
}

function tickLabel(
  condition: "focused" | "full",
  tokens: number | null,
  rows: readonly MemoryFigureRow[],
): string {
  const { skipped, missing, raw } = tally(rows.filter((row) => row.condition === condition));
  const without = raw.n > 0
    ? null
    : skipped > 0
    ? "no row fits the window"
    : missing > 0
    ? "not run yet"
    : "no rows";
  const size = tokens === null ? "" : `median ${Math.round(tokens).toLocaleString("en-US")} tokens`;
  return `${condition}\n${without ?? size}`;
}

/** The questions by how they came out under both conditions. */
function pairTable({ both, focusedOnly, fullOnly, neither }: MemoryPairs, of: string): string {
  const [left, top, width, height] = [548, 84, 108, 62];
  const n = both + focusedOnly + fullOnly + neither;
  const text = (x: number, y: number, content: string, style = "") =>
    `<text x="${x}" y="${y}" text-anchor="middle" font-size="12" ${style}>${escapeXml(content)}</text>`;
  const cell = (column: number, row: number, count: number, shade: string) => {
    const [x, y] = [left + column * width, top + row * height];
    return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${shade}" stroke="${COLORS.hatch}"/>` +
      text(x + width / 2, y + 30, String(count), `style="font-size:19px" font-weight="bold"`) +
      text(x + width / 2, y + 49, n === 0 ? "" : formatPercent(count / n));
  };
  const middle = left + width;
  return text(middle - 30, 30, `${n.toLocaleString("en-US")} questions`, `font-weight="bold"`) +
    text(middle - 30, 47, of, `fill="${COLORS.faint}"`) +
    text(left + width / 2, top - 8, "full right") + text(left + 1.5 * width, top - 8, "full wrong") +
    text(left - 34, top + height / 2 - 4, "focused") + text(left - 34, top + height / 2 + 12, "right") +
    text(left - 34, top + 1.5 * height - 4, "focused") + text(left - 34, top + 1.5 * height + 12, "wrong") +
    cell(0, 0, both, COLORS.background) + cell(1, 0, focusedOnly, CONDITION_COLORS.focused) +
    cell(0, 1, fullOnly, CONDITION_COLORS.full) + cell(1, 1, neither, COLORS.background);
}
