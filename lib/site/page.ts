/**
 * The frame of every page.
 * @module
 */
import { escapeText } from "./clean_markup.ts";
import { STYLE } from "./style.ts";

/** What a page is made of; everything but the title and the description is markup. */
export interface PageParts {
  /** The title, as text. */
  readonly title: string;
  /** A sentence for search engines and previews, as text. */
  readonly description?: string;
  /** The way from the page to the site's folder: empty, or `../`. */
  readonly root?: string;
  /** Links beside the one to the start. */
  readonly nav?: string;
  /** The content. */
  readonly body: string;
  /** Below the content. */
  readonly footer?: string;
  /** A further style sheet. */
  readonly style?: string;
  /** Paths of scripts of the site; pages without any allow none. */
  readonly scripts?: readonly string[];
  /** Whether scripts may ask the server that the page is from. */
  readonly connect?: boolean;
  /** Class of the main element. */
  readonly mainClass?: string;
}

/** Marks a page, and so a folder of pages, as ours. */
export const GENERATOR = "Probebook";

/** A whole page that loads nothing from anywhere else; its own policy forbids it. */
export function page(parts: PageParts): string {
  const { root = "", scripts = [], nav = "", footer = "", style = "", mainClass = "" } = parts;
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    ...(scripts.length === 0 ? [] : ["script-src 'self'"]),
    ...(parts.connect ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const description = parts.description === undefined
    ? ""
    : `<meta name="description" content="${escapeText(parts.description)}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${GENERATOR}">
<meta name="referrer" content="no-referrer">
<title>${escapeText(parts.title)}</title>
${description}<link rel="icon" href="data:,">
<style>${STYLE}${style === "" ? "" : "\n" + style}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header><a href="${root}index.html">Probebook</a>${
    nav === "" ? "" : ` <nav aria-label="Pages">${nav}</nav>`
  }</header>
<main id="main"${mainClass === "" ? "" : ` class="${mainClass}"`}>
${parts.body}
</main>
<footer>${footer}</footer>
${scripts.map((path) => `<script src="${escapeText(path)}" defer></script>`).join("\n")}
</body>
</html>
`;
}

/** A JSON value as it may stand in a script element: nothing in it can end the element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>\u2028\u2029]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
