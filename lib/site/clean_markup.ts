/**
 * Markup that others wrote, made harmless.
 * @module
 */
import { parseHTML } from "linkedom";
import { cleanStyle } from "./clean_style.ts";

/** Options of {@linkcode cleanMarkup}. */
export interface CleanOptions {
  /** Stands before every id, so that several pictures on one page do not share ids. */
  readonly idPrefix?: string;
  /** Where a part of a figure that stands for rows (`data-rows`) leads to; nowhere when left out. */
  readonly rowsHref?: (rows: string) => string;
}

const HTML_ELEMENTS = new Set(
  ("a abbr b bdi bdo blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 " +
    "hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var")
    .split(" "),
);
/** SVG elements, as HTML's parser names them and as they are written. */
const SVG_ELEMENTS = new Map(
  ("svg g rect path line text tspan circle ellipse polygon polyline defs pattern clipPath linearGradient radialGradient stop " +
    "title desc marker use").split(" ").map((name) => [name.toLowerCase(), name]),
);
/** Elements whose content goes with them. */
const DROPPED = new Set(
  ("script style template iframe object embed noscript noembed noframes textarea xmp plaintext select option button input " +
    "form audio video canvas math foreignobject head meta link base frame frameset portal").split(" "),
);
const VOID = new Set(["br", "hr", "img", "col"]);

const ATTRIBUTES = new Map(
  ("alt title colspan rowspan scope start reversed role dir lang open width height x y x1 y1 x2 y2 dx dy cx cy r rx ry d " +
    "points transform viewBox preserveAspectRatio fill fill-opacity fill-rule stroke stroke-width stroke-opacity " +
    "stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit color opacity font-family font-size " +
    "font-weight font-style font-variant text-anchor dominant-baseline alignment-baseline letter-spacing paint-order " +
    "patternUnits patternTransform patternContentUnits gradientUnits gradientTransform offset stop-color stop-opacity " +
    "clip-path clip-rule markerWidth markerHeight refX refY orient marker-end marker-start vector-effect xml:space " +
    "shape-rendering text-rendering").split(" ").map((name) => [name.toLowerCase(), name]),
);

interface Walked {
  readonly nodeType: number;
  readonly localName?: string;
  readonly textContent: string | null;
  readonly attributes?: Iterable<{ readonly name: string; readonly value: string }>;
  readonly childNodes: Iterable<Walked>;
}

/**
 * HTML or SVG with nothing in it that runs, loads, submits, leaves its place or covers the page: known elements and
 * attributes are written anew, everything else is left out. What comes out is made of texts that were escaped and of
 * names from fixed lists, so that no parser reads anything else into it.
 */
export function cleanMarkup(markup: string, options: CleanOptions = {}): string {
  const text = markup.toWellFormed().replace(/^\s*<\?xml[^>]*\?>/, "").replaceAll("\0", "\uFFFD");
  const { document } = parseHTML(`<!doctype html><html><body>${text}</body></html>`);
  return children(document.body as unknown as Walked, options, false);
}

/** A text in element content or a quoted attribute. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(
    /[&<>"'`]|[^\P{Cc}\t\n\r]/gu,
    (c) => /[&<>"'`]/.test(c) ? `&#${c.charCodeAt(0)};` : "\uFFFD",
  );
}

function children(node: Walked, options: CleanOptions, inSvg: boolean): string {
  let out = "";
  for (const child of node.childNodes) out += nodeMarkup(child, options, inSvg);
  return out;
}

function nodeMarkup(node: Walked, options: CleanOptions, inSvg: boolean): string {
  if (node.nodeType === 3) return escapeText(node.textContent ?? "");
  if (node.nodeType !== 1) return "";
  const given = (node.localName ?? "").toLowerCase();
  if (DROPPED.has(given)) return "";
  const svg = inSvg || given === "svg";
  const name = svg && given !== "a" ? SVG_ELEMENTS.get(given) : HTML_ELEMENTS.has(given) ? given : undefined;
  if (name === undefined) return children(node, options, inSvg);
  const attributes = [...node.attributes ?? []];
  const inside = VOID.has(name) ? "" : children(node, options, svg);
  if (
    name === "img" &&
    !attributes.some((attribute) => attribute.name.toLowerCase() === "src" && isPicture(attribute.value))
  ) {
    return escapeText(attributes.find((attribute) => attribute.name.toLowerCase() === "alt")?.value ?? "");
  }
  const kept = attributes.map((attribute) => cleanAttribute(name, attribute, options)).join("");
  const whole = VOID.has(name) ? `<${name}${kept}>` : `<${name}${kept}>${inside}</${name}>`;
  const rows = svg ? attributes.find((attribute) => attribute.name === "data-rows")?.value : undefined;
  if (rows === undefined || options.rowsHref === undefined) return whole;
  const label = [...node.childNodes].find((child) => child.localName === "title")?.textContent ?? rows;
  return `<a href="${escapeText(options.rowsHref(rows))}" aria-label="${escapeText(label)}">${whole}</a>`;
}

function isPicture(src: string): boolean {
  return /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/.test(src);
}

function cleanAttribute(
  element: string,
  { name: given, value }: { readonly name: string; readonly value: string },
  { idPrefix = "" }: CleanOptions,
): string {
  const lower = given.toLowerCase();
  const write = (name: string, text: string) => ` ${name}="${escapeText(text)}"`;
  switch (lower) {
    case "id":
      return /^[\w.-]+$/.test(value) ? write("id", idPrefix + value) : "";
    case "style": {
      const style = cleanStyle(value);
      return style === "" ? "" : write("style", style);
    }
    case "href":
    case "xlink:href":
      if (/^#[\w.-]+$/.test(value)) return write("href", `#${idPrefix}${value.slice(1)}`);
      return element === "a" && /^(https?:\/\/|mailto:)/i.test(value.trim())
        ? write("href", value.trim()) + ' rel="noreferrer noopener"'
        : "";
    case "src":
      return element === "img" && isPicture(value) ? write("src", value) : "";
    case "aria-valuemin":
    case "aria-valuemax":
    case "aria-valuenow":
    case "aria-label":
    case "aria-hidden":
      return write(lower, value);
  }
  const name = ATTRIBUTES.get(lower);
  if (name === undefined) return "";
  if (!/url\s*\(/i.test(value) && !value.includes("\\")) return write(name, value);
  const own = /^\s*url\(\s*["']?#([\w.-]+)["']?\s*\)\s*$/i.exec(value)?.[1];
  return own === undefined ? "" : write(name, `url(#${idPrefix}${own})`);
}
