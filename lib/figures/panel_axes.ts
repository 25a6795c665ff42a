/**
 * The axes that the panels of a figure share.
 * @module
 */
import { COLORS, escapeXml, FIGURE_WIDTH, formatLength } from "./theme.ts";

/** Left and right margins of every panel, in pixels. */
export const PANEL_MARGINS = { marginLeft: 68, marginRight: 20 } as const;

/** A band scale of Observable Plot over evenly wide columns. */
export interface AxisColumns {
  /** Evenly wide columns. */
  readonly type: "band";
  /** The places, left to right: input lengths in tokens, or others. */
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
  readonly tickFormat: (place: number) => string;
}

/** An x scale with a column of equal width for each place, such as that of a heatmap and of a line that stands under it. */
export function axisColumns(
  places: readonly number[],
  format: (place: number) => string = formatLength,
): AxisColumns {
  return {
    type: "band",
    domain: [...places],
    padding: 0.03,
    round: false,
    label: null,
    tickSize: 0,
    tickFormat: format,
  };
}

/**
 * The titles of both axes of a panel whose frame goes from `top` to `bottom`.
 *
 * @param horizontal the x axis' own title, and how far below the frame it stands
 */
export function axisTitles(
  vertical: string,
  top: number,
  bottom: number,
  horizontal: { readonly title: string; readonly below: number } = {
    title: "Input length (tokens)",
    below: 36,
  },
): string {
  const x = (PANEL_MARGINS.marginLeft + FIGURE_WIDTH - PANEL_MARGINS.marginRight) / 2;
  const style = `font-size="12" text-anchor="middle" fill="${COLORS.text}"`;
  return `<text x="${x}" y="${bottom + horizontal.below}" ${style}>${escapeXml(horizontal.title)}</text>` +
    `<text transform="translate(15,${(top + bottom) / 2}) rotate(-90)" ${style}>${
      escapeXml(vertical)
    }</text>`;
}
