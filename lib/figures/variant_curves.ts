/**
 * Variants side by side: how far their responses lean towards a trait.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { type Figure, frame, legend, type LegendItem, type Panel } from "./frame.ts";
import { PANEL_MARGINS } from "./panel_axes.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH, textWidth } from "./theme.ts";
import { VARIANT_COLORS } from "./trait_dynamics.ts";

/** A mean over prompts with its 95% interval. */
export interface CurvePoint {
  /** Mean cosine; null without a prompt. */
  readonly estimate: number | null;
  /** Lower end; null where there are too few prompts. */
  readonly low: number | null;
  /** Upper end. */
  readonly high: number | null;
  /** Prompts. */
  readonly n: number;
}

/** One variant. */
export interface VariantCurve {
  /** The variant; with `(responses of ...)` where it read another's. */
  readonly label: string;
  /** Over whole responses. */
  readonly mean: CurvePoint;
  /** By token of the response, from its first. */
  readonly byToken: readonly CurvePoint[];
}

/**
 * The mean cosine of each variant with its interval, and its course along the response, averaged over prompts.
 *
 * @throws {InputError} when there is no variant.
 */
export async function variantCurves(
  curves: readonly VariantCurve[],
  options: { readonly title: string; readonly notes?: readonly string[] },
): Promise<Figure> {
  if (curves.length === 0) throw new InputError("A figure of variants needs at least one, got none.");
  const color = (i: number) => VARIANT_COLORS[i % VARIANT_COLORS.length] as string;
  const rows = curves.map((curve, i) => ({ ...curve.mean, y: String(i), color: color(i) }))
    .filter(({ estimate }) => estimate !== null);
  const left = 290;
  const dots = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: 34 * curves.length + 44,
      marginLeft: left,
      marginRight: PANEL_MARGINS.marginRight,
      marginTop: 8,
      marginBottom: 36,
      x: { label: null, tickSize: 0, ticks: 6, nice: true, zero: true },
      y: { type: "band", domain: curves.map((_, i) => String(i)), axis: null },
      marks: [
        Plot.gridX({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 6 }),
        Plot.ruleX([0], { stroke: COLORS.text }),
        Plot.ruleY(rows.filter(({ low }) => low !== null), {
          y: "y",
          x1: "low",
          x2: "high",
          stroke: "color",
          strokeWidth: 3,
        }),
        Plot.dot(rows, { y: "y", x: "estimate", r: 5.5, fill: "color", stroke: COLORS.background }),
      ],
    })
  );
  const fitted = (label: string) => {
    let text = label;
    while (textWidth(text, 12) > left - 24) text = `${text.slice(0, -2)}…`;
    return text;
  };
  const labels = curves.map(({ label, mean: { n } }, i) => {
    const at = 8 + 34 * (i + 0.5);
    return `<text x="${left - 10}" y="${at}" font-size="12" text-anchor="end">${
      escapeXml(fitted(label))
    }</text>` +
      `<text x="${left - 10}" y="${
        at + 13
      }" font-size="10.5" text-anchor="end" fill="${COLORS.faint}">${n} prompts</text>`;
  });
  const points = curves.flatMap(({ byToken }, i) =>
    byToken.map((point, token) => ({ ...point, token: token + 1, color: color(i), which: i }))
  ).filter(({ estimate }) => estimate !== null);
  const lines = points.length === 0 ? null : await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: 260,
      ...PANEL_MARGINS,
      marginTop: 14,
      marginBottom: 40,
      x: {
        label: null,
        tickSize: 0,
        ticks: 8,
        tickFormat: (d: number) => Number.isInteger(d) ? String(d) : "",
      },
      y: { label: null, tickSize: 0, ticks: 5, zero: true },
      marks: [
        Plot.gridY({ stroke: COLORS.grid, strokeOpacity: 1, ticks: 5 }),
        Plot.ruleY([0], { stroke: COLORS.text }),
        Plot.areaY(points.filter(({ low }) => low !== null), {
          x: "token",
          y1: "low",
          y2: "high",
          z: "which",
          fill: "color",
          fillOpacity: 0.15,
        }),
        Plot.line(points, { x: "token", y: "estimate", z: "which", stroke: "color", strokeWidth: 2 }),
        Plot.dot(points, { x: "token", y: "estimate", r: 2.2, fill: "color" }),
      ],
    })
  );
  const panels: Panel[] = [
    {
      content: dots + labels.join("") +
        `<text x="${(left + FIGURE_WIDTH - 20) / 2}" y="${
          34 * curves.length + 40
        }" font-size="12" text-anchor="middle">Mean cosine over the response</text>`,
      height: 34 * curves.length + 56,
    },
    ...(lines === null ? [] : [{
      content: lines +
        `<text transform="translate(15,117) rotate(-90)" font-size="12" text-anchor="middle">Mean cosine</text>` +
        `<text x="${
          (PANEL_MARGINS.marginLeft + FIGURE_WIDTH - 20) / 2
        }" y="256" font-size="12" text-anchor="middle">Token of the response</text>`,
      height: 266,
    }]),
    legend(
      curves.map(({ label }, i): LegendItem => ({
        symbol: `<path d="M0 7H22" stroke="${color(i)}" stroke-width="2.4"/>`,
        label,
      })),
      "Bars and bands: 95% interval over prompts.",
    ),
  ];
  const alt = `Mean cosine with the trait's vector over the response. ${
    curves.map(({ label, mean: { estimate, low, high, n } }) =>
      `${label}: ${estimate === null ? "none" : estimate.toFixed(3)}${
        low === null || high === null ? "" : ` (${low.toFixed(3)} to ${high.toFixed(3)})`
      }, ${n} prompts`
    ).join("; ")
  }.`;
  return frame(options.title, (options.notes ?? []).map((text) => ({ text })), panels, alt);
}
