import assert from "node:assert/strict";
import fc from "fast-check";
import { contrast } from "./contrast.ts";
import { escapeXml, formatLength, SHARE_COLORS, shareBin, textWidth, wrapText } from "./theme.ts";

Deno.test("formatLength() writes tokens as people do", () => {
  const known: [number, string][] = [
    [25, "25"],
    [500, "500"],
    [1000, "1k"],
    [1448, "1.45k"],
    [32_768, "32.8k"],
    [900_000, "900k"],
    [999_600, "1M"],
    [2_500_000, "2.5M"],
  ];
  for (const [tokens, text] of known) assert.equal(formatLength(tokens), text);
});

Deno.test("shareBin() puts every share into its fifth", () => {
  assert.deepEqual([0, 0.19, 0.2, 0.4, 0.6, 0.8, 1].map(shareBin), [0, 0, 1, 2, 3, 4, 4]);
});

Deno.test("SHARE_COLORS carry text with a contrast of at least 4.5", () => {
  for (const { fill, text } of SHARE_COLORS) {
    assert.ok(contrast(fill, text) >= 4.5, fill);
  }
});

Deno.test("escapeXml() leaves nothing that markup is made of", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const safe = escapeXml(text);
    assert.ok(!/[<>"']|&(?!(amp|lt|gt|quot|#39);)|\0/.test(safe));
    assert.ok(safe.isWellFormed());
  }));
});

Deno.test("wrapText() loses no letter and keeps to the width", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 40, max: 400 }), (text, width) => {
    const lines = wrapText(text, 12, width);
    assert.equal(lines.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
    for (const line of lines) assert.ok(textWidth(line, 12) <= width);
  }));
  assert.deepEqual(wrapText("org/model-name-with-parts", 12, 130), ["org/model-name-", "with-parts"]);
});
