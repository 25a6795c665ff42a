/**
 * SVG to PNG, on machines without fonts too.
 * @module
 */
import { fileURLToPath } from "node:url";
import { InputError, messageOf } from "../base/errors.ts";
import { FIGURE_WIDTH } from "./theme.ts";

/** Options of {@linkcode svgToPng}. */
export interface PngOptions {
  /** Width in pixels, default 800; the height follows. */
  readonly width?: number;
}

/**
 * Renders SVG text as PNG bytes with the DejaVu Sans fonts of the package `dejavu-fonts-ttf`; fonts of the machine
 * are not looked at, so that the same figure gives the same pixels everywhere.
 *
 * @throws {InputError} when the text is no SVG.
 */
export async function svgToPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const fonts = import.meta.resolve("dejavu-fonts-ttf/package.json");
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]
    .map((name) => fileURLToPath(new URL(`./ttf/${name}`, fonts)));
  try {
    const image = new Resvg(svg, {
      fitTo: { mode: "width", value: options.width ?? FIGURE_WIDTH },
      font: {
        loadSystemFonts: false,
        fontFiles,
        defaultFontFamily: "DejaVu Sans",
        sansSerifFamily: "DejaVu Sans",
      },
    });
    return new Uint8Array(image.render().asPng());
  } catch (error) {
    throw new InputError(`This is no SVG that can be drawn: ${messageOf(error)}. Draw the figure again.`, {
      cause: error,
    });
  }
}
