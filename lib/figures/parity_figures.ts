/**
 * The figures of two backends compared.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Caption, type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, formatPercent, textWidth } from "./theme.ts";

/** What all three figures say above their panels. */
export interface ParityFigureOptions {
  /** The backends' names. */
  readonly sides: readonly [string, string];
  /** The verdict and other lines. */
  readonly notes?: readonly string[];
  /** Whether a backend is simulated: said in the title. */
  readonly simulated?: boolean;
}

/** One line of the agreement figure. */
export interface AgreementLine {
  /** What was compared: `pocket against itself`. */
  readonly label: string;
  /** Rows that agree. */
  readonly count: number;
  /** Rows compared. */
  readonly n: number;
  /** 0..1; null without rows, which is drawn as such. */
  readonly share: number | null;
  /** 95% interval. */
  readonly interval: readonly [number, number];
  /** Whether it is one backend against itself. */
  readonly self: boolean;
}

const LINE_HEIGHT = 44;
const LEFT = 290;
const RIGHT = 28;
const SELF = COLORS.raw;
const ACROSS = COLORS.valid;

/**
 * Agreement with its intervals: of the backends with each other, and of each with itself, against the criterion.
 *
 * @throws {InputError} when there are no lines.
 */
export async function agreementFigure(
  lines: readonly AgreementLine[],
  options: ParityFigureOptions & { readonly criterion: number },
): Promise<Figure> {
  if (lines.length === 0) throw new InputError("An agreement figure needs at least one line, got none.");
  const { criterion } = options;
  const low = Math.min(criterion, ...lines.filter(({ n }) => n > 0).map(({ interval }) => interval[0]));
  const start = Math.max(0, Math.floor((low - 0.02) * 20) / 20);
  const height = lines.length * LINE_HEIGHT + 62;
  const names = lines.map((_, i) => String(i));
  const known = lines.flatMap((line, i) =>
    line.share === null ? [] : [{ ...line, y: String(i), share: line.share }]
  );
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height,
      marginLeft: LEFT,
      marginRight: RIGHT,
      marginTop: 22,
      marginBottom: 40,
      x: {
        domain: [start, 1],
        label: null,
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 6,
        tickSize: 0,
      },
      y: { type: "band", domain: names, padding: 0, axis: null },
      marks: [
        Plot.gridX({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 6 }),
        Plot.ruleX([criterion], { stroke: COLORS.rule, strokeWidth: 1.6, strokeDasharray: "7 3" }),
        Plot.text([criterion], {
          x: (d: number) => d,
          text: (d: number) => `criterion ${formatPercent(d)}`,
          frameAnchor: "top",
          dy: -10,
          textAnchor: criterion > (1 + start) / 2 ? "end" : "start",
          fill: COLORS.rule,
        }),
        Plot.ruleY(known, {
          y: "y",
          x1: (d: typeof known[number]) => d.interval[0],
          x2: (d: typeof known[number]) => d.interval[1],
          stroke: (d: typeof known[number]) => d.self ? SELF : ACROSS,
          strokeWidth: 3,
        }),
        Plot.dot(known, {
          y: "y",
          x: "share",
          r: 5.5,
          fill: (d: typeof known[number]) => d.self ? COLORS.background : ACROSS,
          stroke: (d: typeof known[number]) => d.self ? SELF : ACROSS,
          strokeWidth: 2,
        }),
      ],
    })
  );
  const band = (height - 62) / lines.length;
  const labels = lines.map(({ label, count, n }, i) => {
    const y = 22 + band * (i + 0.5);
    const numbers = n === 0 ? "no rows" : `${count} of ${n} agree`;
    return `<text x="${LEFT - 12}" y="${y - 2}" font-size="12.5" text-anchor="end" fill="${COLORS.text}">${
      escapeXml(fit(label, 12.5, LEFT - 28))
    }</text><text x="${LEFT - 12}" y="${
      y + 13
    }" font-size="11" text-anchor="end" fill="${COLORS.faint}">${numbers}</text>`;
  });
  const axis = `<text x="${(LEFT + FIGURE_WIDTH - RIGHT) / 2}" y="${
    height - 4
  }" font-size="12" text-anchor="middle" fill="${COLORS.text}">Share of rows with the same label</text>`;
  const panels: Panel[] = [
    { content: plot + labels.join("") + axis, height: height + 8 },
    agreementLegend(lines),
  ];
  const alt = `Agreement of ${options.sides.join(" and ")} against a criterion of ${
    formatPercent(criterion)
  }. ${
    lines.map(({ label, count, n, share, interval }) =>
      share === null
        ? `${label}: no rows`
        : `${label}: ${count} of ${n}, ${formatPercent(share)} (95% interval ${
          formatPercent(interval[0])
        } to ${formatPercent(interval[1])})`
    ).join("; ")
  }.`;
  return frame(titleOf("Agreement", options), captionsOf(options), panels, alt);
}

function agreementLegend(lines: readonly AgreementLine[]): Panel {
  const symbol = (color: string, fill: string) =>
    `<line x1="0" y1="7" x2="22" y2="7" stroke="${color}" stroke-width="3"/>` +
    `<circle cx="11" cy="7" r="4.5" stroke="${color}" stroke-width="2" fill="${fill}"/>`;
  const items: LegendItem[] = [{ symbol: symbol(ACROSS, ACROSS), label: "one backend against the other" }];
  if (lines.some(({ self }) => self)) {
    items.push({ symbol: symbol(SELF, COLORS.background), label: "a backend against itself (noise floor)" });
  }
  return legend(items, "Bars: 95% interval.");
}

/** Names of the three outcomes, in the order of the table. */
const OUTCOMES = ["not flagged", "flagged", "unparsed"];
const CELL = { width: 150, height: 62 };

/** How often each pair of outcomes came: rows are the first backend's, columns the second's. */
export function confusionFigure(
  table: readonly (readonly number[])[],
  options: ParityFigureOptions,
): Figure {
  const n = table.flat().reduce((sum, count) => sum + count, 0);
  const [first, second] = options.sides;
  const left = 190, top = 54;
  const parts: string[] = [];
  const text = (
    x: number,
    y: number,
    size: number,
    color: string,
    anchor: string,
    content: string,
    bold = false,
  ) =>
    `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" fill="${color}"${
      bold ? ' font-weight="bold"' : ""
    }>${escapeXml(content)}</text>`;
  const middle = left + 1.5 * CELL.width;
  parts.push(text(middle, 14, 13, COLORS.text, "middle", fit(`${second} says`, 13, 3 * CELL.width), true));
  parts.push(text(left - 14, 40, 13, COLORS.text, "end", fit(`${first} says`, 13, left - 24), true));
  for (const [i, outcome] of OUTCOMES.entries()) {
    parts.push(text(left + (i + 0.5) * CELL.width, 40, 12, COLORS.text, "middle", outcome));
    parts.push(text(left - 14, top + (i + 0.5) * CELL.height + 4, 12, COLORS.text, "end", outcome));
    for (const j of OUTCOMES.keys()) {
      const count = table[i]?.[j] ?? 0;
      const share = n === 0 ? 0 : count / n;
      const base = i === 2 || j === 2 ? [122, 62, 157] : i === j ? [31, 95, 165] : [194, 90, 18];
      const strength = count === 0 ? 0 : 0.12 + 0.88 * Math.sqrt(share);
      const fill = base.map((channel) => Math.round(255 - (255 - channel) * strength));
      const dark = strength > 0.62;
      const x = left + j * CELL.width, y = top + i * CELL.height;
      parts.push(
        `<rect x="${x + 1}" y="${y + 1}" width="${CELL.width - 2}" height="${
          CELL.height - 2
        }" fill="rgb(${fill})" stroke="${COLORS.grid}"/>`,
        text(x + CELL.width / 2, y + 29, 17, dark ? "#ffffff" : COLORS.text, "middle", String(count), true),
        text(x + CELL.width / 2, y + 47, 11, dark ? "#ffffff" : COLORS.faint, "middle", formatPercent(share)),
      );
    }
  }
  const square = (color: string) => `<rect x="2" y="0" width="18" height="14" fill="${color}"/>`;
  const panels: Panel[] = [
    { content: parts.join(""), height: top + 3 * CELL.height + 12 },
    legend([
      { symbol: square(COLORS.valid), label: "same label" },
      { symbol: square(COLORS.raw), label: "other label" },
      { symbol: square(COLORS.rule2), label: "no label from one or both" },
    ], `${n} rows.`),
  ];
  const alt = `Outcomes of ${first} (rows) and ${second} (columns) on ${n} rows: ` +
    OUTCOMES.map((outcome, i) =>
      `${first} ${outcome}: ${OUTCOMES.map((other, j) => `${table[i]?.[j] ?? 0} ${other}`).join(", ")}`
    ).join("; ") + ".";
  return frame(titleOf("Labels of both", options), captionsOf(options), panels, alt);
}

/** Values of one histogram. */
export interface SimilaritySeries {
  /** What was compared: `answers, api against local`. */
  readonly label: string;
  /** Likeness of each row, 0..1. */
  readonly values: readonly number[];
  /** 95% interval of the mean; null when there is none. */
  readonly interval: readonly [number, number] | null;
  /** The level that its mean is held to, or null. */
  readonly criterion: number | null;
}

const BINS = 20;
const HISTOGRAM = 132;

/**
 * Histograms of likeness, one under the other, each with its mean.
 *
 * @throws {InputError} when no series has a value.
 */
export async function similarityFigure(
  series: readonly SimilaritySeries[],
  options: ParityFigureOptions,
): Promise<Figure> {
  const drawn = series.filter(({ values }) => values.length > 0);
  if (drawn.length === 0) throw new InputError("A similarity figure needs at least one value, got none.");
  const panels: Panel[] = [];
  const words: string[] = [];
  for (const [i, one] of drawn.entries()) {
    panels.push(await histogramPanel(one, i === drawn.length - 1));
    words.push(`${one.label}: ${one.values.length} rows, mean ${formatPercent(meanOf(one.values))}`);
  }
  return frame(
    titleOf("Likeness of texts", options),
    captionsOf(options),
    panels,
    `Histograms of likeness (edit distance, 100% is the same text). ${words.join("; ")}.`,
  );
}

async function histogramPanel(series: SimilaritySeries, last: boolean): Promise<Panel> {
  const { label, values, interval, criterion } = series;
  const counts = Array.from({ length: BINS }, (_, i) => ({ from: i / BINS, to: (i + 1) / BINS, count: 0 }));
  for (const value of values) {
    const bin = counts[Math.min(BINS - 1, Math.max(0, Math.floor(value * BINS + 1e-9)))];
    if (bin !== undefined) bin.count++;
  }
  const mean = meanOf(values);
  const most = Math.max(...counts.map(({ count }) => count));
  const height = HISTOGRAM + (last ? 18 : 0);
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height,
      marginLeft: 68,
      marginRight: 28,
      marginTop: 30,
      marginBottom: last ? 40 : 22,
      x: {
        domain: [0, 1],
        label: null,
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 10,
        tickSize: 0,
      },
      y: {
        domain: [0, most * 1.05],
        label: null,
        ticks: 3,
        tickSize: 0,
        tickFormat: (d: number) => Number.isInteger(d) ? String(d) : "",
      },
      marks: [
        Plot.gridY({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 3 }),
        Plot.rectY(counts, { x1: "from", x2: "to", y: "count", fill: ACROSS, insetLeft: 1, insetRight: 1 }),
        Plot.ruleX([mean], { stroke: SELF, strokeWidth: 2.5 }),
        ...(criterion === null
          ? []
          : [Plot.ruleX([criterion], { stroke: COLORS.rule, strokeWidth: 1.6, strokeDasharray: "7 3" })]),
      ],
    })
  );
  const sure = interval === null
    ? ""
    : ` (95% interval ${interval.map((end) => formatPercent(Math.min(1, Math.max(0, end)))).join(" to ")})`;
  const held = criterion === null ? "" : `, wanted ${formatPercent(criterion)} (dashed)`;
  const heading = `<text x="68" y="18" font-size="12.5" fill="${COLORS.text}">${
    escapeXml(`${label}: ${values.length} rows, mean ${formatPercent(mean)}${sure}${held}`)
  }</text>`;
  const axes = `<text transform="translate(20,${(30 + HISTOGRAM - 22) / 2}) rotate(-90)" font-size="12" ` +
    `text-anchor="middle" fill="${COLORS.text}">Rows</text>` +
    (last
      ? `<text x="${(68 + FIGURE_WIDTH - 28) / 2}" y="${
        height - 2
      }" font-size="12" text-anchor="middle" fill="${COLORS.text}">Likeness of two texts</text>`
      : "");
  return { content: plot + heading + axes, height: height + 10 };
}

function titleOf(what: string, { sides, simulated }: ParityFigureOptions): string {
  return `${what}, ${sides.join(" and ")}${simulated ? " (SIMULATED answers)" : ""}`;
}

function captionsOf({ notes = [] }: ParityFigureOptions): Caption[] {
  return notes.map((text) => ({ text }));
}

function fit(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  let end = text.length;
  while (end > 1 && textWidth(`${text.slice(0, end)}…`, size) > width) end--;
  return `${text.slice(0, end).toWellFormed()}…`;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
