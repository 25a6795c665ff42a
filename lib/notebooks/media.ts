/**
 * What a cell shows: one thing in several forms, of which a client takes the richest it knows.
 * @module
 */
import { table, type TableRow } from "./table.ts";
import { escapeHtml, Html } from "./html.ts";

/** Forms of one thing by MIME type; images other than SVG in base64. */
export type MediaBundle = Record<string, string>;

/** A figure as reports hold it. */
export interface Figure {
  /** The picture, from `<svg` on. */
  readonly svg: string;
  /** What it shows, in words. */
  readonly alt: string;
  /** The same picture as PNG; drawn from the SVG when left out. */
  readonly png?: Uint8Array;
}

/** Width of a figure's PNG: sharp at the 800 CSS pixels it is shown at. */
const FIGURE_PIXELS = 1600;

/** The part of a polars DataFrame that is read. */
interface DataFrameLike {
  readonly columns: readonly string[];
  readonly height: number;
  toRecords(): TableRow[];
}

/**
 * The forms of a value:
 * a figure as SVG, PNG and its alt text; {@linkcode Html} as it is, with its text; an element (a Plot figure) as SVG or
 * HTML; a polars DataFrame or an array of objects as a table; a string as text; anything else as Deno prints it.
 * Nothing but `Html`, elements and figures is taken for markup.
 */
export async function toMediaBundle(value: unknown): Promise<MediaBundle> {
  if (value instanceof Html) return { "text/html": value.html, "text/plain": value.text };
  if (typeof value === "string") return { "text/plain": value.toWellFormed() };
  if (isFigure(value)) return await figureBundle(value);
  if (isElement(value)) {
    const markup = value.outerHTML;
    return /^<svg[\s>]/.test(markup)
      ? await figureBundle({
        svg: withNamespace(markup),
        alt: value.getAttribute?.("aria-label") ?? "figure",
      })
      : { "text/html": markup, "text/plain": new Html(withoutPictures(markup)).text || "figure" };
  }
  if (isDataFrame(value)) return await toMediaBundle(table(value.toRecords(), { columns: value.columns }));
  if (Array.isArray(value) && value.length > 0 && value.every(isRecord)) {
    return await toMediaBundle(table(value));
  }
  return { "text/plain": Deno.inspect(value, { depth: 6, iterableLimit: 200 }).toWellFormed() };
}

async function figureBundle(figure: Figure): Promise<MediaBundle> {
  const { svgToPng } = await import("../figures/svg_to_png.ts");
  const png = (figure.png ?? await svgToPng(figure.svg, { width: FIGURE_PIXELS })).toBase64();
  // The picture as HTML comes first: some versions of nbconvert clean SVG until nothing is left of it.
  const image = `<img src="data:image/png;base64,${png}" alt="${
    escapeHtml(figure.alt)
  }" style="max-width:800px;width:100%">`;
  return { "text/html": image, "image/svg+xml": figure.svg, "image/png": png, "text/plain": figure.alt };
}

function isRecord(value: unknown): value is TableRow {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isFigure(value: unknown): value is Figure {
  const figure = value as Partial<Figure> | null;
  return typeof figure === "object" && typeof figure?.alt === "string" && typeof figure.svg === "string" &&
    /^\s*(<\?xml[^>]*\?>\s*)?<svg[\s>]/.test(figure.svg);
}

interface ElementLike {
  readonly outerHTML: string;
  getAttribute?(name: string): string | null;
}

function isElement(value: unknown): value is ElementLike {
  return typeof value === "object" && value !== null && "nodeType" in value &&
    typeof (value as unknown as ElementLike).outerHTML === "string";
}

function isDataFrame(value: unknown): value is DataFrameLike {
  const frame = value as Partial<DataFrameLike> | null;
  return (typeof frame === "object" || typeof frame === "function") && frame !== null &&
    typeof frame.toRecords === "function" && Array.isArray(frame.columns) && typeof frame.height === "number";
}

function withoutPictures(markup: string): string {
  return markup.replace(/<(style|svg)\b[^]*?<\/\1>/g, "");
}

function withNamespace(svg: string): string {
  return /^<svg[^>]*\sxmlns=/.test(svg)
    ? svg
    : svg.replace(/^<svg/, '<svg xmlns="http://www.w3.org/2000/svg"');
}
