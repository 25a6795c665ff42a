/**
 * How far a text leans towards a trait, token by token, with the text under it.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, textWidth } from "./theme.ts";

/** One reading of a text, by one variant. */
export interface DynamicsSeries {
  /** The variant. */
  readonly label: string;
  /** Cosine of each token with the trait's vector; null where it cannot be said. */
  readonly cosines: readonly (number | null)[];
  /** Mean of each token and the four before it. */
  readonly averages: readonly (number | null)[];
  /** Change of that mean from token to token. */
  readonly velocities: readonly (number | null)[];
}

/** Options of {@linkcode traitDynamics}. */
export interface DynamicsOptions {
  /** For people: trait, prompt. */
  readonly title: string;
  /** Further lines. */
  readonly notes?: readonly string[];
  /** The text, token by token. */
  readonly tokens: readonly string[];
  /** Where the response begins among them. */
  readonly responseStart: number;
}

const LEFT = 68, RIGHT = 20;
const INNER = FIGURE_WIDTH - LEFT - RIGHT;
/** Tokens in a strip, and most strips: what follows is left out and said. */
const PER_STRIP = 48, MOST_STRIPS = 6;
const COSINE = 118, VELOCITY = 44, TEXT = 66, GAP = 8;

/** Colours of up to four variants. */
export const VARIANT_COLORS: readonly string[] = [COLORS.valid, COLORS.raw, COLORS.rule2, "#2e7d4f"];

/**
 * Strips of tokens: dots are each token's cosine, the line the mean of five, bars below it the velocity, and the text
 * under it. Of two or more variants the line alone is drawn, over the same text. The response begins at the dashed line.
 *
 * @throws {InputError} when there is no series, or one that is not as long as the text.
 */
export function traitDynamics(series: readonly DynamicsSeries[], options: DynamicsOptions): Figure {
  const { tokens, responseStart } = options;
  if (series.length === 0 || tokens.length === 0) {
    throw new InputError("A figure of trait dynamics needs a text and at least one reading of it.");
  }
  const odd = series.find(({ cosines }) => cosines.length !== tokens.length);
  if (odd !== undefined) {
    throw new InputError(`${odd.label} has ${odd.cosines.length} cosines for ${tokens.length} tokens.`);
  }
  const shown = Math.min(tokens.length, PER_STRIP * MOST_STRIPS);
  const strips = Math.ceil(shown / PER_STRIP);
  const most = reach(series.flatMap(({ cosines }) => cosines.slice(0, shown)), 0.05);
  const fastest = reach(series.flatMap(({ velocities }) => velocities.slice(0, shown)), 0.01);
  const panels: Panel[] = Array.from({ length: strips }, (_, i) => {
    const from = i * PER_STRIP;
    return strip(series, { ...options, from, to: Math.min(shown, from + PER_STRIP), most, fastest });
  });
  const line = (color: string, label: string): LegendItem => ({
    symbol: `<path d="M0 7H22" stroke="${color}" stroke-width="2.2"/>`,
    label,
  });
  panels.push(legend([
    ...series.map(({ label }, i) => line(colorOf(i), `${label}, mean of 5 tokens`)),
    ...(series.length === 1
      ? [
        {
          symbol: `<circle cx="11" cy="7" r="2.5" fill="${colorOf(0)}" opacity="0.55"/>`,
          label: "each token",
        },
        {
          symbol: `<rect x="6" y="2" width="10" height="10" fill="${COLORS.hatch}"/>`,
          label: "velocity of the mean",
        },
      ]
      : []),
    ...(responseStart > 0 && responseStart < shown
      ? [{
        symbol: `<path d="M11 0V14" stroke="${COLORS.rule}" stroke-width="1.5" stroke-dasharray="5 3"/>`,
        label: "the response begins",
      }]
      : []),
  ]));
  const notes = [
    ...(options.notes ?? []),
    ...(shown < tokens.length ? [`The first ${shown} of ${tokens.length} tokens.`] : []),
  ];
  const alt = `Cosine of each token with the trait's vector. ${
    series.map(({ label, cosines }) => {
      const mean = (values: readonly (number | null)[]) => {
        const known = values.filter((x) => x !== null);
        return known.length === 0 ? "none" : (known.reduce((a, b) => a + b, 0) / known.length).toFixed(3);
      };
      return `${label}: mean ${mean(cosines.slice(0, responseStart))} over the prompt, ${
        mean(cosines.slice(responseStart))
      } over the response`;
    }).join("; ")
  }. ${tokens.length} tokens: ${tokens.join("").slice(0, 400)}`;
  return frame(options.title, notes.map((text) => ({ text })), panels, alt);
}

const colorOf = (i: number) => VARIANT_COLORS[i % VARIANT_COLORS.length] as string;

/** The largest distance from 0, at least `least`, rounded up to two digits. */
function reach(values: readonly (number | null)[], least: number): number {
  const most = Math.max(least, ...values.map((x) => Math.abs(x ?? 0)));
  const unit = 10 ** Math.floor(Math.log10(most) - 1);
  return Math.ceil(most / unit) * unit;
}

function strip(
  series: readonly DynamicsSeries[],
  { from, to, most, fastest, tokens, responseStart }: DynamicsOptions & {
    readonly from: number;
    readonly to: number;
    readonly most: number;
    readonly fastest: number;
  },
): Panel {
  const step = INNER / PER_STRIP;
  const x = (token: number) => LEFT + (token - from + 0.5) * step;
  const y = (cosine: number) => 6 + (COSINE - 12) * (1 - (cosine / most + 1) / 2);
  const single = series.length === 1;
  const velocityTop = COSINE + GAP;
  const textTop = single ? velocityTop + VELOCITY + 4 : COSINE + 4;
  const width = (to - from) * step;
  const parts: string[] = [];
  for (const value of [-most, 0, most]) {
    const label = value > 0 ? `+${tidy(value)}` : tidy(value).replace("-", "\u2212");
    parts.push(
      `<line x1="${LEFT}" x2="${LEFT + width}" y1="${y(value)}" y2="${y(value)}" stroke="${
        value === 0 ? COLORS.rule : COLORS.grid
      }"/>`,
      `<text x="${LEFT - 7}" y="${y(value) + 4}" font-size="11" text-anchor="end">${label}</text>`,
    );
  }
  parts.push(
    `<text transform="translate(15,${
      COSINE / 2
    }) rotate(-90)" font-size="12" text-anchor="middle">Cosine</text>`,
  );
  for (const [i, { averages, cosines }] of series.entries()) {
    if (single) {
      for (let t = from; t < to; t++) {
        const value = cosines[t] ?? null;
        if (value === null) continue;
        parts.push(`<circle cx="${x(t)}" cy="${y(value)}" r="2.5" fill="${colorOf(i)}" opacity="0.55"/>`);
      }
    }
    parts.push(
      `<path d="${pathOf(averages, from, to, x, y)}" fill="none" stroke="${colorOf(i)}" stroke-width="2.2"/>`,
    );
  }
  if (single) {
    const middle = velocityTop + VELOCITY / 2;
    parts.push(
      `<line x1="${LEFT}" x2="${LEFT + width}" y1="${middle}" y2="${middle}" stroke="${COLORS.grid}"/>`,
      `<text x="${LEFT - 7}" y="${
        middle + 4
      }" font-size="11" text-anchor="end" fill="${COLORS.faint}">velocity</text>`,
      `<text x="${LEFT - 7}" y="${
        middle + 18
      }" font-size="10" text-anchor="end" fill="${COLORS.faint}">\u00b1${tidy(fastest)}</text>`,
    );
    for (let t = from; t < to; t++) {
      const value = series[0]?.velocities[t] ?? null;
      if (value === null) continue;
      const height = Math.abs(value) / fastest * VELOCITY / 2;
      parts.push(
        `<rect x="${x(t) - step * 0.32}" y="${value > 0 ? middle - height : middle}" width="${
          step * 0.64
        }" height="${Math.max(0.3, height)}" fill="${COLORS.hatch}"/>`,
      );
    }
  }
  if (responseStart > from && responseStart < to) {
    const at = x(responseStart) - step / 2;
    parts.push(
      `<line x1="${at}" x2="${at}" y1="0" y2="${
        textTop + TEXT - 8
      }" stroke="${COLORS.rule}" stroke-width="1.5" stroke-dasharray="5 3"/>`,
    );
  }
  for (let t = from; t < to; t++) {
    parts.push(
      `<text transform="translate(${x(t) - 3.5},${textTop + 2}) rotate(90)" font-size="10.5" fill="${
        t < responseStart ? COLORS.faint : COLORS.text
      }">${escapeXml(tokenLabel(tokens[t] ?? ""))}</text>`,
    );
  }
  return { content: parts.join(""), height: textTop + TEXT };
}

/** A number without trailing digits: `0.25`, `-1`. */
function tidy(x: number): string {
  return String(Number(x.toPrecision(2)));
}

function pathOf(
  values: readonly (number | null)[],
  from: number,
  to: number,
  x: (token: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let open = false;
  for (let t = from; t < to; t++) {
    const value = values[t] ?? null;
    if (value !== null) path += `${open ? "L" : "M"}${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    open = value !== null;
  }
  return path;
}

/** A token as it is shown: spaces and line breaks made visible, long ones cut. */
function tokenLabel(token: string): string {
  let label = token.replaceAll("\n", "\u21b5").replaceAll("\t", "\u2192").replaceAll(" ", "\u00b7");
  if (label === "") label = "\u2205";
  if (textWidth(label, 10.5) <= TEXT - 12) return label;
  while (label.length > 1 && textWidth(`${label}…`, 10.5) > TEXT - 12) label = label.slice(0, -1);
  return `${label.toWellFormed()}…`;
}
