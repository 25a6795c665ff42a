import assert from "node:assert/strict";
import type { GradableRow, Row } from "../runs/experiment.ts";
import { attemptFor } from "../runs/testing.ts";
import { answerOf, gradeAnswers, scaleOf } from "./answer_grades.ts";

const row = (id: string): Row => ({ id, params: {}, recipe: null, tokens: 1, maxTokens: 1, skip: null });
const answered = (id: string, label?: boolean): GradableRow => ({
  row: row(id),
  attempt: { ...attemptFor(id), output: `answer ${id}` },
  attempts: 1,
  judgements: [],
  ...(label === undefined ? {} : { label: { correct: label, note: "", queued: false } }),
});
const answer = (id: string, score: number | null, coherent = true) => ({
  row: row(id),
  text: `answer ${id}`,
  score,
  how: score === null ? null : "markers",
  coherence: {
    coherent,
    fault: coherent ? null : "repeats" as const,
    nll: 1.5,
    deltaNll: -0.25,
    repetition: 0.1,
    compression: 1,
  },
});

Deno.test("gradeAnswers() says right above 50, and its columns say the same answers and scale", () => {
  const answers = [answer("a", 51), answer("b", 50), answer("c", null), answer("d", 90, false)];
  const scale = { text: 1, salad: 3 };
  const rows = [
    ...answers.map(({ row }) => answered(row.id)),
    answered("unknown"),
    { ...answered("open"), attempt: null },
  ];
  const graded = gradeAnswers(rows, answers, { stage: "trait", judge: undefined, scale });
  assert.deepEqual(graded.map(({ grade }) => grade?.validity), [
    "correct",
    "wrong",
    "error",
    "degenerate",
    "error",
    undefined,
  ]);
  assert.deepEqual(graded.map(answerOf), [
    ...answers.map(({ row: _, ...rest }) => rest),
    null,
    null,
  ]);
  assert.deepEqual(scaleOf(graded), scale);
});

Deno.test("gradeAnswers() lets a person's label stand over the score", () => {
  const [graded] = gradeAnswers([answered("a", false)], [answer("a", 90)], {
    stage: "trait",
    judge: undefined,
    scale: null,
    columns: ({ text }) => ({ text }),
  });
  assert.equal(graded?.grade?.validity, "wrong");
  assert.equal(graded?.grade?.extra?.["text"], "answer a");
  assert.equal(scaleOf(graded === undefined ? [] : [graded]), null);
});
