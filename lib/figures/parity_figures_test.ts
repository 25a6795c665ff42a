import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { agreementFigure, confusionFigure, similarityFigure } from "./parity_figures.ts";

const sides = ["api", "local"] as const;
const line = (label: string, count: number, n: number, interval: [number, number], self = false) => ({
  label,
  count,
  n,
  share: n === 0 ? null : count / n,
  interval,
  self,
});

Deno.test("agreementFigure() draws every line with its numbers and says them in its alt text", async () => {
  const { svg, alt } = await agreementFigure([
    line("rows both parsed", 63, 66, [0.875, 0.984]),
    line("api <itself>", 66, 66, [0.945, 1], true),
    line("nobody", 0, 0, [0, 1]),
  ], { sides, criterion: 0.95, notes: ["Verdict: inconclusive."] });
  for (
    const text of [
      "63 of 66 agree",
      "api &lt;itself&gt;",
      "no rows",
      "criterion 95.0%",
      "noise floor",
      "Verdict",
    ]
  ) {
    assert.ok(svg.includes(text), text);
  }
  assert.match(alt, /63 of 66, 95\.5% \(95% interval 87\.5% to 98\.4%\).*nobody: no rows/);
  assert.equal(svg.match(/<circle /g)?.length, 2 + 2, "a dot for each line with rows, and two in the legend");
  await assert.rejects(agreementFigure([], { sides, criterion: 0.95 }), InputError);
});

Deno.test("confusionFigure() shows all nine counts, and that answers are simulated", () => {
  const { svg, alt } = confusionFigure([[50, 1, 2], [3, 13, 5], [4, 10, 14]], { sides, simulated: true });
  for (const count of [50, 1, 2, 3, 13, 5, 4, 10, 14]) {
    assert.ok(svg.includes(`>${count}</text>`), `${count}`);
  }
  assert.match(svg, /SIMULATED/);
  assert.match(alt, /api flagged: 3 not flagged, 13 flagged, 5 unparsed/);
});

Deno.test("similarityFigure() draws a histogram of each series with values", async () => {
  const { svg, alt } = await similarityFigure([
    { label: "Answers", values: [1, 1, 0.5, 0], interval: [0.2, 1.1], criterion: 0.8 },
    { label: "Reasoning", values: [], interval: null, criterion: null },
  ], { sides });
  assert.match(svg, /Answers: 4 rows, mean 62\.5% \(95% interval 20\.0% to 100\.0%\), wanted 80\.0%/);
  assert.ok(!svg.includes("Reasoning"));
  assert.match(alt, /Answers: 4 rows, mean 62\.5%/);
  await assert.rejects(similarityFigure([], { sides }), InputError);
});
