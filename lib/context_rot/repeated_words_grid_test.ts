import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { relativePosition, standardPositions, WORD_COUNTS, wordGrid } from "./repeated_words_grid.ts";

const always = () => true;
const sizes = (grid: ReturnType<typeof wordGrid>) => grid.counts.map(({ positions }) => positions.length);

Deno.test("wordGrid() gives 1,090 rows in full", () => {
  const grid = wordGrid({ test: false, fits: always });
  assert.deepEqual(grid.counts.map(({ count }) => count), [...WORD_COUNTS.full]);
  assert.deepEqual(sizes(grid), [25, 50, 75, 100, 126, 101, 108, 101, 101, 101, 101, 101]);
  assert.equal(sizes(grid).reduce((a, b) => a + b), 1090);
  assert.equal(grid.note, null);
});

Deno.test("wordGrid() gives 5 counts at start, middle and end in test mode", () => {
  const grid = wordGrid({ test: true, fits: always });
  assert.deepEqual(grid.counts.map(({ count, positions }) => [count, ...positions]), [
    [25, 0, 12, 24],
    [100, 0, 50, 99],
    [500, 0, 250, 499],
    [1000, 0, 500, 999],
    [5000, 0, 2500, 4999],
  ]);
});

Deno.test("standardPositions() has every position below 100 words, the first and the last always, none twice", () => {
  assert.deepEqual(standardPositions(3), [0, 1, 2]);
  assert.equal(standardPositions(99).length, 99);
  fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), (count) => {
    const positions = standardPositions(count);
    assert.equal(positions[0], 0);
    assert.equal(positions.at(-1), count - 1);
    assert.equal(new Set(positions).size, positions.length);
    assert.ok(positions.every((at, i) => i === 0 || at > (positions[i - 1] as number)));
    assert.ok(
      positions.length <= Math.max(200, count < 100 ? count : 0) && positions.length >= Math.min(count, 100),
    );
  }));
});

Deno.test("wordGrid() spaces its counts over what fits when fewer than four standard ones do", () => {
  const full = wordGrid({ test: false, fits: (count) => count <= 90 });
  assert.equal(full.counts.length, 8);
  assert.equal(full.counts.at(-1)?.count, 90);
  assert.match(
    full.note ?? "",
    /only 3 of the 12 standard counts fit the variant: 8 counts from 6 to 90 instead/,
  );
  const test = wordGrid({ test: true, fits: (count) => count <= 250 });
  assert.deepEqual(test.counts.map(({ count }) => count), [16, 40, 100, 250]);
  assert.match(test.note ?? "", /only 2 of the 5/);
  const ratios = test.counts.slice(1).map(({ count }, i) => count / (test.counts[i]?.count ?? NaN));
  assert.ok(Math.max(...ratios) / Math.min(...ratios) < 1.05, "evenly on a log scale");
});

Deno.test("wordGrid() keeps the standard counts when four fit, and what the user gives", () => {
  assert.equal(wordGrid({ test: false, fits: (count) => count <= 100 }).note, null);
  const own = wordGrid({
    test: false,
    fits: (count) => count <= 10,
    counts: [7, 3, 7],
    positions: [0, 100, 50, 1],
  });
  assert.deepEqual(own.counts, [{ count: 3, positions: [0, 1, 2] }, { count: 7, positions: [0, 3, 6] }]);
});

Deno.test("wordGrid() takes places that fall together once, down to a text of one word", () => {
  const tiny = wordGrid({ test: true, fits: (count) => count <= 2 });
  assert.deepEqual(tiny.counts, [{ count: 1, positions: [0] }, { count: 2, positions: [0, 1] }]);
  const places = tiny.counts.flatMap(({ count, positions }) =>
    positions.map((at) => relativePosition(at, count))
  );
  assert.deepEqual(places, [0, 0, 1]);
});

Deno.test("wordGrid() refuses counts and positions out of range, and a variant that no word fits", () => {
  const refused = (options: object, message: RegExp) =>
    assert.throws(() => wordGrid({ test: false, fits: always, ...options }), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  refused({ counts: [] }, /--counts is empty/);
  refused({ counts: [0] }, /--counts holds 0/);
  refused({ counts: [2.5] }, /--counts holds 2.5/);
  refused({ counts: [1e9] }, /from 1 to 1,000,000/);
  refused({ positions: [101] }, /--positions holds 101, which is not a percentage/);
  refused({ positions: [NaN] }, /--positions holds NaN/);
  refused({ fits: () => false }, /Not even one word/);
});
