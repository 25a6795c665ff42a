/**
 * The figure of answers along a chain of thought.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { quantileSorted } from "../stats/bootstrap.ts";
import { type Figure, frame, legend, type Panel } from "./frame.ts";
import { axisTitles, PANEL_MARGINS } from "./panel_axes.ts";
import { plotSvg } from "./plot_svg.ts";
import { captionsOf, type SpliceFigureOptions, titleOf } from "./splice_figures.ts";
import { COLORS, FIGURE_WIDTH, formatPercent } from "./theme.ts";

const HEIGHT = 380;

/** Share of hinted answers along one chain. */
export interface TransferLine {
  /** The problem. */
  readonly problem: string;
  /** Its points, from the start of the chain on. */
  readonly points: readonly TransferPoint[];
}

/** The share after a prefix. */
export interface TransferPoint {
  /** Where the prefix ends: 0 no prefix, 1 the whole chain. */
  readonly position: number;
  /** Share of hinted answers, 0..1. */
  readonly rate: number;
  /** Whether it was measured; false for copied values, drawn dotted. */
  readonly measured: boolean;
}

/** Places at which the median is taken. */
const STEPS = 20;
const EPSILON = 1e-9;

/** Quartiles of lines at a place, each read linearly between its points; lines that do not reach it are left out. */
export function quartilesAt(
  lines: readonly TransferLine[],
  position: number,
): { readonly low: number; readonly median: number; readonly high: number; readonly n: number } | null {
  const values = lines.flatMap(({ points }) => {
    const after = points.findIndex((point) => point.position >= position - EPSILON);
    const right = points[after];
    if (right === undefined) return [];
    const left = points[after - 1];
    if (left === undefined) return Math.abs(right.position - position) < EPSILON ? [right.rate] : [];
    const span = right.position - left.position;
    return [left.rate + (right.rate - left.rate) * (span === 0 ? 1 : (position - left.position) / span)];
  }).sort((a, b) => a - b);
  if (values.length === 0) return null;
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantileSorted(values, share)) as [
    number,
    number,
    number,
  ];
  return { low, median, high, n: values.length };
}

/**
 * How the answer goes over to the hinted one along the chain: a line for each problem, and their median.
 *
 * @throws {InputError} when there are no lines with points.
 */
export async function transferFigure(
  lines: readonly TransferLine[],
  options: SpliceFigureOptions,
): Promise<Figure> {
  const drawn = lines.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) {
    throw new InputError("A figure of answer transfer needs a chain with rates, got none.");
  }
  const middle = Array.from({ length: STEPS + 1 }, (_, i) => i / STEPS).flatMap((position) => {
    const found = quartilesAt(drawn, position);
    // Fewer than half of the lines are no median of all.
    return found === null || found.n < drawn.length / 2 ? [] : [{ position, ...found }];
  });
  const parts = (measured: boolean) =>
    drawn.flatMap(({ problem, points }) =>
      points.slice(1).flatMap((point, i) =>
        point.measured === measured
          ? [[points[i] as TransferPoint, point].map((end) => ({ ...end, part: `${problem}/${i}` }))].flat()
          : []
      )
    );
  const opacity = Math.max(0.18, Math.min(0.6, 6 / drawn.length));
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: HEIGHT,
      ...PANEL_MARGINS,
      marginTop: 12,
      marginBottom: 42,
      x: {
        domain: [0, 1],
        label: null,
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 5,
        tickSize: 0,
      },
      y: {
        domain: [0, 1],
        label: null,
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 5,
        tickSize: 0,
      },
      marks: [
        Plot.gridY({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 5 }),
        Plot.areaY(middle, { x: "position", y1: "low", y2: "high", fill: COLORS.raw, fillOpacity: 0.16 }),
        ...[true, false].map((measured) =>
          Plot.line(parts(measured), {
            x: "position",
            y: "rate",
            z: "part",
            stroke: COLORS.valid,
            strokeOpacity: opacity,
            strokeWidth: 1.3,
            strokeDasharray: measured ? "none" : "2 3",
          })
        ),
        Plot.line(middle, { x: "position", y: "median", stroke: COLORS.raw, strokeWidth: 3 }),
      ],
    })
  );
  const line = (color: string, width: number, dash: string) =>
    `<line x1="0" y1="7" x2="22" y2="7" stroke="${color}" stroke-width="${width}" stroke-dasharray="${dash}"/>`;
  const copied = drawn.some(({ points }) => points.some(({ measured }) => !measured));
  const panels: Panel[] = [
    {
      content: plot + axisTitles("Share of hinted answers", 12, HEIGHT - 42, {
        title: "Part of the chain that is put before the un-hinted prompt's answer (characters)",
        below: 36,
      }),
      height: HEIGHT + 8,
    },
    legend([
      { symbol: line(COLORS.valid, 1.6, "none"), label: "one problem" },
      ...(copied ? [{ symbol: line(COLORS.valid, 1.6, "2 3"), label: "copied, not measured" }] : []),
      { symbol: line(COLORS.raw, 3, "none"), label: `median of ${drawn.length} problems` },
      {
        symbol: `<rect x="2" y="0" width="18" height="14" fill="${COLORS.raw}" fill-opacity="0.2"/>`,
        label: "middle half of the problems",
      },
    ]),
  ];
  const at = (position: number) => {
    const found = middle.find((point) => Math.abs(point.position - position) < EPSILON);
    return found === undefined ? "" : ` ${Math.round(position * 100)}%: ${formatPercent(found.median)};`;
  };
  const alt =
    `Share of hinted answers along ${drawn.length} chains, one line each, and their median by the part of the ` +
    `chain that stands before the answer:${[0, 0.25, 0.5, 0.75, 1].map(at).join("")}`.replace(/;$/, ".");
  return frame(titleOf("Answer transfer along the chain", options), captionsOf(options), panels, alt);
}
