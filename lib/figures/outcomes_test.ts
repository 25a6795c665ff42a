import assert from "node:assert/strict";
import { type FigureRow, formatAccuracy, marksOf, type Outcome, tally } from "./outcomes.ts";

const row = (validity: Outcome | null, change: Partial<FigureRow> = {}): FigureRow => ({
  length: 1000,
  depth: 0,
  skip: null,
  validity,
  correct: validity === "correct",
  ...change,
});

Deno.test("tally() counts right answers raw and over valid rows", () => {
  const counted = tally([
    row("correct"),
    row("wrong"),
    row("truncated", { correct: true }),
    row("error", { correct: true }),
    row(null, { skip: "window" }),
    row(null),
  ]);
  assert.deepEqual([counted.raw.correct, counted.raw.n], [2, 4]);
  assert.deepEqual([counted.valid.correct, counted.valid.n], [1, 2]);
  assert.deepEqual([counted.skipped, counted.missing, counted.invalidShare], [1, 1, 0.5]);
});

Deno.test("marksOf() marks what is no plain answer, the invalid first", () => {
  const cell = tally([
    row("correct"),
    row("distractor"),
    row("truncated"),
    row("truncated"),
    row(null, { skip: "window" }),
  ]);
  assert.deepEqual(marksOf(cell), ["T2", "d", "S"]);
  assert.deepEqual(marksOf(tally([row("correct"), row("wrong")])), []);
});

Deno.test("formatAccuracy() gives the interval with the number", () => {
  assert.equal(
    formatAccuracy(tally([row("correct"), row("wrong")]).raw),
    "1/2 correct = 50.0% (95% interval 9.5% to 90.5%)",
  );
  assert.equal(formatAccuracy(tally([]).raw), "no rows");
});
