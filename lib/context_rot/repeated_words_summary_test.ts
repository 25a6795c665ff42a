import assert from "node:assert/strict";
import fc from "fast-check";
import type { GradedRow } from "../runs/experiment.ts";
import { attemptFor } from "../runs/testing.ts";
import { relativePosition } from "./repeated_words_grid.ts";
import { copyGroups, type CopyRow, copyRow, tenthOf } from "./repeated_words_summary.ts";

const row = (change: Partial<CopyRow> = {}): CopyRow => ({
  length: 100,
  words: 50,
  position: 0.5,
  skip: null,
  validity: "correct",
  correct: true,
  measures: {
    modifiedPresent: true,
    positionAccuracy: true,
    positionOffset: 0,
    levenshtein: 1,
    levenshteinCut: 1,
    wordCountDelta: 0,
  },
  ...change,
});
const groupsOf = (rows: readonly CopyRow[]) => copyGroups(rows, { seed: 0 });

Deno.test("tenthOf() puts the first word in the first tenth and the last in the last, whatever the count", () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 100_000 }), (count) => {
    assert.equal(tenthOf(relativePosition(0, count)), 0);
    assert.equal(tenthOf(Number(relativePosition(count - 1, count).toFixed(6))), 9);
  }));
  fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (position) => {
    const tenth = tenthOf(position);
    assert.ok(Number.isInteger(tenth) && tenth >= 0 && tenth <= 9);
  }));
  assert.deepEqual([0.1, 0.3, 0.7, 0.999999].map(tenthOf), [1, 3, 7, 9]);
});

Deno.test("copyGroups() counts every row once by length and once by tenth, and keeps empty tenths empty", () => {
  const rows = [100, 200, 400].flatMap((length) =>
    [0, 0.05, 0.95, 1].map((position) => row({ length, position, words: length / 2 }))
  );
  const { lengths, tenths, whole } = groupsOf(rows);
  assert.deepEqual(lengths.map(({ place, words, all }) => [place, words, all.exact.n]), [[100, 50, 4], [
    200,
    100,
    4,
  ], [400, 200, 4]]);
  assert.deepEqual(tenths.map(({ all }) => all.exact.n), [6, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
  assert.deepEqual(tenths[4]?.valid.levenshtein, { n: 0, estimate: null, low: null, high: null });
  assert.equal(whole.valid.exact.n, 12);
});

Deno.test("copyGroups() keeps invalid rows out of the valid measures, and rows without an answer out of all but exactness", () => {
  const bad = {
    modifiedPresent: false,
    positionAccuracy: false,
    positionOffset: null,
    levenshtein: 0.5,
    levenshteinCut: 0.9,
    wordCountDelta: -1,
  };
  const rows = [
    row(),
    row({ validity: "wrong", correct: false, measures: { ...bad, levenshtein: 0.8 } }),
    row({ validity: "degenerate", correct: false, measures: bad }),
    row({ validity: "error", correct: null, measures: null }),
    row({ validity: null, skip: "window", correct: null, measures: null }),
    row({ validity: null, correct: null, measures: null }),
  ];
  const { whole: { valid, all }, tally } = groupsOf(rows);
  assert.deepEqual([valid.exact.n, valid.exact.estimate], [2, 0.5]);
  assert.deepEqual([all.exact.n, all.exact.estimate], [4, 0.25]);
  assert.deepEqual([valid.levenshtein.n, valid.levenshtein.estimate], [2, 0.9]);
  assert.ok(Math.abs((all.levenshtein.estimate ?? 0) - 2.3 / 3) < 1e-12);
  assert.deepEqual([all.modifiedPresent.n, valid.modifiedPresent.estimate], [3, 0.5]);
  assert.equal(tally.invalidShare, 0.5);
  assert.deepEqual([tally.skipped, tally.missing], [1, 1]);
});

Deno.test("copyGroups() says the same of the same rows", () => {
  const rows = Array.from(
    { length: 40 },
    (_, i) => row({ measures: { ...row().measures!, levenshtein: i / 40 } }),
  );
  assert.deepEqual(groupsOf(rows), groupsOf(rows));
  const { levenshtein } = groupsOf(rows).whole.valid;
  assert.ok((levenshtein.low ?? 1) < 0.4875 && (levenshtein.high ?? 0) > 0.4875);
});

Deno.test("copyRow() reads a graded row, phrases counted in words", () => {
  const graded = {
    row: {
      id: "x",
      params: {
        base_word: "San Francisco",
        modified_word: "sf",
        word_count: 11,
        position: 5,
        relative_position: 0.5,
      },
      recipe: null,
      tokens: 40,
      maxTokens: 80,
      skip: null,
      length: 41,
    },
    attempt: attemptFor("x"),
    attempts: 1,
    grade: {
      validity: "wrong",
      correct: false,
      judge: "match",
      judge_output: "false",
      extra: {
        levenshtein_score: 0.75,
        levenshtein_score_cut: 0.8,
        modified_word_present: true,
        position_accuracy: false,
        position_offset: -5,
        word_count_delta: 7,
      },
    },
  } satisfies GradedRow & { row: { length: number } };
  const read = copyRow(graded);
  assert.equal(read.length, 41);
  assert.ok(Math.abs((read.measures?.wordCountDelta ?? 0) - 7 / 21) < 1e-12);
  assert.deepEqual(groupsOf([read]).found, [{ put: 0.5, found: 0, valid: true }]);
});
