import assert from "node:assert/strict";
import { type DosePoint, doseResponse } from "./dose_response.ts";
import { signed, steeringHeatmap, type SweepCell } from "./steering_heatmap.ts";
import { type DynamicsSeries, traitDynamics } from "./trait_dynamics.ts";
import { variantCurves } from "./variant_curves.ts";

const cell = (layer: string, ratio: number, more: Partial<SweepCell> = {}): SweepCell => ({
  layer,
  ratio,
  effect: 10 * ratio,
  coherent: 8,
  n: 8,
  passes: true,
  chosen: false,
  ...more,
});
const count = (svg: string, part: string) => svg.split(part).length - 1;

Deno.test("signed() shows a sign and two digits or so", () => {
  assert.deepEqual([12.34, -3.45, 0.04, -0.01].map(signed), ["+12", "\u22123.5", "0", "0"]);
});

Deno.test("steeringHeatmap() draws every point, the chosen one and those that cannot be, and says so in words", () => {
  const cells = [
    cell("1", 0.5),
    cell("1", 1, { chosen: true }),
    cell("2", 0.5, { effect: null }),
    cell("2", 1, { coherent: 2, passes: false }),
  ];
  const { svg, alt } = steeringHeatmap(cells, { title: "Sweep <x>", notes: ["a & b"] });
  assert.match(svg, /Sweep &lt;x&gt;/);
  assert.ok(svg.includes(">+10<") && svg.includes(">2/8<") && svg.includes(">?<"));
  assert.equal(count(svg, 'stroke-width="3"/>') - 1, 2, "the chosen frame in both panels");
  assert.match(alt, /layer 2 at 1: \+10, 2 of 8 coherent/);
  assert.match(alt, /layer 2 at 0.5: no score/);
  assert.match(alt, /Chosen: layer 1 at 1\./);
  assert.throws(() => steeringHeatmap([], { title: "" }), { name: "InputError" });
});

Deno.test("steeringHeatmap() puts the many strengths of a search into bins, and loses none", () => {
  const ratios = Array.from({ length: 30 }, (_, i) => Number((0.2 * 1.13 ** i).toPrecision(4)));
  const { svg, alt } = steeringHeatmap(ratios.map((ratio) => cell("3", ratio)), { title: "t" });
  const shown = [...svg.matchAll(/>(\d+)\/(\d+)</g)].reduce((sum, [, coherent]) => sum + Number(coherent), 0);
  assert.equal(shown, 8 * 30);
  assert.match(svg, /stand in bins/);
  for (const ratio of ratios) assert.ok(alt.includes(`at ${ratio}:`));
});

Deno.test("doseResponse() shades where answers break, and gives every interval in words", async () => {
  const point = (ratio: number, effect: number | null): DosePoint => ({
    ratio,
    effect,
    low: effect === null ? null : effect - 5,
    high: effect === null ? null : effect + 5,
    n: 8,
    coherent: ratio > 1 ? 1 : 8,
    coherentInterval: ratio > 1 ? [0.02, 0.47] : [0.68, 1],
  });
  const series = [
    { label: "trait vector", control: false, points: [point(0, 0), point(1, 30), point(2, 40)] },
    { label: "random", control: true, points: [point(1, -2), point(2, null)] },
  ];
  const levels = [{ label: "asked for", effect: 20, low: 10, high: 30 }];
  const options = { title: "Dose", chosen: 1, breaks: 2, coherentShare: 0.75 };
  const { svg, alt } = await doseResponse(series, levels, options);
  assert.ok(
    svg.includes("answers break") && svg.includes("chosen 1") && svg.includes("trait vector (n = 8 each)"),
  );
  assert.match(alt, /trait vector: at 0 0 .*at 1 \+30 \(\+25 to \+35\), 8 of 8 coherent; at 2/);
  assert.match(alt, /random: at 1 −2.*at 2 no score/);
  assert.match(alt, /asked for: \+20\. Answers break from 2 on\./);
  const calm = await doseResponse(series, [], { ...options, breaks: null, chosen: null });
  assert.match(calm.alt, /stay coherent at every strength/);
  assert.ok(!calm.svg.includes("answers break"));
  await assert.rejects(doseResponse([], [], options), { name: "InputError" });
});

const reading = (label: string, n: number): DynamicsSeries => ({
  label,
  cosines: Array.from({ length: n }, (_, i) => i === 3 ? null : Math.sin(i)),
  averages: Array.from({ length: n }, () => 0.1),
  velocities: Array.from({ length: n }, (_, i) => i === 0 ? null : 0.01),
});

Deno.test("traitDynamics() shows each token once under its cosine, and cuts long texts aloud", () => {
  const tokens = Array.from({ length: 60 }, (_, i) => ` w${i}`);
  const { svg, alt } = traitDynamics([reading("pocket", 60)], {
    title: "Dynamics",
    tokens,
    responseStart: 50,
  });
  for (const i of [0, 49, 59]) assert.equal(count(svg, `>·w${i}<`), 1);
  assert.equal(count(svg, "<circle"), 59 + 1, "a dot for each known cosine, and the legend's");
  assert.match(alt, /pocket: mean .* over the prompt, .* over the response\. 60 tokens: {2}w0 w1/);
  const long = traitDynamics([reading("pocket", 400)], {
    title: "t",
    tokens: Array.from({ length: 400 }, () => "<a>\n"),
    responseStart: 0,
  });
  assert.match(long.svg, /The first 288 of 400 tokens\./);
  assert.ok(long.svg.includes("&lt;a&gt;↵"));
  const two = traitDynamics([reading("a", 60), reading("b", 60)], { title: "t", tokens, responseStart: 5 });
  assert.equal(count(two.svg, "<circle"), 0);
  assert.throws(() => traitDynamics([reading("a", 3)], { title: "t", tokens, responseStart: 0 }), {
    name: "InputError",
  });
});

Deno.test("variantCurves() sets variants side by side with their intervals", async () => {
  const point = (estimate: number | null) => ({ estimate, low: null, high: null, n: 3 });
  const curve = (label: string) => ({
    label,
    mean: { estimate: 0.25, low: 0.1, high: 0.4, n: 9 },
    byToken: [point(0.1), point(null), point(0.3)],
  });
  const { svg, alt } = await variantCurves([
    curve("base"),
    curve("a very long name (responses of another one)"),
  ], {
    title: "Variants",
  });
  assert.match(alt, /base: 0\.250 \(0\.100 to 0\.400\), 9 prompts; a very long name/);
  assert.equal(count(svg, ">9 prompts<"), 2);
  await assert.rejects(variantCurves([], { title: "" }), { name: "InputError" });
});
