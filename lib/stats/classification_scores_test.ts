import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { classificationScores, type ScoredLabel } from "./classification_scores.ts";
import { wilson } from "./wilson.ts";

const of = (count: number, truth: boolean, label: boolean | null): ScoredLabel[] =>
  Array.from({ length: count }, () => ({ truth, label }));
const random = () => createRandom("scores");

Deno.test("classificationScores() gives the scores of a table, and leaves out what has no label", () => {
  const items = [
    ...of(30, true, true),
    ...of(10, true, false),
    ...of(20, false, true),
    ...of(40, false, false),
  ];
  const found = classificationScores([...items, ...of(7, true, null)], { random: random() });
  assert.deepEqual([found.precision.estimate, found.recall.estimate], [0.6, 0.75]);
  assert.equal(found.f1.estimate?.toFixed(6), (60 / 90).toFixed(6));
  assert.deepEqual([found.n, found.unlabelled, found.falseNegative], [100, 7, 10]);
  // The bootstrap interval of a plain share is near Wilson's.
  const plain = wilson(30, 50);
  assert.ok(Math.abs(found.precision.low - plain.low) < 0.03, `${found.precision.low} ${plain.low}`);
  assert.ok(Math.abs(found.precision.high - plain.high) < 0.03, `${found.precision.high} ${plain.high}`);
});

Deno.test("classificationScores() of a classifier without a mistake stays uncertain", () => {
  const found = classificationScores([...of(20, true, true), ...of(20, false, false)], { random: random() });
  assert.deepEqual([found.f1.estimate, found.f1.high], [1, 1]);
  assert.equal(found.recall.low, wilson(20, 20).low);
  assert.ok(found.f1.low < 0.92, `${found.f1.low}`);
});

Deno.test("classificationScores() weighs items", () => {
  const items = [
    ...of(10, true, true),
    ...of(10, false, true).map((item) => ({ ...item, weight: 9 })),
  ];
  assert.equal(classificationScores(items, { random: random() }).precision.estimate, 0.1);
});

Deno.test("classificationScores() says that a score is not defined", () => {
  const none = classificationScores(of(5, false, false), { random: random() });
  assert.deepEqual(
    [none.precision.estimate, none.recall.estimate, none.f1.estimate, none.f1.high],
    [null, null, null, 1],
  );
});
