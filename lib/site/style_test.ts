import assert from "node:assert/strict";
import { contrast } from "../figures/contrast.ts";
import { PAGE_COLORS } from "./style.ts";

for (const [scheme, colors] of Object.entries(PAGE_COLORS)) {
  Deno.test(`the ${scheme} scheme keeps a contrast of 4.5 for every text on everything it stands on`, () => {
    for (const text of ["text", "faint", "link", "right", "wrong"] as const) {
      for (const ground of ["paper", "box"] as const) {
        assert.ok(
          contrast(colors[text], colors[ground]) >= 4.5,
          `${text} on ${ground}: ${contrast(colors[text], colors[ground])}`,
        );
      }
    }
    for (const text of ["text", "faint"] as const) {
      assert.ok(contrast(colors[text], colors.mark) >= 4.5, `${text} on a mark`);
    }
  });
}
