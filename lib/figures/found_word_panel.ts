/**
 * Where the modified word was found in a copy, by where it stands in the text.
 * @module
 */
import type { FoundWord } from "./copy_groups.ts";
import { legend, type Panel } from "./frame.ts";
import { axisTitles, PANEL_MARGINS } from "./panel_axes.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH } from "./theme.ts";

const HEIGHT = 360;
const TOP = 30;
const BOTTOM = 42;
/** Copies longer than twice the text are drawn at the upper edge. */
const MOST = 2;

/** A dot for each copy that holds the word, on the diagonal where it stands in its place; and the legend. */
export async function foundWordPanel(found: readonly FoundWord[]): Promise<Panel[]> {
  const dots = found.map(({ put, found, valid }) => ({ put, found: Math.min(found, MOST), valid }));
  const top = dots.some(({ found }) => found > 1.001) ? MOST : 1;
  const marks = { valid: COLORS.valid, invalid: COLORS.raw };
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height: HEIGHT,
      ...PANEL_MARGINS,
      marginTop: TOP,
      marginBottom: BOTTOM,
      x: {
        domain: [0, 1],
        ticks: [0, 0.25, 0.5, 0.75, 1],
        tickFormat: percent,
        tickSize: 0,
        label: null,
        inset: 6,
      },
      y: {
        domain: [0, top],
        ticks: top === 1 ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.5, 1, 1.5, 2],
        tickFormat: (value: number) => value === MOST ? `${percent(value)}+` : percent(value),
        tickSize: 0,
        label: null,
        inset: 6,
      },
      marks: [
        Plot.ruleY(top === 1 ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.5, 1, 1.5, 2], { stroke: COLORS.grid }),
        Plot.line([[0, 0], [1, 1]], { stroke: COLORS.rule, strokeDasharray: "5 3" }),
        Plot.dot(dots, {
          x: "put",
          y: "found",
          r: 3.2,
          fill: ({ valid }: FoundWord) => valid ? marks.valid : marks.invalid,
          fillOpacity: 0.45,
        }),
      ],
    })
  );
  const heading = `Where it was found, in the ${found.length.toLocaleString("en-US")} copies that hold it`;
  const circle = (color: string) => `<circle cx="11" cy="7" r="4" fill="${color}" fill-opacity="0.6"/>`;
  const invalid = dots.some(({ valid }) => !valid);
  return [
    {
      content:
        `<text x="${PANEL_MARGINS.marginLeft}" y="14" font-size="13" font-weight="bold" fill="${COLORS.text}">${
          escapeXml(heading)
        }</text>` + plot +
        axisTitles("Place in the copy", TOP, HEIGHT - BOTTOM, { title: "Place in the text", below: 36 }),
      height: HEIGHT,
    },
    legend([
      { symbol: circle(marks.valid), label: "valid row" },
      ...(invalid ? [{ symbol: circle(marks.invalid), label: "invalid row" }] : []),
      {
        symbol: `<line x1="0" y1="7" x2="22" y2="7" stroke="${COLORS.rule}" stroke-dasharray="5 3"/>`,
        label: "at its place",
      },
    ]),
  ];
}

function percent(value: number): string {
  return `${Math.round(value * 100)}%`;
}
