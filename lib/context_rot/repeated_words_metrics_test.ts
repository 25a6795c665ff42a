import assert from "node:assert/strict";
import fc from "fast-check";
import { distance } from "fastest-levenshtein";
import { type CopyMetrics, measureCopy } from "./repeated_words_metrics.ts";
import { parsePairs, WORD_PAIRS, type WordPair } from "./repeated_words_pairs.ts";
import { goldText } from "./repeated_words_prompt.ts";

const APPLE: WordPair = { base: "apple", modified: "apples" };
const spec = (count: number, position: number, pair = APPLE) => ({ pair, count, position });
const times = (word: string, n: number) => new Array<string>(n).fill(word).join(" ");
const pick = <K extends keyof CopyMetrics>(metrics: CopyMetrics, ...keys: K[]) =>
  keys.map((key) => metrics[key]);

const pairs = fc.constantFrom(...WORD_PAIRS);
const places = fc.integer({ min: 1, max: 60 }).chain((count) =>
  fc.record({ pair: pairs, count: fc.constant(count), position: fc.nat({ max: count - 1 }) })
);

Deno.test("measureCopy() finds nothing wrong with the gold, white space around it or not", () => {
  fc.assert(
    fc.property(
      places,
      fc.constantFrom("", "\n", " \n\n"),
      fc.constantFrom("", "\n", "  "),
      (place, before, after) => {
        const gold = goldText(place);
        const metrics = measureCopy(place, before + gold + after);
        assert.deepEqual(
          pick(
            metrics,
            "exact",
            "modifiedCount",
            "positionOffset",
            "wordCountDelta",
            "foreignWords",
            "levenshteinScoreCut",
          ),
          [true, 1, 0, 0, 0, 1],
        );
        const score = 1 - (before + after).length / (before + gold + after).length;
        assert.ok(Math.abs(metrics.levenshteinScore - score) < 1e-12);
      },
    ),
  );
});

Deno.test("measureCopy() scores as the formula with fastest-levenshtein, on any output", () => {
  const output = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(fc.constantFrom("apple", "apples", "San", "Francisco", "sf", "\n", "no,", "\u{1F34F}"), {
      maxLength: 80,
    })
      .map((words) => words.join(" ")),
  );
  fc.assert(
    fc.property(places, output, (place, output) => {
      const gold = goldText(place);
      const metrics = measureCopy(place, output);
      const score = (text: string) => 1 - distance(gold, text) / Math.max(gold.length, text.length);
      assert.ok(Math.abs(metrics.levenshteinScore - score(output)) < 1e-12);
      assert.ok(Math.abs(metrics.levenshteinScoreCut - score(output.trim().slice(0, gold.length))) < 1e-12);
      assert.ok(metrics.levenshteinScore >= 0 && metrics.levenshteinScoreCut <= 1);
      assert.equal(metrics.exact, output.trim() === gold);
      const words = (text: string) => text.split(/\s+/).filter(Boolean).length;
      assert.equal(metrics.wordCountDelta, words(gold) - words(output));
    }),
    { numRuns: 500 },
  );
});

Deno.test("measureCopy() finds the modified word again wherever it was moved", () => {
  fc.assert(fc.property(places, fc.nat({ max: 80 }), (place, to) => {
    const moved = { ...place, position: Math.min(to, place.count - 1) };
    const metrics = measureCopy(place, goldText(moved));
    assert.equal(metrics.positionOffset, moved.position - place.position);
    assert.equal(metrics.exact, moved.position === place.position);
    assert.deepEqual(pick(metrics, "modifiedCount", "wordCountDelta", "foreignWords"), [1, 0, 0]);
  }));
});

Deno.test("measureCopy() does not take the base word for the modified one, in any pair", () => {
  for (const pair of WORD_PAIRS) {
    const metrics = measureCopy(spec(40, 20, pair), times(pair.base, 40));
    assert.deepEqual(
      pick(metrics, "modifiedCount", "positionOffset", "foreignWords"),
      [0, null, 0],
      pair.base,
    );
  }
});

Deno.test("measureCopy() scores an empty output 0 and does not crash", () => {
  for (const output of ["", " ", "\n\n"]) {
    const metrics = measureCopy(spec(25, 3), output);
    assert.ok(Math.abs(metrics.levenshteinScore) < 0.02);
    assert.deepEqual(
      pick(
        metrics,
        "exact",
        "levenshteinScoreCut",
        "modifiedCount",
        "positionOffset",
        "wordCountDelta",
        "circles",
        "runs",
      ),
      [false, 0, 0, null, 25, null, "apple x3, apples x1, apple x21 -> (nothing)"],
    );
  }
  assert.equal(measureCopy(spec(25, 3), "").levenshteinScore, 0);
});

Deno.test("measureCopy() tells a loop to the cap from a bad copy by the score on the cut output", () => {
  const loop = measureCopy(spec(1000, 999), times("apple", 2000));
  assert.ok(Math.abs(loop.levenshteinScore - 0.5) < 0.01, String(loop.levenshteinScore));
  assert.ok(loop.levenshteinScoreCut > 0.999);
  assert.deepEqual(pick(loop, "wordCountDelta", "circlesElsewhere"), [-1000, false]);
  assert.match(loop.circles ?? "", /apple/);
  assert.equal(loop.runs, "apple x999, apples x1 -> apple x2000");
});

Deno.test("measureCopy() says what a copy circles, and whether those are the pair's words", () => {
  const elsewhere = (output: string, pair = APPLE) => {
    const { circles, circlesElsewhere } = measureCopy(spec(100, 50, pair), output);
    return circles === null ? null : circlesElsewhere;
  };
  assert.equal(elsewhere(times("apple", 90)), false);
  assert.equal(elsewhere(`${times("apple", 20)} app`), false);
  assert.equal(elsewhere(times("apples apple", 50)), false);
  assert.equal(
    elsewhere(times("Golden Gate Bridge", 70), { base: "Golden Gate Bridge", modified: "Golden Gate Park" }),
    false,
  );
  assert.equal(elsewhere(times("pear", 60)), true);
  assert.equal(elsewhere("apple".repeat(50)), true);
  assert.equal(elsewhere(`apple apple ${times("and so on, and so forth,", 30)}`), true);
  assert.equal(elsewhere("Here is a text of apples that I was given to copy out."), null);
});

Deno.test("measureCopy() finds refusals and foreign words, also in the middle of a copy", () => {
  const late = measureCopy(
    spec(5000, 10),
    `${times("apple", 3000)} I'm sorry, but I can't continue with this. ${times("apple", 9)}`,
  );
  assert.equal(late.refuses, true);
  assert.equal(late.foreignWords, 8);
  assert.equal(late.foreignSample, "I'm sorry, but I can't continue with this.");
  const chatty = measureCopy(spec(3, 1), "Sure! Here you go: apple apples apple");
  assert.deepEqual(pick(chatty, "refuses", "foreignWords", "positionOffset", "modifiedCount"), [
    false,
    4,
    4,
    1,
  ]);
});

Deno.test("measureCopy() counts words in quotes and before commas, and no part of a word", () => {
  const words = (output: string) =>
    pick(measureCopy(spec(4, 1), output), "modifiedCount", "foreignWords", "exact");
  assert.deepEqual(words("apple, apples, apple, apple."), [1, 0, false]);
  assert.deepEqual(words('"apple apples apple apple"'), [1, 0, false]);
  assert.deepEqual(words("apple pineapples apple Apples"), [0, 2, false]);
  assert.deepEqual(words("apple applesauce apple's apple"), [0, 2, false]);
});

Deno.test("measureCopy() shows runs as lengths, and shortens many of them", () => {
  const runs = measureCopy(spec(1000, 499), times("apple", 612)).runs;
  assert.equal(runs, "apple x499, apples x1, apple x500 -> apple x612");
  const many = measureCopy(spec(20, 3), times("apple apples", 10)).runs;
  assert.match(
    many,
    /-> apple x1, apples x1, apple x1, apples x1, \.\.\. 12 more runs \.\.\., apple x1, .* apples x1$/,
  );
  const [own] = parsePairs("x/y") as [WordPair];
  const long = measureCopy(spec(2, 0, own), "z".repeat(5000)).runs;
  assert.ok(long.length < 100, long);
});
