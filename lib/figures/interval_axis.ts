/**
 * The x axis of values with intervals.
 * @module
 */
import { PANEL_MARGINS } from "./panel_axes.ts";
import type { Mark, Plot } from "./plot_svg.ts";
import { COLORS, FIGURE_WIDTH } from "./theme.ts";

/** Small texts on a line below the axis. */
export interface AxisLine {
  /** What the texts say, at the left. */
  readonly title: string;
  /** Their colour. */
  readonly color: string;
  /** The texts by their places. */
  readonly labels: readonly { readonly x: number; readonly text: string }[];
}

/** Draws a line of texts, `dy` pixels below the frame; on a log axis those that do not touch. */
export function lineMark(
  Plot: Plot,
  { labels, color }: AxisLine,
  domain: readonly [number, number] | null,
  dy: number,
): Mark {
  const kept = domain === null ? null : new Set(spread(labels.map(({ x }) => x), domain, SMALL_ROOM));
  const shown = labels.filter(({ x }) => kept?.has(x) ?? true);
  return Plot.text(shown, { x: "x", text: "text", frameAnchor: "bottom", dy, fontSize: 11, fill: color });
}

/** What a line of texts says, left of it. */
export function lineTitle(title: string, y: number): string {
  const x = PANEL_MARGINS.marginLeft - 22;
  return `<text x="${x}" y="${y}" font-size="11" text-anchor="end" fill="${COLORS.faint}">${title}</text>`;
}

/** Grid lines and labels of a log axis. */
export function logAxis(
  Plot: Plot,
  places: readonly number[],
  domain: readonly [number, number],
  format: (place: number) => string,
): Mark[] {
  const label = { x: (d: number) => d, text: format, frameAnchor: "bottom", dy: 18 } as const;
  return [
    Plot.ruleX(places, { stroke: COLORS.grid }),
    Plot.text(spread(places, domain, LABEL_ROOM), { ...label, fontSize: 12, fill: COLORS.text }),
  ];
}

/** A vertical line at the trained window. */
export function windowMark(Plot: Plot, window: number, domain: readonly [number, number]): Mark[] {
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

/** The ends of a log axis that shows all places, and the window where there is one. */
export function logDomain(places: readonly number[], window: number | null): [number, number] {
  const all = window === null ? places : [...places, window];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const room = low === high ? 2 : (high / low) ** 0.05;
  return [low / room, high * room];
}

/** Pixels that a label of the x axis, and one of a line below it, needs. */
const LABEL_ROOM = 38, SMALL_ROOM = 25;

/** The places that can be labelled on a log axis without their labels touching; the last first. */
function spread(places: readonly number[], [low, high]: readonly [number, number], room: number): number[] {
  const width = FIGURE_WIDTH - PANEL_MARGINS.marginLeft - PANEL_MARGINS.marginRight;
  const pixels = (place: number) => Math.log(place / low) / Math.log(high / low) * width;
  const kept: number[] = [];
  for (const place of places.toReversed()) {
    if (kept.every((other) => Math.abs(pixels(other) - pixels(place)) > room)) kept.push(place);
  }
  return kept;
}
