import assert from "node:assert/strict";
import { candidateName, candidatesOf, gridOf, sweepConfigSchema } from "./sweep_config.ts";
import { choosePoint, type SweepAnswer, sweepPoints } from "./sweep_points.ts";
import { type Arm, drawQuestions, type SweepRow } from "./sweep_rows.ts";

const config = (more: object = {}) => sweepConfigSchema.parse(more);

function answer(
  arm: Arm,
  question: number,
  score: number | null,
  more: Partial<SweepRow["params"]> = {},
  coherent = true,
): SweepAnswer {
  const params: SweepRow["params"] = {
    arm,
    split: "search",
    question,
    prompt: "",
    method: "mean_diff",
    layers: "1",
    ratio: arm === "baseline" ? null : 1,
    coef: 2,
    ...more,
  };
  const row = { id: `${arm} ${question}`, params, recipe: {}, tokens: 1, maxTokens: 1, skip: null };
  const fault = coherent ? null : "repeats" as const;
  const coherence = { coherent, fault, nll: 1, deltaNll: 0.5, repetition: 0, compression: 1 };
  return { row, text: "", started: "2026-01-31T10:15:00.000Z", score, how: "markers", coherence };
}

const arm = (name: Arm, scores: (number | null)[], more: Partial<SweepRow["params"]> = {}, coherent = true) =>
  scores.map((score, i) => answer(name, i, score, more, coherent));

Deno.test("sweepPoints() pairs every answer with the unsteered one to the same question", () => {
  const points = sweepPoints([
    ...arm("baseline", [10, 20, 30, 40, 50, 60, null]),
    ...arm("search", [15, 30, 45, 60, 75, 90, 99]),
  ], 0);
  const [plain, steered] = points;
  assert.equal(plain?.effect.estimate, 0);
  assert.deepEqual([steered?.effect.n, steered?.effect.estimate], [6, 17.5]);
  assert.ok((steered?.effect.low ?? 0) > 0);
  assert.equal(steered?.score, 414 / 7);
  assert.deepEqual([steered?.coherent, steered?.deltaNll], [7, 0.5]);
});

Deno.test("choosePoint() takes the largest effect among coherent points, of the search alone", () => {
  const answers = [
    ...arm("baseline", [0, 0]),
    ...arm("search", [10, 10], { ratio: 0.5 }),
    ...arm("search", [20, 20], { ratio: 1 }),
    ...arm("search", [20, 20], { ratio: 1.5 }),
    ...arm("search", [90, 90], { ratio: 2 }, false),
    ...arm("trait", [95, 95], { ratio: 3, split: "report" }),
  ];
  assert.equal(choosePoint(sweepPoints(answers, 0), 0.75)?.ratio, 1);
  const broken = [
    ...arm("baseline", [0, 0]),
    ...arm("search", [9, 9], { ratio: 2 }, false),
    answer("search", 0, 1, { ratio: 1 }),
    answer("search", 1, 1, { ratio: 1 }, false),
  ];
  assert.equal(choosePoint(sweepPoints(broken, 0), 0.75)?.ratio, 1, "the most coherent where none passes");
  assert.equal(choosePoint([], 0.75), null);
});

Deno.test("candidatesOf() reads layers, layers together, methods and their means, and refuses others", () => {
  const names = (more: object, layers = 8) => candidatesOf(config(more), layers).map(candidateName);
  assert.deepEqual(names({ layers: "3,5+1+5" }), ["mean_diff 3", "mean_diff 1+5"]);
  assert.deepEqual(names({ layers: "1", methods: "probe, mean_diff+probe" }), [
    "probe 1",
    "mean_diff+probe 1",
  ]);
  assert.deepEqual(names({}), ["mean_diff 2", "mean_diff 3", "mean_diff 4", "mean_diff 5"]);
  assert.deepEqual(names({ test: true }, 32), ["mean_diff 8", "mean_diff 23"]);
  assert.deepEqual(names({}, 64).length, 8);
  assert.deepEqual(names({}, 1), ["mean_diff 0"]);
  for (const wrong of [{ layers: "8" }, { layers: "-1" }, { layers: "1.5" }, { methods: "ensemble" }]) {
    assert.throws(() => candidatesOf(config(wrong), 8), { name: "InputError" });
  }
});

Deno.test("gridOf() makes a grid of strengths that were given", () => {
  assert.equal(gridOf(config()), null);
  assert.deepEqual(gridOf(config({ ratios: [1, 2] })), [1, 2]);
  assert.equal(gridOf(config({ search: "grid" }))?.length, 7);
});

Deno.test("drawQuestions() halves the questions, the same every time, and keeps their places", () => {
  const texts = Array.from({ length: 21 }, (_, i) => `q${i}`);
  const drawn = drawQuestions(texts, 15, 4);
  assert.deepEqual(drawn, drawQuestions(texts, 15, 4));
  assert.notDeepEqual(drawn, drawQuestions(texts, 15, 5));
  assert.equal(drawn.filter(({ split }) => split === "search").length, 7);
  assert.equal(new Set(drawn.map(({ index }) => index)).size, 15);
  assert.ok(drawn.every(({ text, index }) => texts[index] === text));
});
