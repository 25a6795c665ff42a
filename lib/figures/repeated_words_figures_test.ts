import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { InputError } from "../base/errors.ts";
import type { Estimate } from "../stats/mean.ts";
import type { CopyGroup, CopyGroups, CopyMeasures } from "./copy_groups.ts";
import { type FigureRow, tally } from "./outcomes.ts";
import { repeatedWordsFigures } from "./repeated_words_figures.ts";
import { escapeXml, textWidth } from "./theme.ts";

const NONE: Estimate = { n: 0, estimate: null, low: null, high: null };
const value = (estimate: number, n = 10, half: number | null = 0.05): Estimate => ({
  n,
  estimate,
  low: half === null ? null : Math.max(0, estimate - half),
  high: half === null ? null : Math.min(1, estimate + half),
});
const measures = (of: Estimate, delta: Estimate = of): CopyMeasures => ({
  exact: of,
  modifiedPresent: of,
  positionAccuracy: of,
  levenshtein: of,
  levenshteinCut: of,
  wordCountDelta: delta,
});
const group = (place: number, of: Estimate, delta?: Estimate): CopyGroup => ({
  place,
  words: place * 2,
  valid: measures(of, delta),
  all: measures(of, delta),
});
const LENGTHS = [50, 75, 100, 130, 280, 530, 780, 1030, 2530, 5030, 7530, 10_030];
const rowsOf = (invalid: number): FigureRow[] =>
  Array.from({ length: 100 }, (_, i) => ({
    length: 50,
    skip: null,
    validity: i < invalid ? "degenerate" : "correct",
    correct: i >= invalid,
  }));

function groups(change: Partial<CopyGroups> = {}): CopyGroups {
  return {
    tally: tally(rowsOf(0)),
    lengths: LENGTHS.map((length) => group(length, value(0.9))),
    tenths: Array.from({ length: 10 }, (_, tenth) => group(tenth, value(0.8))),
    found: [{ put: 0.5, found: 0.6, valid: true }],
    whole: { valid: measures(value(0.9)), all: measures(value(0.9)) },
    ...change,
  };
}

const options = { variant: "v", pair: "apple/apples" };
const parse = (svg: string) => parseHTML(`<html><body>${svg}</body></html>`).document;
const textsOf = (svg: string) =>
  [...parse(svg).querySelectorAll("text")].map((text) => text.textContent ?? "");
const dotsOf = (svg: string) => parse(svg).querySelectorAll("[aria-label=dot] circle").length;
const linesOf = (svg: string) =>
  [...parse(svg).querySelectorAll("[aria-label=line] path")].map((path) => path.getAttribute("d") ?? "");

Deno.test("repeatedWordsFigures() draws five figures with every length, place and number of rows", async () => {
  const figures = await repeatedWordsFigures(groups(), options);
  assert.equal(Object.keys(figures).length, 5);
  for (const [name, { svg }] of Object.entries(figures)) {
    const texts = textsOf(svg);
    assert.ok(texts.includes("Input length (tokens)"), name);
    assert.ok(texts.filter((text) => text === "10").length >= 12, `${name}: rows of every length`);
    if (name === "token_count_performance") continue;
    for (const label of ["0-10%", "90-100%", "Place of the modified word in the text"]) {
      assert.ok(texts.includes(label), `${name}: ${label}`);
    }
  }
  assert.equal(dotsOf(figures["modified_word_present"]?.svg ?? ""), 12 + 10);
  assert.equal(dotsOf(figures["position_accuracy"]?.svg ?? ""), 12 + 10 + 1);
});

Deno.test("repeatedWordsFigures() leaves a gap where there are no rows, and draws no zero there", async () => {
  const gap = groups({
    lengths: LENGTHS.map((length) => group(length, length === 530 ? NONE : value(0.9))),
    tenths: Array.from(
      { length: 10 },
      (_, tenth) => group(tenth, tenth === 4 || tenth === 9 ? NONE : value(0.8)),
    ),
  });
  const svg = (await repeatedWordsFigures(gap, options))["modified_word_present"]?.svg ?? "";
  assert.equal(dotsOf(svg), 11 + 8);
  const pieces = linesOf(svg).map((d) => d.split("M").length - 1);
  assert.deepEqual(pieces, [2, 2], "both lines are broken");
  assert.ok(!textsOf(svg).includes("0"), "no number of rows is 0");
});

Deno.test("repeatedWordsFigures() draws no bar where rows give no interval", async () => {
  const alike = groups({ lengths: LENGTHS.map((length) => group(length, value(1, 5, null))), tenths: [] });
  const svg = (await repeatedWordsFigures(alike, options))["levenshtein_score"]?.svg ?? "";
  const bars = [...parse(svg).querySelectorAll("[aria-label=rule] line")].filter((line) =>
    line.parentElement?.getAttribute("stroke-width") === "2"
  );
  assert.equal(bars.length, 0);
  assert.ok(dotsOf(svg) >= 12);
});

Deno.test("repeatedWordsFigures() says in every title what is invalid above 5%, and what is simulated", async () => {
  const at = async (invalid: number) =>
    Object.values(
      await repeatedWordsFigures(groups({ tally: tally(rowsOf(invalid)) }), { ...options, simulated: true }),
    );
  for (const { svg } of await at(6)) {
    assert.match(svg, /SIMULATED answers\): 6\.0% of rows invalid/);
    assert.match(svg, /no evidence of context rot: 6 degenerate\./);
    assert.ok(textsOf(svg).some((text) => text.startsWith("valid rows")));
  }
  for (const { svg } of await at(5)) assert.doesNotMatch(svg, /of rows invalid/);
});

Deno.test("repeatedWordsFigures() fits scores close to 1 and word counts far off", async () => {
  const close = await repeatedWordsFigures(
    groups({
      lengths: LENGTHS.map((length) => group(length, value(0.99, 10, 0.005))),
      tenths: [],
    }),
    options,
  );
  assert.ok(textsOf(close["levenshtein_score"]?.svg ?? "").includes("0.96"));
  const far = await repeatedWordsFigures(
    groups({
      lengths: LENGTHS.map((length) =>
        group(length, value(0.2), { n: 3, estimate: -7.3, low: -9.9, high: 0.4 })
      ),
    }),
    options,
  );
  const texts = textsOf(far["word_count_delta"]?.svg ?? "");
  assert.ok(texts.includes("-10x") && texts.includes("0%"), texts.join(" "));
  assert.ok(textsOf(far["levenshtein_score"]?.svg ?? "").includes("0.25"));
});

Deno.test("repeatedWordsFigures() is whole for odd runs, without NaN, small fonts or text beyond the edge", async () => {
  const cases = [
    groups({
      lengths: [group(50, NONE)],
      tenths: groups().tenths.map(({ place }) => group(place, NONE)),
      found: [],
    }),
    groups({ lengths: [group(50, value(1, 1, null))] }),
    groups({
      lengths: [group(50, value(0.5)), group(51, value(0.5))],
      found: [{ put: 1, found: 40, valid: false }],
    }),
    groups({ tally: tally(rowsOf(50)) }),
  ];
  for (const [index, one] of cases.entries()) {
    const figures = await repeatedWordsFigures(one, {
      variant: "an-organisation/a-model-with-a-very-long-name-instruct-fp8-dynamic-2026-11-20-preview",
      pair: `<b>&"San Francisco"/${"long ".repeat(30)}`,
      window: 1024,
      thresholds: [{ label: "RULER", value: 0.856 }],
    });
    for (const { svg, alt } of Object.values(figures)) {
      assert.ok(!/NaN|undefined|Infinity|<b>/.test(svg), `case ${index}`);
      assert.ok(alt.length > 20 && svg.includes(`<desc>${escapeXml(alt)}</desc>`));
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
});

Deno.test("repeatedWordsFigures() refuses a run without rows", async () => {
  await assert.rejects(repeatedWordsFigures(groups({ lengths: [] }), options), InputError);
});
