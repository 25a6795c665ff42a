/**
 * An executed notebook as markup.
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import {
  type Cell,
  hasTag,
  INJECTED_TAG,
  type Notebook,
  type Output,
  PARAMETERS_TAG,
} from "../notebooks/notebook.ts";
import { cleanMarkup, escapeText } from "./clean_markup.ts";
import { markdownHtml, titleAndQuestion } from "./markdown.ts";

/** A figure of a notebook. */
export interface ArticleFigure {
  /** Its SVG as the cell gave it. */
  readonly svg: string;
  /** What it shows, in words. */
  readonly alt: string;
  /** The figure with its words, as markup. */
  readonly html: string;
}

/** A notebook to be read. */
export interface Article {
  /** Its first heading. */
  readonly title: string;
  /** The question it asks, or null. */
  readonly question: string | null;
  /** What it found, in a few lines: the first text that the cell tagged `finding` gave, else the first figure in words. */
  readonly finding: string | null;
  /** The content, without a frame. */
  readonly html: string;
  /** Its figures, in order. */
  readonly figures: readonly ArticleFigure[];
}

/** Where a figure's parts lead to. */
export interface FigureLinks {
  /** The inspector of the rows behind a figure, or null. */
  readonly rowsOf?: (svg: string) => { readonly href: string; readonly label: string } | null;
}

/** The tag of the cell whose first output says what a notebook found. */
export const FINDING_TAG = "finding";
/** Lines of a finding. */
const FINDING_LINES = 3;
/** Larger markup is shown as its text. */
const MOST_MARKUP = 4_000_000;
/** Most characters of a text output. */
const MOST_TEXT = 100_000;

/** Renders a notebook; `name` stands in for a missing title. */
export function notebookArticle(notebook: Notebook, name: string, links: FigureLinks = {}): Article {
  const figures: ArticleFigure[] = [];
  const parts: string[] = [];
  for (const cell of notebook.cells) {
    if (cell.cell_type === "markdown") parts.push(`<section>${markdownHtml(cell.source)}</section>`);
    else if (cell.cell_type === "code") parts.push(codeCell(cell, figures, links));
  }
  const prose = notebook.cells.filter((cell) => cell.cell_type === "markdown").map((cell) => cell.source)
    .join("\n\n");
  const { title, question } = titleAndQuestion(prose);
  return {
    title: title ?? name,
    question,
    finding: findingOf(notebook) ?? figures[0]?.alt ?? null,
    html: parts.join("\n"),
    figures,
  };
}

/** A figure with a link to its rows, where there are any. `prefix` keeps its ids apart from those of others. */
export function figureHtml(svg: string, alt: string, prefix: string, links: FigureLinks = {}): string {
  const rows = links.rowsOf?.(svg) ?? null;
  const linked = rows !== null && svg.includes("data-rows=");
  const clean = cleanMarkup(linked ? svg.replace(/\brole="img"/, 'role="group"') : svg, {
    idPrefix: prefix,
    ...(rows === null ? {} : { rowsHref: (which: string) => `${rows.href}#${which}` }),
  });
  const open = rows === null
    ? ""
    : `<p class="noprint"><a href="${escapeText(rows.href)}">${escapeText(rows.label)}</a>${
      linked ? "; a cell opens its own" : ""
    }</p>`;
  return `<figure class="figure"><div class="scroll" tabindex="0" role="region" aria-label="Figure">${clean}</div>` +
    `<figcaption><details><summary>In words</summary><p>${
      escapeText(alt)
    }</p></details>${open}</figcaption></figure>`;
}

function codeCell(cell: Cell, figures: ArticleFigure[], links: FigureLinks): string {
  const lines = cell.source.split("\n").length;
  const parameters = hasTag(cell, PARAMETERS_TAG) || hasTag(cell, INJECTED_TAG);
  const summary = hasTag(cell, INJECTED_TAG)
    ? "Parameters of this run"
    : parameters
    ? "Parameters"
    : `Code, ${lines} line${lines === 1 ? "" : "s"}`;
  const code = cell.source.trim() === ""
    ? ""
    : `<details${
      hasTag(cell, INJECTED_TAG) ? " open" : ""
    }><summary>${summary}</summary><pre tabindex="0" role="region" aria-label="${summary}"><code>${
      escapeText(cell.source)
    }</code></pre></details>`;
  const outputs = (cell.outputs ?? []).map((output) => outputHtml(output, figures, links));
  return code + outputs.join("");
}

function outputHtml(output: Output, figures: ArticleFigure[], links: FigureLinks): string {
  switch (output.output_type) {
    case "stream": {
      const name = output["name"] === "stderr" ? "Messages" : "Printed";
      return `<details><summary>${name}</summary>${textBlock(textOf(output["text"]), name)}</details>`;
    }
    case "error":
      return textBlock(
        textOf(output["traceback"]) || `${output["ename"]}: ${output["evalue"]}`,
        "Error",
        "error",
      );
    default:
      return dataHtml((output["data"] ?? {}) as Record<string, unknown>, figures, links);
  }
}

function dataHtml(
  data: Readonly<Record<string, unknown>>,
  figures: ArticleFigure[],
  links: FigureLinks,
): string {
  const text = textOf(data["text/plain"]);
  const svg = textOf(data["image/svg+xml"]);
  if (svg !== "" && svg.length <= MOST_MARKUP) {
    const alt = text || "Figure";
    const html = figureHtml(svg, alt, `f${figures.length + 1}-`, links);
    figures.push({ svg, alt, html });
    return html;
  }
  const markup = textOf(data["text/html"]);
  if (markup !== "" && markup.length <= MOST_MARKUP) {
    return `<div class="scroll" tabindex="0" role="region" aria-label="Output">${cleanMarkup(markup)}</div>`;
  }
  for (const type of ["image/png", "image/jpeg", "image/gif", "image/webp"]) {
    const image = textOf(data[type]).replace(/\s+/g, "");
    if (image !== "" && /^[A-Za-z0-9+/=]+$/.test(image)) {
      return `<figure class="figure"><img src="data:${type};base64,${image}" alt="${
        escapeText(text || "Picture")
      }"></figure>`;
    }
  }
  const markdown = textOf(data["text/markdown"]);
  if (markdown !== "" && markdown.length <= MOST_TEXT) return markdownHtml(markdown);
  if (text !== "") return textBlock(text, "Output");
  const json = data["application/json"];
  return json === undefined ? "" : textBlock(JSON.stringify(json, null, 2), "Output");
}

function textBlock(given: string, label: string, className = ""): string {
  const text = stripVTControlCharacters(given).replace(/\r\n?/g, "\n");
  const more = text.length - MOST_TEXT;
  const shown = more > 0 ? text.slice(0, MOST_TEXT).toWellFormed() : text;
  const rest = more > 0
    ? `<span class="cut">${more.toLocaleString("en-US")} characters are left out here</span>`
    : "";
  return `<pre${
    className === "" ? "" : ` class="${className}"`
  } tabindex="0" role="region" aria-label="${label}">${escapeText(shown)}${rest}</pre>`;
}

function findingOf(notebook: Notebook): string | null {
  for (const cell of notebook.cells) {
    if (!hasTag(cell, FINDING_TAG)) continue;
    for (const output of cell.outputs ?? []) {
      const text = textOf((output["data"] as Record<string, unknown> | undefined)?.["text/plain"]);
      const lines = stripVTControlCharacters(text).split("\n").filter((line) => line.trim() !== "");
      if (lines.length > 0) return lines.slice(0, FINDING_LINES).join("\n");
    }
  }
  return null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : Array.isArray(value) ? value.map(String).join("") : "";
}
