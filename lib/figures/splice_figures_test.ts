import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { type ArmBar, armsFigure, type EffectDot, effectFigure } from "./splice_figures.ts";
import { spliceView, type ViewToken } from "./splice_view.ts";
import { svgToPng } from "./svg_to_png.ts";
import { quartilesAt, transferFigure, type TransferLine } from "./transfer_figure.ts";

const options = { variant: "po<cket", notes: ["A note & more."] };

Deno.test("effectFigure() draws each sentence with its interval, and says how many effects are shown", async () => {
  const dot = (delta: number, effect: number, kind: EffectDot["kind"], shown: boolean): EffectDot => ({
    delta,
    effect,
    interval: [effect - 0.1, effect + 0.1],
    kind,
    shown,
  });
  const { svg, alt } = await effectFigure(
    [dot(0.7, 0.6, "anchor", true), dot(0.5, 0.05, "anchor", false), dot(0.02, -0.03, "control", false)],
    { ...options, simulated: true },
  );
  assert.match(
    alt,
    /2 spliced sentences, 1 with an effect that is shown, and 1 controls\. Effects of spliced sentences from \+0\.05 to \+0\.60/,
  );
  assert.match(svg, /po&lt;cket \(SIMULATED answers\)/);
  assert.match(svg, /A note &amp; more\./);
  assert.doesNotMatch(
    (await effectFigure([dot(0.7, 0.6, "anchor", true)], options)).svg,
    /control sentence|SIMULATED/,
  );
  await assert.rejects(effectFigure([], options), InputError);
});

Deno.test("armsFigure() draws a bar for each arm with answers and counts those without", async () => {
  const bar = (
    label: string,
    hinted: number,
    valid: number,
    lost: number,
    group: ArmBar["group"],
  ): ArmBar => ({
    label,
    hinted,
    valid,
    lost,
    rate: valid === 0 ? null : hinted / valid,
    interval: valid === 0 ? [0, 1] : [0.1, 0.9],
    group,
  });
  const { svg, alt } = await armsFigure(
    [
      bar("with <it>", 30, 40, 10, "anchor"),
      bar("without", 5, 50, 0, "control"),
      bar("nothing", 0, 0, 3, "none"),
    ],
    options,
  );
  for (
    const part of [
      "with &lt;it&gt;",
      "30 of 40 answers, 75.0%; 10 without one",
      "5 of 50 answers, 10.0%<",
      "no answers; 3 without one",
    ]
  ) {
    assert.ok(svg.includes(part), part);
  }
  assert.match(alt, /with <it>: 30 of 40 answers.*\(95% interval 10\.0% to 90\.0%\); without/);
  await assert.rejects(armsFigure([], options), InputError);
});

Deno.test("quartilesAt() reads lines linearly and leaves out those that do not reach a place", () => {
  const line = (problem: string, points: [number, number][]): TransferLine => ({
    problem,
    points: points.map(([position, rate]) => ({ position, rate, measured: true })),
  });
  const lines = [
    line("a", [[0, 0], [1, 1]]),
    line("b", [[0, 0.2], [0.5, 0.2], [0.9, 1]]),
    line("c", [[0.3, 0.6], [0.7, 0.6]]),
  ];
  assert.deepEqual(quartilesAt(lines.slice(0, 2), 0), {
    low: 0.05,
    median: 0.1,
    high: 0.15000000000000002,
    n: 2,
  });
  assert.deepEqual([quartilesAt(lines, 0.5)?.median, quartilesAt(lines, 0.5)?.n], [0.5, 3]);
  assert.equal(quartilesAt(lines, 0.95)?.n, 1);
  assert.equal(quartilesAt(lines.slice(2), 0.9), null);
});

Deno.test("transferFigure() draws lines, their median and what was copied, and names the median in its alt text", async () => {
  const lines = ["1", "2", "3"].map((problem, i): TransferLine => ({
    problem,
    points: [0, 0.25, 0.5, 0.75, 1].map((position) => ({
      position,
      rate: Math.min(1, position + i / 10),
      measured: position < 1,
    })),
  }));
  const { svg, alt } = await transferFigure(lines, options);
  assert.match(alt, /along 3 chains.*0%: 10\.0%; 25%: 35\.0%; 50%: 60\.0%; 75%: 85\.0%; 100%: 100\.0%\./);
  assert.match(svg, /median of 3 problems/);
  assert.match(svg, /copied, not measured/);
  const measured = lines.map(({ problem, points }) => ({ problem, points: points.slice(0, 4) }));
  assert.doesNotMatch((await transferFigure(measured, options)).svg, /copied/);
  await assert.rejects(transferFigure([{ problem: "1", points: [] }], options), InputError);
});

Deno.test("spliceView() shows tokens by what they belong to around the boundary, escaped", async () => {
  const tokens: ViewToken[] = [
    ...Array.from({ length: 900 }, (): ViewToken => ({ text: " word", kind: "prompt" })),
    { text: "First <b>", kind: "prefix" },
    { text: " &\n\n", kind: "prefix" },
    { text: "It is \u0000five.", kind: "sentence" },
    { text: " So", kind: "continuation" },
    { text: "", kind: "continuation" },
    { text: " 😀".repeat(80), kind: "continuation" },
    ...Array.from({ length: 900 }, (): ViewToken => ({ text: "\tend\n", kind: "continuation" })),
  ];
  const { svg, alt } = spliceView(tokens, { ...options, lines: 6 });
  assert.ok(svg.includes("First\u00A0&lt;b&gt;") && svg.includes("\u00A0&amp;↵") && svg.includes("⇥end↵"));
  assert.ok(!svg.includes("<b>") && !svg.includes("\u0000"));
  assert.match(svg, /… \d+ tokens before/);
  assert.match(svg, /… \d+ tokens behind/);
  assert.match(svg, /spliced sentence: 1 tokens/);
  assert.match(
    alt,
    /900 prompt, 2 recorded chain, 1 spliced sentence, 903 written here/,
  );
  const height = Number(/height="(\d+)"/.exec(svg)?.[1]);
  assert.ok(height < 500, `${height}`);
  assert.ok((await svgToPng(svg)).length > 1000);
  // The mark of the boundary stands before the first token that was written, once.
  assert.equal(svg.match(/<rect [^>]*width="3"/g)?.length, 1);
  assert.throws(() => spliceView([], options), InputError);
  assert.match(spliceView([{ text: "alone", kind: "prompt" }], options).svg, /alone/);
});
