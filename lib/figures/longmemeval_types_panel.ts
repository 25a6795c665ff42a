/**
 * Share right by question type, focused and full.
 * @module
 */
import { barsOf, CONDITION_COLORS, countLabel, type MemoryFigureRow } from "./longmemeval_rows.ts";
import type { Panel } from "./frame.ts";
import { plotSvg } from "./plot_svg.ts";
import { COLORS, escapeXml, FIGURE_WIDTH } from "./theme.ts";

const LEFT = 200;
const RIGHT = 130;
const TOP = 36;
const ROW = 48;
const BAR = 17;

/** A pair of bars for each question type, in the order in which the types occur. */
export async function typeBars(rows: readonly MemoryFigureRow[]): Promise<Panel> {
  const groups = [...Map.groupBy(rows, (row) => row.type ?? "type not known")];
  const bars = groups.flatMap(([type, group], row) =>
    barsOf(group).map((bar) => {
      const y = row * ROW + (bar.condition === "focused" ? 14 : 14 + BAR + 3);
      return { ...bar, type, y, share: bar.valid.estimate ?? 0, low: bar.valid.low, high: bar.valid.high };
    })
  );
  const height = TOP + groups.length * ROW + 26;
  const counted = bars.filter((bar) => bar.valid.n > 0);
  const y = (d: { y: number }) => d.y;
  const plot = await plotSvg((Plot, document) =>
    Plot.plot({
      document,
      width: FIGURE_WIDTH,
      height,
      marginLeft: LEFT,
      marginRight: RIGHT,
      marginTop: TOP,
      marginBottom: 26,
      x: {
        domain: [0, 1],
        label: null,
        ticks: [0, 0.25, 0.5, 0.75, 1],
        tickFormat: (d: number) => `${d * 100}%`,
        tickSize: 0,
      },
      y: { domain: [groups.length * ROW, 0], axis: null },
      marks: [
        Plot.ruleX([0, 0.25, 0.5, 0.75, 1], { stroke: COLORS.grid }),
        Plot.rect(counted, {
          x1: 0,
          x2: "share",
          y1: (d: { y: number }) => d.y - BAR / 2,
          y2: (d: { y: number }) => d.y + BAR / 2,
          fill: (d: { condition: "focused" | "full" }) => CONDITION_COLORS[d.condition],
          stroke: COLORS.hatch,
          strokeWidth: 0.5,
        }),
        Plot.ruleY(counted, { y, x1: "low", x2: "high", stroke: COLORS.text, strokeWidth: 1.6 }),
        Plot.ruleX([0], { stroke: COLORS.rule }),
        Plot.text(bars, {
          y,
          text: (d) => countLabel(d.valid),
          frameAnchor: "right",
          textAnchor: "start",
          dx: 8,
          fontSize: 11.5,
          fill: COLORS.text,
        }),
      ],
    })
  );
  const labels = groups.map(([type], row) =>
    `<text x="${LEFT - 10}" y="${TOP + row * ROW + 28}" font-size="12" text-anchor="end">${
      escapeXml(type)
    }</text>`
  ).join("");
  const title =
    `<text x="16" y="20" font-size="13" font-weight="bold" fill="${COLORS.text}">By question type</text>`;
  return { content: title + plot + labels, height: height + 8 };
}
