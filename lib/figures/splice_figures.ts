/**
 * The figures of a splice experiment.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Caption, type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { axisTitles, PANEL_MARGINS } from "./panel_axes.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, formatPercent } from "./theme.ts";

/** What all figures of a splice experiment say above their panels. */
export interface SpliceFigureOptions {
  /** The model. */
  readonly variant: string;
  /** Further lines. */
  readonly notes?: readonly string[];
  /** Whether the answers are simulated: said in the title. */
  readonly simulated?: boolean;
}

/** One sentence of the scatter. */
export interface EffectDot {
  /** Change of the share of hinted answers by the table. */
  readonly delta: number;
  /** Change that was measured. */
  readonly effect: number;
  /** 95% interval of it. */
  readonly interval: readonly [number, number];
  /** A spliced sentence, or a control. */
  readonly kind: "anchor" | "control";
  /** Whether its effect is shown after correction. */
  readonly shown: boolean;
}

const HEIGHT = 380;
const signed = (value: number) => value === 0 ? "0" : `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}`;

/**
 * Measured effect against delta, each with its interval, with the lines of no effect and of an effect as large as the
 * delta.
 *
 * @throws {InputError} when there are no sentences.
 */
export async function effectFigure(
  dots: readonly EffectDot[],
  options: SpliceFigureOptions,
): Promise<Figure> {
  if (dots.length === 0) throw new InputError("A figure of effects needs at least one sentence, got none.");
  const low = Math.min(-0.1, ...dots.flatMap(({ delta, interval }) => [delta, interval[0]]));
  const deltas = dots.map(({ delta }) => delta);
  const [left, right] = [Math.min(0, ...deltas) - 0.05, Math.max(0.5, ...deltas) + 0.05];
  const [bottom, top] = [Math.floor(low * 5) / 5, 1];
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: HEIGHT,
      ...PANEL_MARGINS,
      marginTop: 12,
      marginBottom: 42,
      x: { domain: [left, right], label: null, tickFormat: signed, ticks: 8, tickSize: 0 },
      y: { domain: [bottom, top], label: null, tickFormat: signed, ticks: 7, tickSize: 0 },
      marks: [
        Plot.gridY({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 7 }),
        Plot.gridX({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 8 }),
        Plot.ruleY([0], { stroke: COLORS.rule, strokeWidth: 1.4 }),
        Plot.line([Math.max(left, bottom), right].map((x) => ({ x })), {
          x: "x",
          y: "x",
          stroke: COLORS.rule2,
          strokeWidth: 1.4,
          strokeDasharray: "7 3",
        }),
        Plot.ruleX(dots, {
          x: "delta",
          y1: (dot: EffectDot) => dot.interval[0],
          y2: (dot: EffectDot) => dot.interval[1],
          stroke: colorOf,
          strokeWidth: 1.8,
          strokeOpacity: 0.75,
        }),
        Plot.dot(dots, {
          x: "delta",
          y: "effect",
          r: 4.5,
          symbol: (dot: EffectDot) => dot.kind === "anchor" ? "circle" : "square",
          stroke: colorOf,
          fill: (dot: EffectDot) => dot.shown ? colorOf(dot) : COLORS.background,
          strokeWidth: 2,
        }),
      ],
    })
  );
  const anchors = dots.filter(({ kind }) => kind === "anchor");
  const controls = dots.length - anchors.length;
  const shown = anchors.filter((dot) => dot.shown).length;
  const mark = (color: string, fill: string, shape: string) =>
    `<line x1="11" y1="0" x2="11" y2="14" stroke="${color}" stroke-width="1.8"/>` +
    `<${shape} stroke="${color}" stroke-width="2" fill="${fill}"/>`;
  const circle = 'circle cx="11" cy="7" r="4"', square = 'rect x="7" y="3" width="8" height="8"';
  const line = (color: string, dash: string) =>
    `<line x1="0" y1="7" x2="22" y2="7" stroke="${color}" stroke-width="1.6" stroke-dasharray="${dash}"/>`;
  const items: LegendItem[] = [
    { symbol: mark(COLORS.valid, COLORS.valid, circle), label: "spliced sentence, effect shown" },
    { symbol: mark(COLORS.valid, COLORS.background, circle), label: "not shown" },
    ...(controls > 0
      ? [{ symbol: mark(COLORS.raw, COLORS.background, square), label: "control sentence" }]
      : []),
    { symbol: line(COLORS.rule2, "7 3"), label: "effect as large as the delta" },
  ];
  const panels: Panel[] = [
    {
      content: plot + axisTitles("Effect measured here", 12, HEIGHT - 42, {
        title: "Delta: change of the share of hinted answers by which the sentence was selected",
        below: 36,
      }),
      height: HEIGHT + 8,
    },
    legend(items, "Bars: 95% interval."),
  ];
  const said = `${anchors.length} spliced sentences, ${shown} with an effect that is shown` +
    (controls > 0 ? `, and ${controls} controls` : "");
  const range = (values: readonly EffectDot[]) =>
    `${signed(Math.min(...values.map(({ effect }) => effect)))} to ${
      signed(Math.max(...values.map(({ effect }) => effect)))
    }`;
  const alt = `Scatter of measured effect against delta: ${said}.` +
    (anchors.length > 0 ? ` Effects of spliced sentences from ${range(anchors)}.` : "") +
    (controls > 0
      ? ` Effects of controls from ${range(dots.filter(({ kind }) => kind === "control"))}.`
      : "");
  return frame(titleOf("Effect of a sentence", options), captionsOf(options, `${said}.`), panels, alt);
}

const colorOf = (dot: EffectDot) => dot.kind === "anchor" ? COLORS.valid : COLORS.raw;

/** One arm. */
export interface ArmBar {
  /** What the prompt was made of, for people. */
  readonly label: string;
  /** Hinted answers. */
  readonly hinted: number;
  /** Answers that could be read. */
  readonly valid: number;
  /** Outputs without an answer. */
  readonly lost: number;
  /** Share of hinted answers, 0..1; null without answers, which is drawn as such. */
  readonly rate: number | null;
  /** 95% interval. */
  readonly interval: readonly [number, number];
  /** Bars of the same group have the same colour. */
  readonly group: "anchor" | "control" | "none";
}

const BAR = 46, LEFT = 292, RIGHT = 28, TOP = 8, BOTTOM = 44;
const GROUPS = {
  anchor: { color: COLORS.valid, label: "cut at the spliced sentence" },
  control: { color: COLORS.raw, label: "cut at its control sentence" },
  none: { color: COLORS.rule2, label: "no prefix" },
} as const;

/**
 * The share of hinted answers in each arm, as bars with their intervals.
 *
 * @throws {InputError} when there are no arms.
 */
export async function armsFigure(bars: readonly ArmBar[], options: SpliceFigureOptions): Promise<Figure> {
  if (bars.length === 0) throw new InputError("A figure of arms needs at least one arm, got none.");
  const height = TOP + bars.length * BAR + BOTTOM;
  const known = bars.flatMap((bar, i) => bar.rate === null ? [] : [{ ...bar, y: String(i), rate: bar.rate }]);
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height,
      marginLeft: LEFT,
      marginRight: RIGHT,
      marginTop: TOP,
      marginBottom: BOTTOM,
      x: {
        domain: [0, 1],
        label: null,
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 5,
        tickSize: 0,
      },
      y: { type: "band", domain: bars.map((_, i) => String(i)), padding: 0, axis: null },
      marks: [
        Plot.gridX({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 5 }),
        Plot.barX(known, {
          y: "y",
          x: "rate",
          fill: (bar: ArmBar) => GROUPS[bar.group].color,
          fillOpacity: 0.35,
          insetTop: 12,
          insetBottom: 12,
        }),
        Plot.ruleY(known, {
          y: "y",
          x1: (bar: ArmBar) => bar.interval[0],
          x2: (bar: ArmBar) => bar.interval[1],
          stroke: (bar: ArmBar) => GROUPS[bar.group].color,
          strokeWidth: 3,
        }),
        Plot.dot(known, { y: "y", x: "rate", r: 4.5, fill: (bar: ArmBar) => GROUPS[bar.group].color }),
        Plot.ruleX([0], { stroke: COLORS.rule }),
      ],
    })
  );
  const words = ({ hinted, valid, lost, rate }: ArmBar) =>
    (rate === null ? "no answers" : `${hinted} of ${valid} answers, ${formatPercent(rate)}`) +
    (lost > 0 ? `; ${lost} without one` : "");
  const labels = bars.map((bar, i) => {
    const y = TOP + BAR * (i + 0.5);
    const text = (dy: number, size: number, color: string, words: string) =>
      `<text x="${LEFT - 12}" y="${y + dy}" font-size="${size}" text-anchor="end" fill="${color}">${
        escapeXml(words)
      }</text>`;
    return text(-2, 12.5, COLORS.text, bar.label) + text(13, 11, COLORS.faint, words(bar));
  });
  const title =
    `<text x="${(LEFT + FIGURE_WIDTH - RIGHT) / 2}" y="${height - 6}" font-size="12" text-anchor="middle" ` +
    `fill="${COLORS.text}">Share of hinted answers</text>`;
  const groups = [...new Set(bars.map(({ group }) => group))];
  const square = (color: string) =>
    `<rect x="2" y="0" width="18" height="14" fill="${color}" fill-opacity="0.6"/>`;
  const panels: Panel[] = [
    { content: plot + labels.join("") + title, height: height + 8 },
    legend(
      groups.map((group) => ({ symbol: square(GROUPS[group].color), label: GROUPS[group].label })),
      "Lines: 95% interval.",
    ),
  ];
  const alt = `Bars of the share of hinted answers by arm. ${
    bars.map((bar) =>
      `${bar.label}: ${words(bar)}` +
      (bar.rate === null ? "" : ` (95% interval ${bar.interval.map(formatPercent).join(" to ")})`)
    ).join("; ")
  }.`;
  return frame(titleOf("Hinted answers by arm", options), captionsOf(options), panels, alt);
}

/** A figure's title. */
export function titleOf(what: string, { variant, simulated }: SpliceFigureOptions): string {
  return `${what}, ${variant}${simulated ? " (SIMULATED answers)" : ""}`;
}

/** Lines under a title. */
export function captionsOf({ notes = [] }: SpliceFigureOptions, first?: string): Caption[] {
  return [...first === undefined ? [] : [first], ...notes].map((text) => ({ text }));
}
