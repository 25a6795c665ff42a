/**
 * Title, panels and legends as one SVG.
 * @module
 */
import { COLORS, escapeXml, FIGURE_WIDTH, FONT_FAMILY, textWidth, wrapText } from "./theme.ts";

/** A finished figure. */
export interface Figure {
  /** SVG text, 800 pixels wide, with its own background. */
  readonly svg: string;
  /** What the figure shows, for people who cannot see it; also in the SVG. */
  readonly alt: string;
}

/** A drawing that stands in the figure below the one before it. */
export interface Panel {
  /** SVG elements, with their origin at the panel's upper left corner. */
  readonly content: string;
  /** Height in pixels. */
  readonly height: number;
}

/** A line of text above the panels. */
export interface Caption {
  /** The text; it is wrapped. */
  readonly text: string;
  /** Whether it is a warning. */
  readonly warning?: boolean;
}

/** An entry of a legend. */
export interface LegendItem {
  /** SVG elements drawn in a box of 22 by 14 pixels; empty for none. */
  readonly symbol: string;
  /** What it means. */
  readonly label: string;
}

const MARGIN = 16;
const INNER = FIGURE_WIDTH - 2 * MARGIN;
const LEGEND_SIZE = 12;

/** Puts a title, captions and panels under each other on a light background. */
export function frame(
  title: string,
  captions: readonly Caption[],
  panels: readonly Panel[],
  alt: string,
): Figure {
  let y = 12;
  const parts: string[] = [];
  const write = (text: string, size: number, color: string, weight: string) => {
    for (const line of wrapText(text, size, INNER)) {
      y += Math.round(size * 1.35);
      parts.push(
        `<text x="${MARGIN}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${color}">${
          escapeXml(line)
        }</text>`,
      );
    }
  };
  write(title, 17, COLORS.text, "bold");
  y += 2;
  for (const { text, warning } of captions) {
    write(text, 12.5, warning ? COLORS.warning : COLORS.faint, warning ? "bold" : "normal");
  }
  y += 12;
  for (const panel of panels) {
    parts.push(`<g transform="translate(0,${y})">${panel.content}</g>`);
    y += panel.height;
  }
  y += 12;
  return {
    svg:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${FIGURE_WIDTH}" height="${y}" viewBox="0 0 ${FIGURE_WIDTH} ${y}" ` +
      `role="img" font-family="${FONT_FAMILY}" fill="${COLORS.text}" color="${COLORS.text}">` +
      `<title>${escapeXml(title)}</title><desc>${escapeXml(alt)}</desc>` +
      `<rect width="${FIGURE_WIDTH}" height="${y}" fill="${COLORS.background}"/>${parts.join("")}</svg>`,
    alt,
  };
}

/** A legend in as many lines as it needs. */
export function legend(items: readonly LegendItem[], heading = ""): Panel {
  if (items.length === 0) return { content: "", height: 0 };
  const rowHeight = 20;
  const parts: string[] = [];
  let x = MARGIN;
  let y = 0;
  const text = (label: string, color: string) => {
    parts.push(
      `<text x="${x}" y="${y + 14}" font-size="${LEGEND_SIZE}" fill="${color}">${escapeXml(label)}</text>`,
    );
    x += textWidth(label, LEGEND_SIZE);
  };
  if (heading !== "") {
    text(heading, COLORS.faint);
    x += 12;
  }
  for (const { symbol, label } of items) {
    const width = (symbol === "" ? 0 : 28) + textWidth(label, LEGEND_SIZE);
    if (x > MARGIN && x + width > FIGURE_WIDTH - MARGIN) {
      x = MARGIN;
      y += rowHeight;
    }
    if (symbol !== "") {
      parts.push(`<g transform="translate(${x},${y + 3})">${symbol}</g>`);
      x += 28;
    }
    text(label, COLORS.text);
    x += 16;
  }
  return { content: parts.join(""), height: y + rowHeight };
}
