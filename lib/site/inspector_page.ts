/**
 * The inspector of a run's rows: a page, and its rows in chunks that are loaded when one is looked at.
 * @module
 */
import type { RowDetails } from "./row_details.ts";
import { escapeText } from "./clean_markup.ts";
import { page, scriptJson } from "./page.ts";
import type { IndexRow } from "./run_rows.ts";
import { INSPECTOR_STYLE } from "./style.ts";

/** Rows of one chunk. */
export const CHUNK_ROWS = 20;

/** What an inspector says besides its rows. */
export interface InspectorOptions {
  /** The run: `test_pocket_niah`. */
  readonly name: string;
  /** For people: `niah on pocket, test run`. */
  readonly title: string;
  /** Said above the rows: that answers are simulated. */
  readonly warning?: string | null;
  /** Where whole prompts and outputs are served, by row; they are not when left out. */
  readonly whole?: string;
  /** Markup below the rows. */
  readonly footer?: string;
  /** Links in the head of the page. */
  readonly nav?: string;
  /** Hides secrets and private paths. */
  readonly scrub?: (text: string) => string;
}

/** The page of a run's rows; it stands in the folder `rows/`, its chunks in `rows/NAME/N.js`. */
export function inspectorPage(rows: readonly IndexRow[], options: InspectorOptions): string {
  const { scrub = (text: string) => text } = options;
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.params)))];
  const cell = (value: unknown) =>
    typeof value === "string" ? scrub(value.length > 200 ? `${value.slice(0, 200)}…` : value) : value ?? null;
  const index = {
    chunk: CHUNK_ROWS,
    base: `${encodeURIComponent(options.name)}/`,
    whole: options.whole ?? null,
    columns,
    rows: rows.map((row) => [
      row.id,
      row.status,
      row.grade?.validity ?? "",
      scrub(row.preview),
      ...columns.map((column) => cell(row.params[column])),
    ]),
  };
  const warning = options.warning ? `<p class="warning">${escapeText(options.warning)}</p>` : "";
  return page({
    title: `Rows of ${options.title}`,
    description: `Every row of ${options.title}: prompt, output, grade.`,
    root: "../",
    ...(options.nav === undefined ? {} : { nav: options.nav }),
    mainClass: "inspector",
    style: INSPECTOR_STYLE,
    scripts: ["inspector.js"],
    body: `<h1>Rows of ${escapeText(options.title)}</h1>${warning}
<form class="filters" id="filters" role="search" aria-label="Filters"></form>
<p id="count" role="status" class="faint"></p>
<div class="panes">
<div class="list" id="list" role="listbox" tabindex="0" aria-label="Rows; arrow keys move, Enter reads"><div role="presentation"></div></div>
<article id="details" tabindex="-1" aria-label="The chosen row"></article>
</div>
<noscript><p class="warning">The list of rows needs JavaScript. The same rows are in the evaluated CSV of the run.</p></noscript>
<script type="application/json" id="index">${scriptJson(index)}</script>`,
    footer: options.footer ?? "",
  });
}

/** A chunk as a script; scripts are loaded from a disk too, where a page may read no file. */
export function chunkScript(chunk: number, rows: readonly RowDetails[]): string {
  return `probebookRows(${chunk},${scriptJson(rows)});\n`;
}
