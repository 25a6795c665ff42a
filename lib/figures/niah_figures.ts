/**
 * The figures of a needle search.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Figure, frame } from "./frame.ts";
import { type CellRows, heatmapLegends, heatmapPanel } from "./heatmap_panel.ts";
import { lengthLegend, lengthPanel, type Threshold } from "./length_panel.ts";
import { ascending, type FigureRow, formatAccuracy, type Tally, tally } from "./outcomes.ts";
import { runCaptions, runTitle, type RunTitleOptions } from "./run_title.ts";
import { formatLength } from "./theme.ts";

/** What a figure says besides its rows. */
export interface NiahFigureOptions extends RunTitleOptions {
  /** What was asked; a needle in a haystack when left out. */
  readonly title?: string;
  /** Trained window in tokens, where one is known. */
  readonly window?: number | null;
  /** What lengths are counted in; tokens when left out. */
  readonly unit?: string;
  /** Levels of the effective length. */
  readonly thresholds?: readonly Threshold[];
  /** Names the rows of a heatmap's cell, so that a page can open them. */
  readonly rowsOf?: CellRows;
}

const TITLE = "Needle in a haystack";

/**
 * The heatmap (length by depth) over the line of accuracy by length, in one figure.
 *
 * @throws {InputError} when there are no rows, or a row has no depth.
 */
export async function niahHeatmap(rows: readonly FigureRow[], options: NiahFigureOptions): Promise<Figure> {
  const all = tallied(rows);
  if (rows.some((row) => row.depth === undefined)) {
    throw new InputError(
      "A heatmap needs the depth of every row: draw accuracyByLength where there is none.",
    );
  }
  const { thresholds = [], window = null, unit = "tokens" } = options;
  const panels = [
    await heatmapPanel(rows, window, unit, options.rowsOf),
    ...heatmapLegends(rows),
    { content: "", height: 14 },
    await lengthPanel(rows, { scale: "columns", thresholds, window: null, height: 210, unit }),
    lengthLegend(rows, thresholds),
  ];
  return frame(
    runTitle(options.title ?? TITLE, all, options),
    runCaptions(all, options),
    panels,
    altOf("Heatmap", rows, all, options),
  );
}

/**
 * Accuracy by length on a log axis with Wilson intervals, over valid rows and over all rows sent.
 *
 * @throws {InputError} when there are no rows.
 */
export async function accuracyByLength(
  rows: readonly FigureRow[],
  options: NiahFigureOptions,
): Promise<Figure> {
  const all = tallied(rows);
  const { thresholds = [], window = null, unit = "tokens" } = options;
  const panels = [
    await lengthPanel(rows, { scale: "log", thresholds, window, height: 340, unit }),
    lengthLegend(rows, thresholds),
  ];
  return frame(
    runTitle(options.title ?? TITLE, all, options),
    runCaptions(all, options),
    panels,
    altOf("Line chart", rows, all, options),
  );
}

function tallied(rows: readonly FigureRow[]): Tally {
  if (rows.length === 0) {
    throw new InputError("A figure needs at least one row, got none: run the experiment first.");
  }
  return tally(rows);
}

function altOf(kind: string, rows: readonly FigureRow[], all: Tally, options: NiahFigureOptions): string {
  const lengths = ascending(rows.map((row) => row.length));
  const depths = ascending(rows.flatMap((row) => row.depth ?? []));
  const groups = Map.groupBy(rows, (row) => row.length);
  const table = lengths.map((length) => {
    const { valid } = tally(groups.get(length) ?? []);
    return `${formatLength(length)} ${valid.n === 0 ? "no valid rows" : `${valid.correct}/${valid.n}`}`;
  }).join(", ");
  const by = depths.length > 0 ? ` by ${depths.length} needle depths` : "";
  return `${kind} of ${options.variant}: ${lengths.length} input lengths${by}. ${
    formatAccuracy(all.raw)
  } of all rows sent. ` +
    `Right of valid rows by length in ${options.unit ?? "tokens"}: ${table}.`;
}
