/**
 * The files of a comparison.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { snakeName } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import type { Comparison } from "./compare.ts";
import { comparisonFigures } from "./comparison_figures.ts";
import { comparisonJson, comparisonText } from "./comparison_report.ts";
import type { Side } from "./pair_rows.ts";
import { type TableCell, type TableRecord, toParquet } from "./parquet.ts";

/** How a comparison is written. */
export interface WriteOptions {
  /** The results folder. */
  readonly results: string;
  /** File name without its ending. */
  readonly name: string;
  /** First line of the report. */
  readonly title: string;
  /** Lines for the figures. */
  readonly notes?: readonly string[];
  /** Whether a backend is simulated. */
  readonly simulated?: boolean;
  /** Further columns of an item: its text, what was answered. */
  readonly details?: (item: string) => TableRecord;
  /** Further fields of the JSON. */
  readonly about?: { readonly [key: string]: Json };
  /** Text after the report: the rows that disagree. */
  readonly appendix?: string;
  /** Receives a line when a file cannot be made on this machine. */
  readonly log?: (line: string) => void;
}

/** What was written. */
export interface WrittenComparison {
  /** The report's text. */
  readonly text: string;
  /** The statistics as written. */
  readonly json: { readonly [key: string]: Json };
  /** Paths by what they are: `rows`, `parquet`, `statistics`, `report`, and a PNG for each figure. */
  readonly files: Readonly<Record<string, string>>;
  /** The figures, for notebooks. */
  readonly figures: Readonly<Record<string, { readonly svg: string; readonly alt: string }>>;
}

/**
 * Writes the rows side by side (CSV and parquet), the statistics (JSON), the report (text) and the figures (SVG, PNG).
 *
 * @throws {InputError} when the folder cannot be written.
 */
export async function writeComparison(
  comparison: Comparison,
  options: WriteOptions,
): Promise<WrittenComparison> {
  const { results, name, title, simulated = false, log = () => {} } = options;
  const path = (ending: string) => join(results, `${name}_${ending}`);
  const files: Record<string, string> = {};
  const write = async (kind: string, ending: string, data: string | Uint8Array) => {
    await writeAtomic(path(ending), data);
    files[kind] = path(ending);
  };
  const records = sideBySide(comparison, options.details);
  await write("rows", "rows.csv", toCsv(records));
  try {
    await write("parquet", "rows.parquet", await toParquet(records));
  } catch (error) {
    if (!(error instanceof InputError && /nodejs-polars/.test(error.message))) throw error;
    log(`${error.message} The rows are in ${path("rows.csv")}.`);
  }
  const figures = await comparisonFigures(comparison, {
    simulated,
    ...(options.notes ? { notes: options.notes } : {}),
  });
  for (const [figure, { svg }] of Object.entries(figures)) {
    await writeAtomic(path(`${figure}.svg`), svg);
    await write(figure, `${figure}.png`, await svgToPng(svg, { width: 1600 }));
  }
  const warning = simulated ? "Simulated: these rows show how the instruments behave, not a model.\n\n" : "";
  const text = warning + comparisonText(comparison, { title }) +
    (options.appendix ? `\n${options.appendix}` : "");
  await write("report", "report.txt", text);
  const json = { ...options.about, ...comparisonJson(comparison) };
  await write("statistics", "statistics.json", JSON.stringify(json, null, 2) + "\n");
  return { text, json, files, figures };
}

/** Every row with both answers side by side; columns begin with the backends' names. Can be read back as a label table. */
export function sideBySide(
  { rows, sides }: Comparison,
  details: (item: string) => TableRecord = () => ({}),
): TableRecord[] {
  const [a, b] = sides.map(snakeName) as [string, string];
  return rows.map((row) => ({
    item: row.item,
    truth: row.truth,
    ...sideCells(a, row.first),
    ...sideCells(b, row.second),
    agree: row.first.label === null || row.second.label === null
      ? null
      : row.first.label === row.second.label,
    response_similarity: row.responseSimilarity,
    reasoning_similarity: row.reasoningSimilarity,
    ...details(row.item),
  }));
}

function sideCells(name: string, side: Side): Record<string, TableCell> {
  const bit = (value: boolean | null) => value === null ? null : Number(value);
  return {
    [`${name}_label`]: side.label,
    [`${name}_parsed`]: Number(side.label !== null),
    [`${name}_strict`]: bit(side.strict),
    [`${name}_refused`]: bit(side.refused),
    [`${name}_response_length`]: side.responseLength,
    [`${name}_reasoning_length`]: side.reasoningLength,
  };
}

function toCsv(records: readonly TableRecord[]): string {
  const columns = Object.keys(records[0] ?? {});
  return stringify(records as Record<string, TableCell>[], {
    header: true,
    columns,
    cast: { boolean: (value) => value ? "true" : "false" },
    quoted_match: /\r/,
  });
}
