import assert from "node:assert/strict";
import type { GradedRow, Validity } from "../runs/experiment.ts";
import { attemptFor, rowNamed } from "../runs/testing.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { wilson } from "../stats/wilson.ts";
import { longMemEvalReport, type LongMemEvalStatistics } from "./longmemeval_report.ts";

/** A graded row: `null` is not reached yet, `skip` never sent. */
function graded(
  id: string,
  condition: "focused" | "full",
  validity: Validity | null | "skip",
  type: string | null = null,
): GradedRow {
  const row = {
    ...rowNamed(`${id}/${condition}`),
    params: { custom_id: id, condition, question_type: type, question: "Q", answer: "A" },
    skip: validity === "skip" ? "window" : null,
  };
  const done = validity !== null && validity !== "skip";
  return {
    row,
    attempt: done ? attemptFor(row.id) : null,
    attempts: done ? 1 : 0,
    grade: done
      ? {
        validity,
        correct: validity === "correct",
        judge: "match",
        judge_output: String(validity === "correct"),
      }
      : null,
  };
}

const pair = (
  id: string,
  focused: Validity | null,
  full: Validity | null | "skip",
  type: string | null = null,
) => [
  graded(id, "focused", focused, type),
  graded(id, "full", full, type),
];
const options = {
  variant: { name: "m", backend: "api" },
  data: "3 questions",
  graders: "graded without a judge model",
} as const;
async function report(
  rows: readonly GradedRow[],
  over: Partial<Parameters<typeof longMemEvalReport>[1]> = {},
) {
  const made = await longMemEvalReport(rows, { ...options, ...over });
  return { ...made, statistics: made.statistics as unknown as LongMemEvalStatistics };
}
const many = (n: number, focused: Validity, full: Validity, type: string | null = null) =>
  Array.from({ length: n }, (_, i) => pair(`${focused}${full}${type}${i}`, focused, full, type)).flat();

Deno.test("longMemEvalReport() gives both accuracies, the paired table, its test and its difference", async () => {
  const rows = [
    ...many(6, "correct", "correct"),
    ...many(9, "correct", "wrong"),
    ...many(2, "wrong", "correct"),
    ...many(3, "abstained", "wrong"),
  ];
  const { statistics, summary, figures } = await report(rows);
  const { conditions, paired, types, warnings } = statistics;
  assert.deepEqual([conditions.focused.raw.correct, conditions.focused.raw.n], [15, 20]);
  assert.deepEqual(conditions.full.valid, wilson(8, 20));
  assert.deepEqual(paired.raw.table, { both: 6, focusedOnly: 9, fullOnly: 2, neither: 3 });
  assert.deepEqual(paired.valid, paired.raw);
  assert.equal(paired.raw.mcnemarP, mcnemarExact(9, 2));
  assert.ok(Math.abs((paired.raw.difference?.estimate ?? 0) - 0.35) < 1e-12);
  assert.ok((paired.raw.difference?.low ?? 0) > 0.02 && (paired.raw.difference?.high ?? 1) < 0.6);
  assert.deepEqual([types.length, warnings], [1, []]);
  assert.match(summary, /focused 15\/20 = 75\.0% \(95% interval 53\.1% to 88\.8%\) of all rows sent\n/);
  assert.match(
    summary,
    /both right 6, focused only 9, full only 2, neither 3\n.*35\.0 points .*exact McNemar p = 0\.065/,
  );
  assert.match(summary, /without a judge model/);
  assert.match(
    figures["accuracy"]?.alt ?? "",
    /focused: 15\/20 .*6 right both times, 9 with the focused text only/,
  );
});

Deno.test("longMemEvalReport() counts invalid rows raw, leaves them out of valid pairs, and warns above 5%", async () => {
  const rows = [
    ...many(10, "correct", "correct"),
    ...many(5, "correct", "truncated"),
    ...many(5, "error", "wrong"),
  ];
  const { statistics, summary, figures } = await report(rows);
  const { conditions, paired } = statistics;
  assert.deepEqual([conditions.full.raw.n, conditions.full.valid.n, conditions.full.valid.correct], [
    20,
    15,
    10,
  ]);
  assert.deepEqual(paired.raw.table, { both: 10, focusedOnly: 5, fullOnly: 0, neither: 5 });
  assert.deepEqual(paired.valid.table, { both: 10, focusedOnly: 0, fullOnly: 0, neither: 0 });
  assert.equal(paired.valid.mcnemarP, 1);
  assert.match(summary, /Warning: 25\.0% of the rows sent are invalid \(5 truncated, 5 error\)/);
  assert.match(summary, /10 questions valid under both conditions/);
  assert.match(figures["accuracy"]?.svg ?? "", /25\.0% of rows invalid/);
});

Deno.test("longMemEvalReport() pairs only questions that were sent under both conditions", async () => {
  const { statistics, summary } = await report([
    ...pair("a", "correct", "skip"),
    ...pair("b", "correct", null),
    ...pair("c", null, null),
    ...pair("d", "correct", "wrong"),
  ]);
  assert.equal(statistics.paired.raw.n, 1);
  assert.deepEqual([statistics.conditions.full.skipped, statistics.conditions.full.sent], [1, 1]);
  assert.match(summary, /1 skipped, beyond the window/);
});

Deno.test("longMemEvalReport() survives a window that no full row fits, and no rows done at all", async () => {
  const none = await report([...pair("a", "correct", "skip"), ...pair("b", "wrong", "skip")]);
  assert.equal(none.statistics.paired.raw.difference, null);
  assert.match(none.summary, /full {4}no row sent: 2 skipped, beyond the window/);
  assert.match(none.figures["accuracy"]?.svg ?? "", /no row fits the window/);
  assert.doesNotMatch(none.summary, /Paired/);
  await report([...pair("a", null, null)]);
});

Deno.test("longMemEvalReport() gives tables by type, unanswerable questions as a type of their own", async () => {
  const rows = [
    ...many(4, "correct", "wrong", "temporal-reasoning"),
    ...many(3, "correct", "correct", "abstention"),
    ...many(2, "wrong", "wrong", "multi-session"),
    ...many(1, "wrong", "wrong", null),
    ...many(1, "wrong", "wrong", "a type to come"),
  ];
  const { statistics, summary, figures } = await report(rows);
  assert.deepEqual(statistics.types.map(({ type, full }) => [type, full.valid.correct, full.valid.n]), [
    ["multi-session", 0, 2],
    ["temporal-reasoning", 0, 4],
    ["a type to come", 0, 1],
    ["type not known", 0, 1],
    ["abstention", 3, 3],
  ]);
  assert.match(summary, /By question type, valid rows:\n {2}multi-session\n {4}focused 0\/2/);
  assert.match(figures["accuracy"]?.svg ?? "", /By question type/);
  const two = await report([...many(2, "correct", "wrong"), ...many(2, "wrong", "wrong", "abstention")]);
  assert.deepEqual(two.statistics.types.map(({ type }) => type), ["answerable", "abstention"]);
});

Deno.test("longMemEvalReport() says that answers are simulated, and who judged", async () => {
  const { summary, figures } = await report(many(3, "correct", "wrong"), {
    variant: { name: "simulated", backend: "simulated" },
    graders: "graded by normalised match, then by gpt-4o-mini",
  });
  assert.match(summary, /^Simulated: /);
  assert.match(summary, /by normalised match, then by gpt-4o-mini/);
  assert.match(figures["accuracy"]?.svg ?? "", /SIMULATED answers/);
});
