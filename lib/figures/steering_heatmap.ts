/**
 * Layer by strength of a steering sweep: what it does, and whether the answers stay text.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Caption, type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, SHARE_COLORS, shareBin, textWidth } from "./theme.ts";

/** One point of a sweep. */
export interface SweepCell {
  /** What was steered: `2`, or `1+2` for layers together. */
  readonly layer: string;
  /** Strength: the steering's length relative to the activations. */
  readonly ratio: number;
  /** Mean change of the score, in points of 0..100; null without an answer that could be scored. */
  readonly effect: number | null;
  /** Coherent answers. */
  readonly coherent: number;
  /** Answers. */
  readonly n: number;
  /** Whether enough of them are coherent for the point to be chosen. */
  readonly passes: boolean;
  /** Whether it is the point that was chosen. */
  readonly chosen: boolean;
}

/** What the figures of a sweep say above their panels. */
export interface SweepFigureOptions {
  /** For people: trait, variant. */
  readonly title: string;
  /** Further lines. */
  readonly notes?: readonly string[];
}

const LEFT = 68, RIGHT = 20, TOP = 24;
const INNER = FIGURE_WIDTH - LEFT - RIGHT;
/** More columns than this are drawn as bins of strengths. */
const MOST_COLUMNS = 14;
/** A bin's upper end over its lower. */
const BIN = 1.2;

interface Column {
  readonly label: string;
  readonly holds: (ratio: number) => boolean;
}

/**
 * Two heatmaps, layers down and strengths across: the effect on the score, and the share of coherent answers. A search
 * tries other strengths in each layer; they stand in bins then, each with the mean of its points.
 *
 * @throws {InputError} when there are no cells.
 */
export function steeringHeatmap(cells: readonly SweepCell[], options: SweepFigureOptions): Figure {
  if (cells.length === 0) throw new InputError("A sweep's heatmap needs at least one point, got none.");
  const layers = [...new Set(cells.map(({ layer }) => layer))].sort(byLayer);
  const columns = columnsOf(cells.map(({ ratio }) => ratio));
  const most = Math.max(1, ...cells.map(({ effect }) => Math.abs(effect ?? 0)));
  const grid = layers.flatMap((layer) =>
    columns.map((column) => ({
      layer,
      column,
      points: cells.filter((cell) => cell.layer === layer && column.holds(cell.ratio)),
    })).filter(({ points }) => points.length > 0)
  );
  const effect = panel(
    "Effect on the score, in points (blue: towards the trait)",
    layers,
    columns,
    grid,
    (points) => {
      const known = points.flatMap((point) => point.effect ?? []);
      const mean = known.reduce((sum, x) => sum + x, 0) / known.length;
      return known.length === 0 ? null : { share: (mean / most + 1) / 2, label: signed(mean) };
    },
  );
  const coherence = panel("Coherent answers", layers, columns, grid, (points) => {
    const [coherent, n] = [sum(points, ({ coherent }) => coherent), sum(points, ({ n }) => n)];
    return n === 0 ? null : { share: coherent / n, label: `${coherent}/${n}` };
  });
  const ends = SHARE_COLORS.map((_, i) => [2 * i / 5 - 1, 2 * (i + 1) / 5 - 1].map((x) => x * most));
  const panels: Panel[] = [
    effect,
    colorLegend("Effect:", ends.map((range) => range.map((end) => signed(end)).join(" to "))),
    { content: "", height: 10 },
    coherence,
    colorLegend("Coherent:", SHARE_COLORS.map((_, i) => `${i * 20}-${(i + 1) * 20}%`)),
    legend([
      {
        symbol:
          `<rect x="1.5" y="1.5" width="19" height="11" fill="none" stroke="${COLORS.text}" stroke-width="3"/>`,
        label: "chosen",
      },
      {
        symbol:
          `<rect width="22" height="14" fill="${COLORS.empty}"/><path d="M12 0H22V10Z" fill="${COLORS.rule}"/>`,
        label: "too few coherent answers to be chosen",
      },
    ]),
  ];
  const captions: Caption[] = [
    ...(options.notes ?? []).map((text) => ({ text })),
    ...(columns.some(({ label }) => label.includes("-"))
      ? [{ text: "Strengths stand in bins: a cell is the mean of the points in it." }]
      : []),
  ];
  const chosen = cells.find((cell) => cell.chosen);
  const alt = `Effect and coherence of steering by layer (${layers.join(", ")}) and strength (${
    columns.map(({ label }) => label).join(", ")
  }). ${cells.map(describe).join("; ")}. ${
    chosen === undefined ? "No point was chosen." : `Chosen: layer ${chosen.layer} at ${chosen.ratio}.`
  }`;
  return frame(options.title, captions, panels, alt);
}

function describe({ layer, ratio, effect, coherent, n }: SweepCell): string {
  return `layer ${layer} at ${ratio}: ${
    effect === null ? "no score" : signed(effect)
  }, ${coherent} of ${n} coherent`;
}

function panel(
  heading: string,
  layers: readonly string[],
  columns: readonly Column[],
  grid: readonly { readonly layer: string; readonly column: Column; readonly points: readonly SweepCell[] }[],
  value: (points: readonly SweepCell[]) => { readonly share: number; readonly label: string } | null,
): Panel {
  const width = INNER / columns.length;
  const height = Math.min(46, Math.max(22, 300 / layers.length));
  const parts = [text(LEFT, 14, heading, { size: 13, bold: true })];
  parts.push(
    `<rect x="${LEFT}" y="${TOP}" width="${INNER}" height="${
      height * layers.length
    }" fill="none" stroke="${COLORS.grid}"/>`,
  );
  for (const { layer, column, points } of grid) {
    const shown = value(points);
    const x = LEFT + columns.indexOf(column) * width, y = TOP + layers.indexOf(layer) * height;
    const color = shown === null ? null : SHARE_COLORS[shareBin(Math.min(1, Math.max(0, shown.share)))];
    const chosen = points.some((point) => point.chosen);
    parts.push(
      `<rect x="${x + 1}" y="${y + 1}" width="${width - 2}" height="${height - 2}" fill="${
        color?.fill ?? COLORS.empty
      }" stroke="${COLORS.hatch}" stroke-width="0.5"/>`,
    );
    if (points.every((point) => !point.passes)) {
      parts.push(
        `<path d="M${x + width - 13} ${y + 1}H${x + width - 1}V${y + 13}Z" fill="${COLORS.rule}"/>`,
      );
    }
    if (chosen) {
      parts.push(
        `<rect x="${x + 2.5}" y="${y + 2.5}" width="${width - 5}" height="${
          height - 5
        }" fill="none" stroke="${COLORS.text}" stroke-width="3"/>`,
      );
    }
    const label = shown?.label ?? "?";
    if (textWidth(label, 11.5) <= width - 4) {
      parts.push(text(x + width / 2, y + height / 2 + 4, label, {
        size: 11.5,
        anchor: "middle",
        color: color?.text ?? COLORS.text,
        bold: chosen,
      }));
    }
  }
  const bottom = TOP + height * layers.length;
  for (const [i, layer] of layers.entries()) {
    parts.push(text(LEFT - 8, TOP + (i + 0.5) * height + 4, layer, { size: 12, anchor: "end" }));
  }
  const every = Math.ceil(Math.max(...columns.map(({ label }) => textWidth(label, 11) + 4)) / width);
  for (const [i, { label }] of columns.entries()) {
    if (i % every === 0) {
      parts.push(text(LEFT + (i + 0.5) * width, bottom + 15, label, { size: 11, anchor: "middle" }));
    }
  }
  parts.push(
    text(LEFT + INNER / 2, bottom + 34, "Strength: length of the steering over that of the activations", {
      size: 12,
      anchor: "middle",
    }),
    `<text transform="translate(15,${
      (TOP + bottom) / 2
    }) rotate(-90)" font-size="12" text-anchor="middle" fill="${COLORS.text}">Layer</text>`,
  );
  return { content: parts.join(""), height: bottom + 44 };
}

function text(
  x: number,
  y: number,
  content: string,
  { size, anchor = "start", color = COLORS.text, bold = false }: {
    readonly size: number;
    readonly anchor?: string;
    readonly color?: string;
    readonly bold?: boolean;
  },
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" fill="${color}"${
    bold ? ' font-weight="bold"' : ""
  }>${escapeXml(content)}</text>`;
}

function colorLegend(heading: string, labels: readonly string[]): Panel {
  return legend(
    SHARE_COLORS.map(({ fill }, i): LegendItem => ({
      symbol: `<rect width="22" height="14" fill="${fill}" stroke="${COLORS.hatch}" stroke-width="0.5"/>`,
      label: labels[i] ?? "",
    })),
    heading,
  );
}

/** A column for each strength, or for each bin of strengths where they are too many. */
function columnsOf(ratios: readonly number[]): Column[] {
  const all = [...new Set(ratios)].sort((a, b) => a - b);
  if (all.length <= MOST_COLUMNS || (all[0] as number) <= 0) {
    return all.map((ratio) => ({ label: String(ratio), holds: (other) => other === ratio }));
  }
  const lowest = all[0] as number;
  const bin = Math.max(BIN, ((all.at(-1) as number) / lowest) ** (1 / (MOST_COLUMNS - 0.5)));
  const place = (ratio: number) => Math.floor(Math.log(ratio / lowest) / Math.log(bin) + 1e-9);
  return [...new Set(all.map(place))].map((at) => ({
    label: `${short(lowest * bin ** at)}-${short(lowest * bin ** (at + 1))}`,
    holds: (ratio) => place(ratio) === at,
  }));
}

const short = (x: number) => String(Number(x.toPrecision(2)));
const sum = <T>(items: readonly T[], value: (item: T) => number) =>
  items.reduce((total, item) => total + value(item), 0);
const byLayer = (a: string, b: string) =>
  a.split("+").length - b.split("+").length || Number(a.split("+")[0]) - Number(b.split("+")[0]) ||
  a.localeCompare(b);

/** A number with its sign: `+12`, `-3.4`, `0`. */
export function signed(x: number): string {
  const rounded = Math.abs(x) >= 10 ? Math.round(x) : Number(x.toFixed(1));
  return rounded > 0 ? `+${rounded}` : rounded < 0 ? `\u2212${-rounded}` : "0";
}
