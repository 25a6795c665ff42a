/**
 * Tables for cells, as HTML and as text.
 * @module
 */
import { escapeHtml, Html } from "./html.ts";

/** A row: values by column. */
export type TableRow = Readonly<Record<string, unknown>>;

/** Options of {@linkcode table}. */
export interface TableOptions {
  /** Which columns, in which order; the keys of all rows when left out. */
  readonly columns?: readonly string[];
  /** A line above the table. */
  readonly caption?: string;
  /** Most rows shown; 50 when left out. How many are left out is said. */
  readonly maxRows?: number;
}

const MAX_HTML_CHARS = 400;
const MAX_TEXT_CHARS = 48;

/**
 * A table of rows, to be given to `show()`. Cells are escaped; long ones are cut; numbers stand right, with at most
 * four significant decimals.
 */
export function table(rows: readonly TableRow[], options: TableOptions = {}): Html {
  const columns = options.columns ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, options.maxRows ?? 50);
  const more = rows.length - shown.length;
  const note = more > 0 ? `${more} more row${more === 1 ? "" : "s"}` : rows.length === 0 ? "no rows" : "";
  const numeric = columns.map((column) =>
    shown.some((row) => typeof row[column] === "number") &&
    shown.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === "number")
  );
  const cells = shown.map((row) => columns.map((column) => cellText(row[column])));
  return new Html(
    tableHtml(columns, cells, numeric, options.caption ?? "", note),
    tableText(columns, cells, numeric, options.caption ?? "", note),
  );
}

function tableHtml(
  columns: readonly string[],
  cells: string[][],
  numeric: boolean[],
  caption: string,
  note: string,
) {
  const align = (i: number) => ` style="text-align:${numeric[i] ? "right" : "left"};vertical-align:top"`;
  const head = columns.map((column, i) => `<th scope="col"${align(i)}>${escapeHtml(column)}</th>`).join("");
  const body = cells.map((row) =>
    `<tr>${
      row.map((cell, i) => `<td${align(i)}>${escapeHtml(cut(cell, MAX_HTML_CHARS))}</td>`).join("")
    }</tr>`
  ).join("");
  return `<table>${caption && `<caption>${escapeHtml(caption)}</caption>`}` +
    `<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>${note && `<p>${escapeHtml(note)}</p>`}`;
}

function tableText(
  columns: readonly string[],
  cells: string[][],
  numeric: boolean[],
  caption: string,
  note: string,
) {
  const lines = [columns, ...cells].map((row) =>
    row.map((cell) => cut(cell.replace(/\s+/g, " "), MAX_TEXT_CHARS))
  );
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const rule = widths.map((width) => "-".repeat(width));
  const drawn = [lines[0] ?? [], rule, ...lines.slice(1)].map((line) =>
    line.map((cell, i) => numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)).join("  ")
      .trimEnd()
  );
  return [caption, ...drawn, note].filter((line) => line !== "").join("\n");
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") {
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  }
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : text.slice(0, most - 1).toWellFormed() + "…";
}
