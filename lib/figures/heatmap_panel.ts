/**
 * The heatmap of a needle search: length by depth.
 * @module
 */
import { legend, type LegendItem, type Panel } from "./frame.ts";
import { ascending, type FigureRow, MARKED, marksOf, OUTCOMES, type Tally, tally } from "./outcomes.ts";
import { axisColumns, axisTitles, PANEL_MARGINS } from "./panel_axes.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, SHARE_COLORS, shareBin, textWidth } from "./theme.ts";

/** Names the rows of a cell: `approximate_input_length=1000&needle_depth=50`. */
export type CellRows = (cell: { readonly length: number; readonly depth: number }) => string;

/** One cell of the grid. */
interface Cell {
  readonly length: number;
  readonly depth: number;
  readonly tally: Tally;
  readonly label: string;
  readonly marks: readonly string[];
}

/**
 * Length on x, depth on y with 0 at the bottom. A cell's colour is the share right of its valid rows, its text the
 * counts, below it marks for every class that is no plain answer. Cells without a valid row are hatched.
 *
 * @param window the trained window in tokens, drawn between the lengths inside and beyond it
 * @param unit what lengths are counted in
 * @param rowsOf names the rows of a cell, as the query by which an inspector finds them
 */
export async function heatmapPanel(
  rows: readonly FigureRow[],
  window: number | null,
  unit = "tokens",
  rowsOf: CellRows | null = null,
): Promise<Panel> {
  const lengths = ascending(rows.map((row) => row.length));
  const depths = ascending(rows.flatMap((row) => row.depth ?? []));
  const cells = gridCells(rows, lengths, depths);
  const cellHeight = Math.min(64, Math.max(24, 374 / Math.max(1, depths.length)));
  const cellWidth = (FIGURE_WIDTH - PANEL_MARGINS.marginLeft - PANEL_MARGINS.marginRight) /
    Math.max(1, lengths.length);
  const twoLines = cellHeight >= 30;
  const roomy = cellWidth >= 40;
  const marginTop = window === null ? 4 : 20;
  const height = Math.round(marginTop + cellHeight * depths.length + 42);
  const color = (cell: Cell) => cell.tally.valid.n === 0 ? COLORS.text : shade(cell).text;
  const filled = cells.filter((cell) => cell.tally.valid.n > 0);
  const empty = cells.filter((cell) => cell.tally.valid.n === 0);
  const middle = (cell: Cell) => twoLines && cell.marks.length > 0 && cell.label !== "";
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height,
      ...PANEL_MARGINS,
      marginTop,
      marginBottom: 42,
      x: axisColumns(lengths),
      y: {
        type: "band",
        domain: depths.toReversed(),
        round: false,
        padding: 0.05,
        label: null,
        tickSize: 0,
        tickFormat: (d: number) => `${d}%`,
      },
      marks: [
        Plot.cell(empty, { x: "length", y: "depth", fill: "url(#hatch)", stroke: COLORS.hatch, inset: 0.5 }),
        Plot.cell(filled, {
          x: "length",
          y: "depth",
          fill: (cell: Cell) => shade(cell).fill,
          stroke: COLORS.hatch,
          strokeWidth: 0.5,
        }),
        ...(roomy
          ? [
            Plot.text(cells.filter((cell) => !middle(cell)), {
              x: "length",
              y: "depth",
              text: (cell: Cell) =>
                fit([cell.label, ...cell.marks].filter((part) => part !== ""), 12, cellWidth),
              fill: color,
              fontSize: 12,
            }),
            Plot.text(cells.filter(middle), {
              x: "length",
              y: "depth",
              text: "label",
              dy: -7,
              fill: color,
              fontSize: 12,
            }),
            Plot.text(cells.filter(middle), {
              x: "length",
              y: "depth",
              text: (cell: Cell) => fit(cell.marks, 12, cellWidth),
              dy: 8,
              fill: color,
              fontSize: 11,
              fontWeight: "bold",
            }),
          ]
          : []),
      ],
    })
  );
  const inside = window === null ? 0 : lengths.filter((length) => length <= window).length;
  const boundary = PANEL_MARGINS.marginLeft + cellWidth * inside;
  const mark = window === null || inside === lengths.length
    ? ""
    : windowMark(boundary, marginTop, height - 42, window);
  const bottom = marginTop + cellHeight * depths.length;
  return {
    content: hatchPattern() + plot +
      axisTitles("Needle depth", marginTop, bottom, { title: `Input length (${unit})`, below: 36 }) + mark +
      (rowsOf === null ? "" : cells.map((cell) => {
        const place = {
          x: PANEL_MARGINS.marginLeft + cellWidth * lengths.indexOf(cell.length),
          y: marginTop + cellHeight * depths.toReversed().indexOf(cell.depth),
        };
        return cellTarget(cell, place, { width: cellWidth, height: cellHeight }, rowsOf(cell), unit);
      }).join("")),
    height,
  };
}

/** An invisible rectangle over a cell; pages make a link to its rows of it. */
function cellTarget(
  cell: Cell,
  { x, y }: { readonly x: number; readonly y: number },
  { width, height }: { readonly width: number; readonly height: number },
  rows: string,
  unit: string,
): string {
  const label = `${cell.length.toLocaleString("en-US")} ${unit}, depth ${cell.depth}%: ` +
    [cell.label === "" ? "no valid row" : `${cell.label} right`, ...cell.marks].join(", ");
  const number = (n: number) => Number(n.toFixed(2));
  return `<g data-rows="${escapeXml(rows)}"><title>${escapeXml(label)}</title>` +
    `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${
      number(height)
    }" fill="#000000" fill-opacity="0"/></g>`;
}

/** The legends that {@linkcode heatmapPanel} needs: the colour bins, and the marks that occur. */
export function heatmapLegends(rows: readonly FigureRow[]): Panel[] {
  const all = tally(rows);
  const bins = SHARE_COLORS.map(({ fill }, i): LegendItem => ({
    symbol: `<rect width="22" height="14" fill="${fill}" stroke="${COLORS.hatch}" stroke-width="0.5"/>`,
    label: `${i * 20}-${(i + 1) * 20}%`,
  }));
  const hatched: LegendItem = {
    symbol: `<rect width="22" height="14" fill="url(#hatch)" stroke="${COLORS.hatch}"/>`,
    label: "no valid row",
  };
  const marks = MARKED.filter((name) => (all.counts.get(name) ?? 0) > 0)
    .map((name): LegendItem => ({
      symbol: "",
      label: `${OUTCOMES[name].mark} ${OUTCOMES[name].label} (${all.counts.get(name)})`,
    }));
  if (all.skipped > 0) marks.push({ symbol: "", label: `S skipped, beyond the window (${all.skipped})` });
  if (all.missing > 0) marks.push({ symbol: "", label: `… not run yet (${all.missing})` });
  return [legend([...bins, hatched], "Share right:"), legend(marks, "Marks:")];
}

function gridCells(
  rows: readonly FigureRow[],
  lengths: readonly number[],
  depths: readonly number[],
): Cell[] {
  const groups = Map.groupBy(rows, (row) => `${row.length}/${row.depth}`);
  return lengths.flatMap((length) =>
    depths.map((depth): Cell => {
      const cell = tally(groups.get(`${length}/${depth}`) ?? []);
      const label = cell.valid.n > 0 ? `${cell.valid.correct}/${cell.valid.n}` : "";
      const marks = [...marksOf(cell), ...(cell.missing > 0 ? ["…"] : [])];
      return { length, depth, tally: cell, label, marks };
    })
  );
}

/** As many of the parts as fit a cell, and `+` for the rest. */
function fit(parts: readonly string[], size: number, width: number): string {
  for (let n = parts.length; n > 0; n--) {
    const text = parts.slice(0, n).join(" ") + (n < parts.length ? " +" : "");
    if (n === 1 || textWidth(text, size) <= width - 4) return text;
  }
  return "";
}

function shade(cell: Cell): { readonly fill: string; readonly text: string } {
  return SHARE_COLORS[shareBin(cell.tally.valid.estimate ?? 0)] as { fill: string; text: string };
}

function hatchPattern(): string {
  return `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
    `<rect width="6" height="6" fill="${COLORS.empty}"/><line x1="0" y1="0" x2="0" y2="6" stroke="${COLORS.hatch}" stroke-width="1.5"/>` +
    `</pattern></defs>`;
}

function windowMark(x: number, top: number, bottom: number, window: number): string {
  const label = `trained window ${window.toLocaleString("en-US")}`;
  const end = x > FIGURE_WIDTH / 2;
  return `<line x1="${x}" y1="${
    top - 16
  }" x2="${x}" y2="${bottom}" stroke="${COLORS.rule}" stroke-width="2" stroke-dasharray="5 3"/>` +
    `<text x="${x + (end ? -6 : 6)}" y="${top - 6}" font-size="11.5" text-anchor="${
      end ? "end" : "start"
    }" fill="${COLORS.rule}">${label}</text>`;
}
