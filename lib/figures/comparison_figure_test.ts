import assert from "node:assert/strict";
import { wilson } from "../stats/wilson.ts";
import { type ComparedCurve, type ComparedPanel, comparisonFigure } from "./comparison_figure.ts";

function curve(variant: string, shares: [number, number, number][], invalidShare = 0): ComparedCurve {
  const points = shares.map(([place, right, n]) => ({
    place,
    valid: wilson(right, n),
    raw: wilson(right, n + 2),
  }));
  return { variant, points, all: { valid: wilson(3, 6), raw: wilson(3, 8) }, invalidShare };
}

const panel = (curves: ComparedCurve[]): ComparedPanel => ({
  title: "Needle <in> a haystack",
  unit: "tokens",
  conditions: [],
  curves,
});

const count = (svg: string, what: RegExp) => [...svg.matchAll(what)].length;

Deno.test("comparisonFigure() draws a panel for each experiment, with counts and escaped names", async () => {
  const a = curve("a<b", [[1000, 3, 3], [10_000, 1, 3]]);
  const b = curve("other", [[1000, 2, 3], [5000, 0, 3]]);
  const conditions: ComparedPanel = {
    title: "LongMemEval",
    unit: null,
    conditions: ["focused", "full"],
    curves: [curve("other", [[0, 3, 3], [1, 1, 3]])],
  };
  const { svg, alt } = await comparisonFigure([panel([a, b]), conditions], {
    test: true,
    simulated: ["other"],
  });
  assert.match(svg, /Context rot, test runs: a&lt;b, other \(SIMULATED answers\)/);
  for (
    const text of ["LongMemEval", "Needle &lt;in&gt; a haystack", "Input length (tokens)", "focused", "full"]
  ) {
    assert.ok(svg.includes(text), text);
  }
  assert.doesNotMatch(svg, /all rows sent, where some are invalid/);
  assert.match(alt, /^Line charts of the accuracy of a<b, other .*3\/8 correct = 37\.5%/);
  assert.equal(count(svg, />3<\/text>/g), 6, "the rows behind every point");
});

Deno.test("comparisonFigure() warns of invalid rows, and shows all rows sent beside the valid ones", async () => {
  const broken = curve("broken", [[1000, 3, 3]], 0.25);
  const { svg } = await comparisonFigure([panel([broken, curve("sound", [[1000, 1, 3]])])], {
    test: false,
    simulated: [],
  });
  assert.match(
    svg,
    /Needle &lt;in&gt; a haystack, broken: 25\.0% of rows invalid, no evidence of context rot\./,
  );
  assert.doesNotMatch(svg, /sound: /);
  assert.match(svg, /all rows sent, where some are invalid/);
  const none: ComparedCurve = { ...broken, points: [{ place: 5, valid: wilson(0, 0), raw: wilson(0, 3) }] };
  const { svg: lone } = await comparisonFigure([panel([none])], { test: false, simulated: [] });
  assert.ok(lone.length > 0, "a variant without a valid row is drawn");
  await assert.rejects(comparisonFigure([], { test: false, simulated: [] }), { name: "InputError" });
});
