/**
 * The figure of a LongMemEval run.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Figure, frame, legend, type LegendItem } from "./frame.ts";
import { conditionBars, type ConditionBarsOptions } from "./longmemeval_bars.ts";
import { CONDITION_COLORS, type MemoryFigureRow } from "./longmemeval_rows.ts";
import { typeBars } from "./longmemeval_types_panel.ts";
import { formatAccuracy, MARKED, OUTCOMES, type Tally, tally } from "./outcomes.ts";
import { invalidCaption, runTitle, type RunTitleOptions } from "./run_title.ts";
import { COLORS } from "./theme.ts";

/** What the figure says besides its rows. */
export interface MemoryFigureOptions extends RunTitleOptions, ConditionBarsOptions {}

/**
 * Share right with the focused and the full text, with Wilson intervals and counts, beside the table of pairs; below
 * it the same by question type, where there is more than one.
 *
 * @throws {InputError} when there are no rows.
 */
export async function longMemEvalFigure(
  rows: readonly MemoryFigureRow[],
  options: MemoryFigureOptions,
): Promise<Figure> {
  if (rows.length === 0) {
    throw new InputError("A figure needs at least one row, got none: run the experiment first.");
  }
  const all = tally(rows);
  const differs = all.invalidShare > 0;
  const types = new Set(rows.map((row) => row.type));
  const panels = [
    await conditionBars(rows, options),
    ...(types.size > 1 ? [await typeBars(rows)] : []),
    legend(legendOf(differs), "Bars: share right; lines: 95% Wilson interval."),
    legend(marksOf(all), "Rows:"),
  ];
  const captions = [...invalidCaption(all), ...(options.notes ?? []).map((text) => ({ text }))];
  return frame(runTitle("LongMemEval", all, options), captions, panels, altOf(rows, options));
}

function legendOf(differs: boolean): LegendItem[] {
  const box = (fill: string) =>
    `<rect width="22" height="14" fill="${fill}" stroke="${COLORS.hatch}" stroke-width="0.5"/>`;
  return [
    { symbol: box(CONDITION_COLORS.focused), label: "focused" },
    { symbol: box(CONDITION_COLORS.full), label: "full" },
    ...(differs
      ? [{
        symbol:
          `<circle cx="11" cy="7" r="4.5" stroke="${COLORS.text}" stroke-width="1.6" fill="${COLORS.background}"/>`,
        label: "all rows sent (bars: valid rows only)",
      }]
      : []),
  ];
}

/** Every class that occurs, with its rows. */
function marksOf(all: Tally): LegendItem[] {
  const plain = (["correct", "wrong"] as const).filter((name) => (all.counts.get(name) ?? 0) > 0);
  const marked = MARKED.toReversed().filter((name) => (all.counts.get(name) ?? 0) > 0);
  const items = [...plain, ...marked].map((name) => `${OUTCOMES[name].label} ${all.counts.get(name)}`);
  if (all.skipped > 0) items.push(`skipped, beyond the window ${all.skipped}`);
  if (all.missing > 0) items.push(`not run yet ${all.missing}`);
  return items.map((label) => ({ symbol: "", label }));
}

function altOf(rows: readonly MemoryFigureRow[], { variant, pairs, pairsOf }: MemoryFigureOptions): string {
  const by = (condition: "focused" | "full") => {
    const { raw, valid, invalidShare } = tally(rows.filter((row) => row.condition === condition));
    return `${condition}: ${formatAccuracy(raw)} of rows sent` +
      (invalidShare > 0 ? `, ${formatAccuracy(valid)} of valid rows` : "");
  };
  const paired = pairs === null
    ? ""
    : ` Of questions ${pairsOf}: ${pairs.both} right both times, ${pairs.focusedOnly} with the focused text only, ` +
      `${pairs.fullOnly} with the full text only, ${pairs.neither} never.`;
  return `Bar chart of ${variant}. ${by("focused")}; ${by("full")}.${paired}`;
}
