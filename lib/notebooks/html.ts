/**
 * Markup that is meant as such.
 * @module
 */

/** Markup made by {@linkcode html}, and the same as text. Whatever is not an `Html` is escaped when shown. */
export class Html {
  /** The markup. */
  readonly html: string;
  /** The same for clients that show text alone. */
  readonly text: string;
  /** Takes markup as it is: the caller has escaped what others wrote. `text` is the markup without tags by default. */
  constructor(markup: string, text: string = withoutTags(markup)) {
    this.html = markup.toWellFormed();
    this.text = text.toWellFormed();
  }
}

/**
 * Markup with values in it. Values are escaped, in texts and quoted attributes alike, except those that are
 * `Html` themselves; arrays are joined.
 *
 * @example
 * ```ts
 * import { html } from "./html.ts";
 * html`<p>The model said <q>${"<script>"}</q></p>`.html === "<p>The model said <q>&#60;script&#62;</q></p>";
 * ```
 */
export function html(parts: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? markupOf(values[i]) : "")).join(""));
}

/** A text as HTML that shows it, in element content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.toWellFormed().replace(
    /[&<>"'`]/g,
    (c) => `&#${c.charCodeAt(0)};`,
  );
}

function markupOf(value: unknown): string {
  if (value instanceof Html) return value.html;
  if (Array.isArray(value)) return value.map(markupOf).join("");
  return value === null || value === undefined ? "" : escapeHtml(String(value));
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

function withoutTags(markup: string): string {
  return markup
    .replace(/<\/(p|div|tr|li|h\d|table|pre)>|<br\s*\/?>/g, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(
      /&#(\d+);|&([a-z]+);/g,
      (whole, code, name) => code ? String.fromCodePoint(Number(code)) : NAMED[name] ?? whole,
    )
    .trim();
}
