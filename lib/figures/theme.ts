/**
 * Fonts, colours and number formats of every figure.
 * @module
 */

/** Width of every figure in pixels; fonts are chosen to be read at this size. */
export const FIGURE_WIDTH = 800;

/** The font that svgToPng brings along, then fonts of the same widths. */
export const FONT_FAMILY = "DejaVu Sans, Verdana, sans-serif";

/** Explicit colours, so that a figure reads the same in light and dark notebooks. */
export const COLORS = {
  background: "#ffffff",
  text: "#1b1f24",
  faint: "#5b6470",
  grid: "#d9dde2",
  empty: "#e6e8eb",
  hatch: "#b4bac2",
  warning: "#8a2f00",
  valid: "#1f5fa5",
  raw: "#c25a12",
  rule: "#3b424a",
  rule2: "#7a3e9d",
} as const;

/** Vermilion to blue, told apart with any colour vision: colours of a share of 0-20%, 20-40%, 40-60%, 60-80% and 80-100%, with a text colour that reads on each. */
export const SHARE_COLORS: readonly { readonly fill: string; readonly text: string }[] = [
  { fill: "#b5460f", text: "#ffffff" },
  { fill: "#f0a368", text: "#1b1f24" },
  { fill: "#f3efe4", text: "#1b1f24" },
  { fill: "#8fbce0", text: "#1b1f24" },
  { fill: "#1f5fa5", text: "#ffffff" },
];

/** Index into {@linkcode SHARE_COLORS} of a share 0..1; a bin holds its lower edge, the last one also 1. */
export function shareBin(share: number): number {
  return Math.min(SHARE_COLORS.length - 1, Math.floor(share * SHARE_COLORS.length + 1e-9));
}

/** Tokens as people write them: `500`, `1k`, `1.45k`, `900k`, `1M`. */
export function formatLength(tokens: number): string {
  const units: [number, string][] = [[1e6, "M"], [1e3, "k"]];
  for (const [unit, name] of units) {
    // 999,600 rounds to 1M, not to 1000k.
    if (Number(tokens.toPrecision(3)) >= unit) return `${Number((tokens / unit).toPrecision(3))}${name}`;
  }
  return String(Math.round(tokens));
}

/** A share 0..1 as `45.5%`. */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** Text made safe inside SVG; characters that XML forbids become the replacement character. */
export function escapeXml(text: string): string {
  return text.toWellFormed().replace(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, "\uFFFD")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/** Width of a text in pixels, estimated from DejaVu Sans: a little too wide rather than too narrow. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const char of text) {
    if (/[ilj.,:;'|!I()\[\] ]/.test(char)) width += 0.4;
    else if (/[mwMW@%]/.test(char)) width += 0.98;
    else if (char > "\u2E80") width += 1.05;
    else width += /[A-Z_&]/.test(char) ? 0.72 : 0.63;
  }
  return width * size;
}

/** Lines of at most `width` pixels, broken at spaces, and inside words that are longer than a line (after `-/_.` if it can be). */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    let rest = word;
    const joined = line === "" ? rest : `${line} ${rest}`;
    if (textWidth(joined, size) <= width) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    while (textWidth(rest, size) > width) {
      let end = rest.length;
      while (end > 1 && textWidth(rest.slice(0, end), size) > width) end--;
      const joint = Math.max(...["-", "/", "_", "."].map((mark) => rest.lastIndexOf(mark, end - 1))) + 1;
      if (joint > end / 2) end = joint;
      lines.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    line = rest;
  }
  return line === "" ? lines : [...lines, line];
}
