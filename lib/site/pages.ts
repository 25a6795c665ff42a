/**
 * The pages that readers begin with.
 * @module
 */
import { escapeText } from "./clean_markup.ts";
import type { Article } from "./notebook_article.ts";
import { page } from "./page.ts";

/** A notebook's page, whole in itself. */
export function notebookPage(article: Article, options: {
  /** The executed notebook beside it. */
  readonly ipynb: string;
  /** Inspectors of its runs. */
  readonly runs: readonly { readonly href: string; readonly label: string }[];
  /** Markup of the footer. */
  readonly footer: string;
  /** Where the page's links begin. */
  readonly root?: string;
}): string {
  const rows = options.runs.map(({ href, label }) =>
    `<li><a href="${escapeText(href)}">${escapeText(label)}</a></li>`
  ).join("");
  return page({
    title: article.title,
    ...(article.question === null ? {} : { description: article.question }),
    ...(options.root === undefined ? {} : { root: options.root }),
    nav: `<a href="${escapeText(options.ipynb)}" download>Notebook (.ipynb)</a>`,
    body: `<article>${article.html}</article>${rows === "" ? "" : `<h2>Every row</h2><ul>${rows}</ul>`}`,
    footer: options.footer,
  });
}

/** An entry of the index. */
export interface IndexEntry {
  /** Where it leads. */
  readonly href: string;
  /** Its title. */
  readonly title: string;
  /** The question it asks. */
  readonly question: string | null;
  /** What was found. */
  readonly finding: string | null;
  /** Its first figure as markup. */
  readonly figure: string | null;
  /** Further markup: how a run stands. */
  readonly state?: string;
}

/** The list of what there is, each with its question, finding and figure. */
export function entryList(entries: readonly IndexEntry[]): string {
  const items = entries.map(({ href, title, question, finding, figure, state = "" }) =>
    `<li><h2><a href="${escapeText(href)}">${escapeText(title)}</a></h2>` +
    (question === null ? "" : `<p><strong>${escapeText(question)}</strong></p>`) +
    (finding === null ? "" : `<p>${escapeText(finding).replaceAll("\n", "<br>")}</p>`) + state +
    (figure ?? "") + "</li>"
  );
  return `<ul class="cards">${items.join("\n")}</ul>`;
}

/** The first page. */
export function indexPage(entries: readonly IndexEntry[], footer: string): string {
  return page({
    title: "Probebook: how language models behave",
    description:
      "Experiments on language models, each with its figure and finding, its notebook and every row.",
    body: `<h1>How language models behave</h1>
<p>Each experiment asks one question. Its page is the executed notebook; behind every figure are the rows it was made from, with prompt, output and grade.</p>
${entryList(entries)}`,
    footer,
  });
}
