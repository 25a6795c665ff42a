import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { InputError } from "../base/errors.ts";
import { niahHeatmap } from "./niah_figures.ts";
import { svgToPng } from "./svg_to_png.ts";
import { FONT_FAMILY } from "./theme.ts";

function sizeOf(png: Uint8Array): [number, number] {
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

/** The raw scan lines of a PNG: equal for equal pixels here, as one encoder made them. */
function pixelsOf(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset);
  const parts: Uint8Array[] = [];
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    const type = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    if (type === "IDAT") parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return inflateSync(Buffer.concat(parts));
}

const svgWith = (text: string, weight = "normal") =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40"><rect width="200" height="40" fill="#fff"/>` +
  `<text x="5" y="25" font-family="${FONT_FAMILY}" font-weight="${weight}">${text}</text></svg>`;

Deno.test("svgToPng() draws text with its own fonts", async () => {
  // Fonts of the machine are never loaded, so that a missing font would leave the picture blank.
  const [blank, text, bold] = await Promise.all(
    [svgWith(""), svgWith("needle"), svgWith("needle", "bold")].map((svg) => svgToPng(svg)),
  );
  const pixels = [blank, text, bold].map((png) =>
    Buffer.from(pixelsOf(png as Uint8Array)).toString("base64")
  );
  assert.equal(new Set(pixels).size, 3);
});

Deno.test("svgToPng() gives the width that was asked for", async () => {
  const figure = await niahHeatmap([{
    length: 1000,
    depth: 0,
    skip: null,
    validity: "correct",
    correct: true,
  }], { variant: "v" });
  const [width, height] = sizeOf(await svgToPng(figure.svg));
  assert.equal(width, 800);
  assert.equal(height, Number(/height="(\d+)"/.exec(figure.svg)?.[1]));
  assert.deepEqual(sizeOf(await svgToPng(figure.svg, { width: 1600 })), [1600, 2 * height]);
});

Deno.test("svgToPng() refuses what is no SVG", async () => {
  await assert.rejects(svgToPng("no picture"), InputError);
});
