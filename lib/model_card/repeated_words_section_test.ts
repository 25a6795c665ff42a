import assert from "node:assert/strict";
import type { GradedRow } from "../runs/experiment.ts";
import { repeatedWordsSection } from "./repeated_words_section.ts";

/** A row of a text of `count` words whose modified word stands at a tenth of it. */
function graded(count: number, tenth: number, score: number, placed: boolean, status = "done"): GradedRow {
  return {
    attempt: status === "done" ? { status } : null,
    row: { id: `${count} ${tenth}`, params: { word_count: count, relative_position: tenth / 10 } },
    grade: {
      extra: { levenshtein_score: score, modified_word_present: placed, position_accuracy: placed },
    },
  } as unknown as GradedRow;
}

const tenths = Array.from({ length: 11 }, (_, i) => i);

Deno.test("repeatedWordsSection() finds near-exact copies that lose the place of the modified word first", () => {
  const { rows, claims } = repeatedWordsSection([
    ...tenths.map((tenth) => graded(10, tenth, 1, true)),
    ...tenths.map((tenth) => graded(100, tenth, 0.995, tenth === 0)),
    ...tenths.map((tenth) => graded(400, tenth, 0.4, false)),
    ...tenths.map((tenth) => graded(800, tenth, 0, false, "skipped: max output")),
  ]);
  assert.deepEqual(rows.map(({ label }) => label), ["10", "100", "400"]);
  assert.deepEqual(rows.map(({ measures }) => measures.map(({ estimate }) => Number(estimate.toFixed(2)))), [
    [1, 1, 1],
    [1, 0.09, 0.09],
    [0, 0, 0],
  ]);
  assert.deepEqual(claims.map(({ holds }) => holds), [true, true, true]);
  assert.match(claims[2]?.measured ?? "", /^12\/22 .* in its place, 22\/22 .* near-exact: \+45 points/);
});

Deno.test("repeatedWordsSection() does not find what is not there", () => {
  const all = [10, 100, 400].flatMap((count) => tenths.map((tenth) => graded(count, tenth, 1, true)));
  assert.deepEqual(repeatedWordsSection(all).claims.map(({ holds }) => holds), [true, false, false]);
  const none = [10, 100, 400].flatMap((count) => tenths.map((tenth) => graded(count, tenth, 0, false)));
  assert.deepEqual(repeatedWordsSection(none).claims.map(({ holds }) => holds), [false, false, false]);
});
