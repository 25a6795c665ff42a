/**
 * How the effect of a steering grows with its strength, beside its controls, and where the answers stop being text.
 * @module
 */
import type { Markish } from "@observablehq/plot";
import { InputError } from "../base/errors.ts";
import { type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { PANEL_MARGINS } from "./panel_axes.ts";
import { type Plot, plotSvg } from "./plot_svg.ts";
import { signed, type SweepFigureOptions } from "./steering_heatmap.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, formatPercent } from "./theme.ts";

/** One strength. */
export interface DosePoint {
  /** Length of the steering relative to the activations; 0 is no steering. */
  readonly ratio: number;
  /** Mean change of the score against the unsteered answers, in points of 0..100. */
  readonly effect: number | null;
  /** Ends of its 95% interval; null where there are too few pairs for one. */
  readonly low: number | null;
  /** Upper end. */
  readonly high: number | null;
  /** Answers. */
  readonly n: number;
  /** Coherent answers. */
  readonly coherent: number;
  /** Ends of the 95% interval of their share. */
  readonly coherentInterval: readonly [number, number];
}

/** What was added. */
export interface DoseSeries {
  /** For people: `trait vector`, `random vector of the same length`. */
  readonly label: string;
  /** Whether it is a control. */
  readonly control: boolean;
  /** By strength. */
  readonly points: readonly DosePoint[];
}

/** A line across: a control without a strength, such as a prompt. */
export interface DoseLevel {
  /** For people: `asked for in the prompt, unsteered`. */
  readonly label: string;
  /** Mean change of the score. */
  readonly effect: number;
  /** Ends of its 95% interval. */
  readonly low: number | null;
  /** Upper end. */
  readonly high: number | null;
}

/** Options of {@linkcode doseResponse}. */
export interface DoseResponseOptions extends SweepFigureOptions {
  /** The strength that was chosen, on other questions. */
  readonly chosen: number | null;
  /** Where answers stop being coherent: the lowest strength at which too few are; null when none is. */
  readonly breaks: number | null;
  /** Share of coherent answers that a strength needs, 0..1. */
  readonly coherentShare: number;
  /** What the strength is; that of residual steering when left out. */
  readonly strength?: string;
}

const LOOKS = [
  { color: COLORS.valid, fill: COLORS.valid, symbol: "circle", dash: "" },
  { color: COLORS.raw, fill: COLORS.background, symbol: "square", dash: "5 3" },
  { color: COLORS.rule2, fill: COLORS.background, symbol: "triangle", dash: "2 3" },
  { color: COLORS.rule, fill: COLORS.background, symbol: "diamond", dash: "7 2 2 2" },
] as const;

/**
 * Effect by strength with 95% intervals, for the vector and its controls; below it the share of coherent answers. The
 * strengths from which on answers break are shaded.
 *
 * @throws {InputError} when no series has a point.
 */
export async function doseResponse(
  series: readonly DoseSeries[],
  levels: readonly DoseLevel[],
  options: DoseResponseOptions,
): Promise<Figure> {
  const drawn = series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) throw new InputError("A dose-response figure needs at least one point, got none.");
  const ratios = drawn.flatMap(({ points }) => points.map(({ ratio }) => ratio));
  const end = Math.max(...ratios);
  const domain: [number, number] = [Math.min(0, ...ratios) - 0.025 * end, end * 1.03 || 1];
  const dodge = (i: number) => (i - (drawn.length - 1) / 2) * 5;
  const common = { width: FIGURE_WIDTH, ...PANEL_MARGINS } as const;
  const x = { domain, label: null, tickSize: 0, ticks: 8 } as const;
  const shade = (Plot: Plot): Markish[] =>
    options.breaks === null ? [] : [
      Plot.rectX([options.breaks], {
        x1: (d: number) => d,
        x2: domain[1],
        fill: COLORS.empty,
        fillOpacity: 0.8,
      }),
    ];
  const chosen = (Plot: Plot, label: boolean): Markish[] =>
    options.chosen === null ? [] : [
      Plot.ruleX([options.chosen], { stroke: COLORS.rule, strokeWidth: 1.5, strokeDasharray: "7 3" }),
      ...(label
        ? [Plot.text([options.chosen], {
          x: (d: number) => d,
          text: (d: number) => `chosen ${d}`,
          frameAnchor: "top",
          dy: -9,
          fill: COLORS.rule,
          fontSize: 11.5,
        })]
        : []),
      ...(label && options.breaks !== null
        ? [Plot.text([options.breaks], {
          x: (d: number) => d,
          text: () => "answers break",
          frameAnchor: "top",
          textAnchor: options.breaks > end * 0.8 ? "end" : "start",
          dy: 10,
          dx: options.breaks > end * 0.8 ? -4 : 5,
          fill: COLORS.faint,
          fontSize: 11.5,
        })]
        : []),
    ];
  const marksOf = (
    Plot: Plot,
    i: number,
    points: readonly { ratio: number; value: number | null; low: number | null; high: number | null }[],
  ): Markish[] => {
    const look = LOOKS[i % LOOKS.length] as typeof LOOKS[number];
    const dx = dodge(i);
    const known = points.filter(({ value }) => value !== null);
    return [
      Plot.ruleX(known.filter(({ low, high }) => low !== null && high !== null), {
        x: "ratio",
        y1: "low",
        y2: "high",
        stroke: look.color,
        strokeWidth: 2,
        dx,
      }),
      Plot.line(known, {
        x: "ratio",
        y: "value",
        stroke: look.color,
        strokeWidth: 1.6,
        strokeDasharray: look.dash,
        dx,
      }),
      Plot.dot(known, {
        x: "ratio",
        y: "value",
        r: 4.5,
        symbol: look.symbol,
        stroke: look.color,
        strokeWidth: 2,
        fill: look.fill,
        dx,
      }),
    ];
  };
  const sorted = drawn.map((one) => ({
    ...one,
    points: one.points.toSorted((a, b) => a.ratio - b.ratio),
  }));
  const all = [...sorted.flatMap(({ points }) => points), ...levels]
    .flatMap(({ effect, low, high }) => [effect, low, high]).filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const room = Math.max(1, (high - low) * 0.08);
  const effect = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      ...common,
      height: 310,
      marginTop: 22,
      marginBottom: 26,
      x,
      y: { domain: [low - room, high + room], label: null, tickSize: 0, ticks: 6, tickFormat: signed },
      marks: [
        ...shade(Plot),
        Plot.gridY({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 6 }),
        Plot.ruleY([0], { stroke: COLORS.text, strokeWidth: 1 }),
        ...levels.flatMap((level, i) => {
          const { color } = levelLook(i);
          return [
            ...(level.low === null || level.high === null ? [] : [Plot.rectY([level], {
              x1: domain[0],
              x2: domain[1],
              y1: "low",
              y2: "high",
              fill: color,
              fillOpacity: 0.12,
            })]),
            Plot.ruleY([level.effect], { stroke: color, strokeWidth: 1.8, strokeDasharray: "3 3" }),
          ];
        }),
        ...chosen(Plot, true),
        ...sorted.flatMap(({ points }, i) =>
          marksOf(Plot, i, points.map((point) => ({ ...point, value: point.effect })))
        ),
      ],
    })
  );
  const coherence = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      ...common,
      height: 170,
      marginTop: 12,
      marginBottom: 26,
      x,
      y: {
        domain: [-0.03, 1.03],
        label: null,
        tickSize: 0,
        ticks: [0, 0.25, 0.5, 0.75, 1],
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
      },
      marks: [
        ...shade(Plot),
        Plot.ruleY([0, 0.25, 0.5, 0.75, 1], { stroke: COLORS.grid }),
        Plot.ruleY([options.coherentShare], {
          stroke: COLORS.rule,
          strokeWidth: 1.4,
          strokeDasharray: "2 3",
        }),
        ...chosen(Plot, false),
        ...sorted.flatMap(({ points }, i) =>
          marksOf(
            Plot,
            i,
            points.map(({ ratio, n, coherent, coherentInterval: [from, to] }) => ({
              ratio,
              value: n === 0 ? null : coherent / n,
              low: from,
              high: to,
            })),
          )
        ),
      ],
    })
  );
  const panels: Panel[] = [
    { content: effect + vertical("Effect on the score (points)", 22, 284), height: 312 },
    {
      content: coherence + vertical("Coherent answers", 12, 144) +
        `<text x="${
          (PANEL_MARGINS.marginLeft + FIGURE_WIDTH - PANEL_MARGINS.marginRight) / 2
        }" y="180" font-size="12" text-anchor="middle" fill="${COLORS.text}">${
          escapeXml(options.strength ?? "Strength: length of the steering over that of the activations")
        }</text>`,
      height: 194,
    },
    legend([
      ...sorted.map(({ label, points }, i): LegendItem => ({
        symbol: symbolOf(i),
        label: `${label} (${counts(points)})`,
      })),
      ...levels.map(({ label }, i): LegendItem => ({
        symbol: `<path d="M0 7H22" stroke="${levelLook(i).color}" stroke-width="2" stroke-dasharray="3 3"/>`,
        label,
      })),
    ], "Bars: 95% interval."),
  ];
  const alt =
    sorted.map(({ label, points }) =>
      `${label}: ${
        points.map(({ ratio, effect, low, high, n, coherent }) =>
          `at ${ratio} ${effect === null ? "no score" : signed(effect)}${
            low === null || high === null ? "" : ` (${signed(low)} to ${signed(high)})`
          }, ${coherent} of ${n} coherent`
        ).join("; ")
      }`
    ).join(". ") +
    levels.map(({ label, effect }) => `. ${label}: ${signed(effect)}`).join("") +
    `. ${
      options.breaks === null
        ? "Answers stay coherent at every strength tried."
        : `Answers break from ${options.breaks} on.`
    }`;
  const notes = [
    ...(options.notes ?? []),
    `Dotted line below: ${formatPercent(options.coherentShare)} coherent is what a strength needs.`,
  ];
  return frame(options.title, notes.map((text) => ({ text })), panels, `Effect by strength. ${alt}`);
}

const levelLook = (i: number) => ({ color: i % 2 === 0 ? COLORS.warning : COLORS.rule2 });

function counts(points: readonly DosePoint[]): string {
  const all = [...new Set(points.map(({ n }) => n))].sort((a, b) => a - b);
  return `n = ${all.length > 1 ? `${all[0]} to ${all.at(-1)}` : all[0]} each`;
}

function symbolOf(i: number): string {
  const { color, fill, symbol, dash } = LOOKS[i % LOOKS.length] as typeof LOOKS[number];
  const shapes = {
    circle: `<circle cx="11" cy="7" r="4.5"`,
    square: `<rect x="7" y="3" width="8" height="8"`,
    triangle: `<path d="M11 1L16 10.5L6 10.5Z"`,
    diamond: `<path d="M11 0.5L15.5 7L11 13.5L6.5 7Z"`,
  };
  return `<path d="M0 7H22" stroke="${color}" stroke-width="1.6" stroke-dasharray="${dash}"/>` +
    `${shapes[symbol]} stroke="${color}" stroke-width="2" fill="${fill}"/>`;
}

function vertical(label: string, top: number, bottom: number): string {
  return `<text transform="translate(15,${
    (top + bottom) / 2
  }) rotate(-90)" font-size="12" text-anchor="middle" fill="${COLORS.text}">${label}</text>`;
}
