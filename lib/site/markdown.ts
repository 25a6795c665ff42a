/**
 * Markdown as HTML.
 * @module
 */
import { Marked } from "marked";
import { cleanMarkup } from "./clean_markup.ts";

const marked = new Marked({ gfm: true, async: false });

/** Markdown (GitHub's) as markup; whatever HTML stands in it is made harmless. */
export function markdownHtml(markdown: string): string {
  return cleanMarkup(marked.parse(markdown.toWellFormed()) as string);
}

/** The first heading of a text, and its first bold sentence, as plain text; null where there is none. */
export function titleAndQuestion(
  markdown: string,
): { readonly title: string | null; readonly question: string | null } {
  const plain = (text: string | undefined) =>
    text === undefined ? null : text.replaceAll(/[*_`]/g, "").replace(/\s+/g, " ").trim();
  return {
    title: plain(/^#\s+(.+)$/m.exec(markdown)?.[1]),
    question: plain(/\*\*([^*]+)\*\*/.exec(markdown)?.[1]),
  };
}
