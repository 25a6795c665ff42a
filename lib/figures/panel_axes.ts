/**
 * The axes that the panels of a figure share.
 * @module
 */
import { COLORS, FIGURE_WIDTH, formatLength } from "./theme.ts";

/** Left and right margins of every panel, in pixels. */
export const PANEL_MARGINS = { marginLeft: 68, marginRight: 20 } as const;

/** A band scale of Observable Plot over input lengths. */
export interface LengthColumns {
  /** Evenly wide columns. */
  readonly type: "band";
  /** The lengths in tokens, left to right. */
  readonly domain: number[];
  /** Share of a column left free. */
  readonly padding: number;
  /** Whether columns snap to whole pixels. */
  readonly round: boolean;
  /** No title: the panel draws its own. */
  readonly label: null;
  /** No ticks. */
  readonly tickSize: number;
  /** Labels of the columns. */
  readonly tickFormat: (tokens: number) => string;
}

/** The x scale of a heatmap, and of a line that stands under it: a column of equal width for each length. */
export function lengthColumns(lengths: readonly number[]): LengthColumns {
  return {
    type: "band",
    domain: [...lengths],
    padding: 0.03,
    round: false,
    label: null,
    tickSize: 0,
    tickFormat: formatLength,
  };
}

/** The titles of both axes of a panel whose frame goes from `top` to `bottom`. */
export function axisTitles(vertical: string, top: number, bottom: number): string {
  const x = (PANEL_MARGINS.marginLeft + FIGURE_WIDTH - PANEL_MARGINS.marginRight) / 2;
  const style = `font-size="12" text-anchor="middle" fill="${COLORS.text}"`;
  return `<text x="${x}" y="${bottom + 36}" ${style}>Input length (tokens)</text>` +
    `<text transform="translate(20,${(top + bottom) / 2}) rotate(-90)" ${style}>${vertical}</text>`;
}
