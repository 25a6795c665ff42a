/**
 * Observable Plot without a browser.
 * @module
 */
import { COLORS, FONT_FAMILY } from "./theme.ts";

/** Observable Plot. */
export type Plot = typeof import("@observablehq/plot");

/** What a plot is made of. */
export type Mark = ReturnType<Plot["text"] | Plot["ruleX"]>;

const STYLE = { "font-family": FONT_FAMILY, "font-size": "12", color: COLORS.text };

/**
 * Draws a plot into SVG text, with our font and colours and without a style sheet (which readers other than browsers
 * ignore). Plot and its document are loaded when a figure is first drawn.
 *
 * @param draw makes the plot; it hands `document` on to `Plot.plot`
 */
export async function plotSvg(draw: (Plot: Plot, document: Document) => Element): Promise<string> {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = draw(Plot, document as unknown as Document);
  plot.setAttribute("class", "plot");
  for (const [name, value] of Object.entries(STYLE)) plot.setAttribute(name, value);
  return plot.outerHTML.replace(/<style>[^]*?<\/style>/g, "");
}
