import assert from "node:assert/strict";
import { glyphWidth } from "./glyph_widths.ts";

Deno.test("glyphWidth() is the width at which the font draws each character, alone and in a row", async () => {
  const { Resvg } = await import("@resvg/resvg-js");
  // A text between two bars, drawn with the font that svgToPng brings: its advance is the way from bar to bar.
  const fonts = new URL("./ttf/DejaVuSans.ttf", import.meta.resolve("dejavu-fonts-ttf/package.json"));
  const drawn = (text: string) => {
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="60" font-size="20" font-family="DejaVu Sans" ` +
      `text-rendering="geometricPrecision"><text x="10" y="30">|${text}|</text></svg>`;
    const font = { loadSystemFonts: false, fontFiles: [decodeURIComponent(fonts.pathname)] };
    return new Resvg(svg, { font }).innerBBox()?.width ?? NaN;
  };
  const bars = drawn("");
  for (const text of ["xxxx", "iiii", "MMMM", "Then~I@add#5+7.", "WQ0jlft\u00A0{}", "↵⇥"]) {
    // Drawn texts may be set a little closer where letters pair (kerning).
    const difference = Math.abs(drawn(text) - bars - glyphWidth(text, 20));
    assert.ok(difference < 2, `${text}: ${difference}`);
  }
  assert.ok(glyphWidth("字😀", 10) > 15);
});
