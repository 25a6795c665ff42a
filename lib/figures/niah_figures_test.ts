import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { InputError } from "../base/errors.ts";
import { accuracyByLength, niahHeatmap } from "./niah_figures.ts";
import type { FigureRow, Outcome } from "./outcomes.ts";
import { COLORS, escapeXml, SHARE_COLORS, textWidth } from "./theme.ts";

const LENGTHS = [500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 900_000];
const DEPTHS = Array.from({ length: 11 }, (_, i) => i * 10);

type Change = Partial<FigureRow>;
function grid(
  lengths: number[],
  depths: number[],
  change: (length: number, depth: number, trial: number) => Change,
  trials = 1,
) {
  return lengths.flatMap((length) =>
    depths.flatMap((depth) =>
      Array.from({ length: trials }, (_, trial): FigureRow => {
        const given = change(length, depth, trial);
        return {
          length,
          depth,
          skip: null,
          validity: "correct",
          correct: (given.validity ?? "correct") === "correct",
          ...given,
        };
      })
    )
  );
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
}
const parse = (svg: string) => parseHTML(`<html><body>${svg}</body></html>`).document;
const textsOf = (svg: string) =>
  [...parse(svg).querySelectorAll("text")].map((text) => text.textContent ?? "");
const cellsOf = (svg: string): Box[] =>
  [...parse(svg).querySelectorAll("[aria-label=cell] rect")].map((rect) => ({
    x: Number(rect.getAttribute("x")),
    y: Number(rect.getAttribute("y")),
    fill: rect.getAttribute("fill") ?? rect.parentElement?.getAttribute("fill") ?? "",
  }));

Deno.test("niahHeatmap() draws a cell for each length and depth, depth 0 at the bottom, short lengths left", async () => {
  const rows = grid(
    LENGTHS,
    DEPTHS,
    (length, depth) => length === 500 && depth === 0 ? { validity: "wrong" } : {},
  );
  const { svg, alt } = await niahHeatmap(rows, { variant: "gpt-4.1" });
  const cells = cellsOf(svg);
  assert.equal(cells.length, 88);
  const wrong = cells.filter((cell) => cell.fill === SHARE_COLORS[0]?.fill);
  assert.equal(wrong.length, 1);
  assert.equal(wrong[0]?.y, Math.max(...cells.map((cell) => cell.y)));
  assert.equal(wrong[0]?.x, Math.min(...cells.map((cell) => cell.x)));
  const texts = textsOf(svg);
  assert.equal(texts.filter((text) => text === "1/1").length, 87);
  assert.equal(texts.filter((text) => text === "0/1").length, 1);
  for (const label of ["500", "900k", "0%", "100%", "Input length (tokens)", "Needle depth"]) {
    assert.ok(texts.includes(label), label);
  }
  assert.ok(texts.includes("Needle in a haystack, gpt-4.1"));
  assert.match(alt, /8 input lengths by 11 needle depths. 87\/88 correct = 98.9%/);
});

Deno.test("niahHeatmap() colours by the valid rows, hatches the others and marks the classes", async () => {
  const outcomes: Record<number, Outcome> = {
    1000: "truncated",
    10_000: "output_cap",
    100_000: "distractor",
  };
  const rows = grid([500, 1000, 10_000, 100_000, 500_000], [0, 50, 100], (length, _, trial) => {
    if (length === 500_000) return { validity: null, skip: "window", correct: null };
    return trial < 5 ? {} : { validity: outcomes[length] ?? "correct" };
  }, 10);
  const { svg } = await niahHeatmap(rows, { variant: "pocket" });
  const texts = textsOf(svg);
  assert.equal(texts.filter((text) => text === "5/5").length, 6, "two lengths keep five valid rows");
  assert.equal(texts.filter((text) => text === "5/10").length, 3, "distractors are valid");
  for (const mark of ["T5", "C5", "d5", "S10"]) {
    assert.equal(texts.filter((text) => text === mark).length, 3, mark);
  }
  assert.equal(cellsOf(svg).filter((cell) => cell.fill === "url(#hatch)").length, 3);
  for (
    const key of [
      "T truncated (15)",
      "C output cap (15)",
      "d distractor (15)",
      "S skipped, beyond the window (30)",
    ]
  ) {
    assert.ok(texts.includes(key), key);
  }
  assert.ok(texts.some((text) => text.includes("pocket: 25.0% of rows invalid")), "the title says so");
  assert.ok(!texts.some((text) => text.includes("refused")), "the key holds only what occurs");
});

Deno.test("figures say invalid in the title above 5% and not at it", async () => {
  const share = (invalid: number) =>
    grid([1000], [0], (_, __, trial) => trial < invalid ? { validity: "error", correct: null } : {}, 100);
  assert.ok(!(await accuracyByLength(share(5), { variant: "v" })).svg.includes("of rows invalid"));
  assert.ok((await accuracyByLength(share(6), { variant: "v" })).svg.includes("6.0% of rows invalid"));
});

Deno.test("figures say that answers are simulated", async () => {
  const { svg } = await niahHeatmap(grid([1000], [0], () => ({})), { variant: "v", simulated: true });
  assert.match(svg, /v \(SIMULATED answers\)/);
});

Deno.test("accuracyByLength() draws both series only where they differ, with thresholds and window", async () => {
  const thresholds = [{ label: "RULER: 5k tokens", value: 0.856 }, {
    label: "NoLiMa: 10k tokens",
    value: 0.85,
  }];
  const plain = grid(LENGTHS, DEPTHS, (length) => length > 5000 ? { validity: "wrong" } : {});
  const { svg } = await accuracyByLength(plain, { variant: "v", thresholds, window: 32_768 });
  const texts = textsOf(svg);
  assert.equal(parse(svg).querySelectorAll("[aria-label=dot] circle").length, 8);
  for (
    const text of [
      "RULER: 5k tokens (85.6%)",
      "NoLiMa: 10k tokens (85.0%)",
      "trained window 32,768",
      "all rows sent",
    ]
  ) {
    assert.ok(texts.includes(text), text);
  }
  assert.ok(!texts.includes("valid rows"));
  const mixed = grid(LENGTHS, DEPTHS, (length) => length > 5000 ? { validity: "truncated" } : {});
  const both = await accuracyByLength(mixed, { variant: "v" });
  assert.equal(parse(both.svg).querySelectorAll("[aria-label=dot] circle").length, 8 + 3);
  assert.ok(textsOf(both.svg).includes("valid rows"));
});

Deno.test("figures are whole for odd grids, without NaN, small fonts or text beyond the edge", async () => {
  const cases: FigureRow[][] = [
    grid([1000], [0], () => ({})),
    grid([1000, 10_000, 100_000, 500_000], [0, 50, 100], () => ({})),
    grid(LENGTHS, DEPTHS, () => ({ validity: null, correct: null })),
    grid(LENGTHS, DEPTHS, () => ({ validity: null, skip: "window", correct: null })),
    grid(Array.from({ length: 12 }, (_, i) => 250 * 2 ** i), DEPTHS, () => ({}), 10),
    grid([32_768, 32_800], [0, 100], () => ({ validity: "error", correct: null })),
  ];
  const variant = "an-organisation/a-model-with-a-very-long-name-instruct-fp8-dynamic-2026-11-20-preview-"
    .repeat(3);
  for (const [index, rows] of cases.entries()) {
    const options = { variant, window: 4096, thresholds: [{ label: "RULER", value: 0.856 }] };
    for (const { svg, alt } of [await niahHeatmap(rows, options), await accuracyByLength(rows, options)]) {
      assert.ok(!/NaN|undefined|Infinity/.test(svg), `case ${index}`);
      assert.ok(alt.length > 20 && svg.includes(`<desc>${escapeXml(alt)}</desc>`));
      assert.ok(svg.includes(`<rect width="800" height=`) && svg.includes(`fill="${COLORS.background}"`));
      for (const [, size] of svg.matchAll(/font-size="([\d.]+)/g)) {
        assert.ok(Number(size) >= 11, `font of ${size}`);
      }
      for (const text of parse(svg).querySelectorAll("svg > text")) {
        const right = Number(text.getAttribute("x")) +
          textWidth(text.textContent ?? "", Number(text.getAttribute("font-size")));
        assert.ok(right <= 800, text.textContent ?? "");
      }
    }
  }
  const same = cellsOf((await niahHeatmap(cases[5] as FigureRow[], { variant })).svg);
  assert.equal(
    new Set(same.map((cell) => cell.x)).size,
    2,
    "lengths that print alike keep their own columns",
  );
});

Deno.test("figures escape hostile names", async () => {
  const { svg } = await niahHeatmap(grid([1000], [0], () => ({})), {
    variant: `</text><script>alert("x")</script>\0`,
    notes: ["a & b < c"],
  });
  assert.ok(!svg.includes("<script"));
  assert.ok(svg.includes("a &amp; b &lt; c"));
});

Deno.test("figures are the same bytes for the same rows", async () => {
  const rows = grid(LENGTHS, DEPTHS, () => ({}));
  assert.equal(
    (await niahHeatmap(rows, { variant: "v" })).svg,
    (await niahHeatmap(rows, { variant: "v" })).svg,
  );
});

Deno.test("figures refuse no rows, and a heatmap rows without a depth", async () => {
  await assert.rejects(niahHeatmap([], { variant: "v" }), InputError);
  await assert.rejects(accuracyByLength([], { variant: "v" }), InputError);
  const flat: FigureRow[] = [{ length: 1000, skip: null, validity: "correct", correct: true }];
  await assert.rejects(niahHeatmap(flat, { variant: "v" }), /depth/);
  assert.ok((await accuracyByLength(flat, { variant: "v" })).svg.includes("1/1 correct"));
});
