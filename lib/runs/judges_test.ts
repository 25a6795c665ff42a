import assert from "node:assert/strict";
import fc from "fast-check";
import type { Grade, GradedRow } from "./experiment.ts";
import { judgeReport } from "./judge_report.ts";
import { judgeLines } from "./judge_text.ts";
import { judgedRows, type JudgePass, queueHeader, queueRows, withLabels } from "./judges.ts";
import type { Label, Labels } from "./labels.ts";
import { attemptFor, rowNamed } from "./testing.ts";

type Said = boolean | null | undefined;

function graded(id: string, correct: boolean | null, fields: Partial<Grade> = {}): GradedRow {
  const validity = correct === null ? "error" : correct ? "correct" : "wrong";
  const row = {
    ...rowNamed(id),
    params: { question: `q of ${id}`, answer: `a of ${id}`, part: id.slice(0, 1) },
  };
  return {
    row,
    attempt: attemptFor(id),
    attempts: 1,
    grade: { validity, correct, judge: "match+x", judge_output: String(correct), ...fields },
  };
}

/** Passes of judges over rows; undefined is a row that match has settled as right. */
function passesOf(said: Readonly<Record<string, readonly Said[]>>): JudgePass[] {
  return Object.entries(said).map(([judge, verdicts]) => ({
    judge,
    rows: verdicts.map((verdict, i) =>
      graded(`r${i}`, verdict === undefined ? true : verdict, { judge: `match+${judge}` })
    ),
    asked: new Set(verdicts.flatMap((verdict, i) => verdict === undefined ? [] : [`r${i}`])),
  }));
}

const label = (correct: boolean, queued = true): Label => ({
  correct,
  note: correct ? "" : "off by one",
  queued,
});
const none: Labels = new Map();

function report(passes: readonly JudgePass[], labels: Labels = none) {
  const judged = judgedRows(passes);
  const relabelled = judged.map(({ graded: { row } }) => {
    const own = labels.get(row.id);
    return own === undefined ? graded(row.id, null) : graded(row.id, own.correct, { judge: "relabel" });
  });
  const rows = labels.size === 0 ? judged.map((row) => row.graded) : withLabels(judged, relabelled, labels);
  return { judged, rows, report: judgeReport(passes, judged, rows, labels) };
}

Deno.test("judgedRows() lets the first judge that can be read decide, and marks what they differ on", () => {
  const passes = passesOf({
    a: [true, true, false, null, null, undefined, false],
    b: [true, false, true, true, null, undefined, undefined],
  });
  const judged = judgedRows(passes);
  assert.deepEqual(judged.map((row) => row.graded.grade?.correct), [
    true,
    true,
    false,
    true,
    null,
    true,
    false,
  ]);
  assert.deepEqual(judged.map((row) => row.graded.grade?.judge), [
    ...["match+a", "match+a", "match+a", "match+b", "match+a", "match+a", "match+a"],
  ]);
  assert.deepEqual(judged.map((row) => row.open), [false, true, true, true, false, false, false]);
  assert.deepEqual(judged[1]?.graded.grade?.extra, { judge_a: true, judge_b: false, judges_agree: false });
  assert.equal(judged[5]?.graded.grade?.extra, undefined, "match settled it");
  assert.deepEqual(judgedRows(passes.slice(0, 1))[1]?.graded, passes[0]?.rows[1], "one judge is as it was");
});

Deno.test("judgeReport() gives table, kappa, agreement, prevalence and the range of two judges", () => {
  const times = (n: number, ...said: Said[]) => Array.from({ length: n }, () => said);
  const rows = [
    ...times(20, true, true),
    ...times(5, true, false),
    ...times(10, false, true),
    ...times(15, false, false),
  ];
  const passes = passesOf({ a: rows.map(([a]) => a), b: rows.map(([, b]) => b) });
  const found = report([...passes.slice(0, 1), ...passes.slice(1)]).report;
  const [pair] = found.pairs;
  assert.deepEqual(pair?.table, [[20, 5], [10, 15]]);
  assert.equal(pair?.kappa.kappa?.toFixed(6), "0.400000");
  assert.deepEqual([pair?.kappa.agreement.correct, pair?.kappa.agreement.n], [35, 50]);
  assert.deepEqual(pair?.prevalence.map(({ correct }) => correct), [25, 30]);
  assert.deepEqual([found.disagreements, found.open], [15, 15]);
  const { low, high } = found.range.raw;
  assert.deepEqual([low.correct, high.correct, low.n], [20, 35, 50]);
  const text = judgeLines(found, { disagreements: "m_disagreements.csv" }).join("\n");
  assert.match(text, /Judges a and b: agree on 35\/50 = 70.0% .*Cohen's kappa 0.400 \(95% interval /);
  assert.match(text, /both true 20, a only 5, b only 10, both false 15/);
  assert.match(
    text,
    /15 disagreements without a label: a decides.*right 20\/50 = 40.0% to 35\/50 = 70.0% of all rows sent/,
  );
});

Deno.test("judgeReport() counts labels, what they changed, and closes the rows that they settle", () => {
  const passes = passesOf({ a: [true, true, false, true], b: [true, false, true, true] });
  const labels = new Map([["r1", label(false)], ["r0", label(true)]]);
  const { rows, report: found } = report(passes, labels);
  assert.deepEqual(rows.map(({ grade }) => [grade?.correct, grade?.judge]), [
    [true, "relabel"],
    [false, "relabel"],
    [false, "match+a"],
    [true, "match+a"],
  ]);
  assert.deepEqual(rows[1]?.grade?.extra, {
    judge_a: true,
    judge_b: false,
    judges_agree: false,
    label_note: "off by one",
  });
  assert.deepEqual([found.labelled, found.changed, found.disagreements, found.open], [2, 1, 2, 1]);
  assert.deepEqual([found.range.raw.low.correct, found.range.raw.high.correct], [2, 3]);
  assert.match(
    judgeLines(found, { disagreements: "d" }).join("\n"),
    /2 rows labelled by a person \(judge: relabel\), 1 of them changed/,
  );
});

Deno.test("judgeReport() says nothing of one judge without labels, and has no kappa where nothing varies", () => {
  assert.deepEqual(
    judgeLines(report(passesOf({ a: [true, false] }).slice(0, 0)).report, { disagreements: "d" }),
    [],
  );
  const same = judgeLines(report(passesOf({ a: [false, false], b: [false, false] })).report, {
    disagreements: "d",
  });
  assert.match(same.join("\n"), /no kappa: all rows have the same verdict/);
  const matched = judgeLines(report(passesOf({ a: [undefined], b: [undefined] })).report, {
    disagreements: "d",
  });
  assert.match(matched.join("\n"), /no row was judged by both/);
});

Deno.test("judgeReport() compares every two of three judges, and gives the range of each part", () => {
  const passes = passesOf({ a: [true, false], b: [true, true], c: [false, true] });
  const judged = judgedRows(passes);
  const rows = judged.map((row) => row.graded);
  const found = judgeReport(passes, judged, rows, none, ({ row }) => row.id);
  assert.deepEqual(found.pairs.map(({ judges }) => judges.join("+")), ["a+b", "a+c", "b+c"]);
  assert.deepEqual(Object.keys(found.parts), ["r0", "r1"]);
});

Deno.test("queueRows() holds what the judges differ on with what they said, and keeps the labels written into it", () => {
  const passes = passesOf({ a: [true, true, false, true], b: [true, false, null, true] });
  const judged = judgedRows(passes);
  assert.deepEqual(queueHeader(passes), [
    ...[
      "id",
      "question",
      "answer",
      "output",
      "verdict_a",
      "reply_a",
      "verdict_b",
      "reply_b",
      "label",
      "note",
    ],
  ]);
  const rows = queueRows(judged, new Map([["r2", label(false, false)], ["r3", label(false, true)]]));
  assert.deepEqual(rows, [
    ["r1", "q of r1", "a of r1", "answer of r1", "true", "true", "false", "false", "", ""],
    ["r3", "q of r3", "a of r3", "answer of r3", "true", "true", "true", "true", "false", "off by one"],
  ]);
});

Deno.test("judgeReport() holds the accuracy inside its range, whatever the judges said and people labelled", () => {
  const said = fc.option(fc.boolean());
  fc.assert(
    fc.property(
      fc.array(fc.tuple(said, said, fc.option(fc.boolean())), { minLength: 1, maxLength: 30 }),
      (all) => {
        const passes = passesOf({ a: all.map(([a]) => a), b: all.map(([, b]) => b) });
        const labels = new Map(
          all.flatMap(([, , own], i) => own === null ? [] : [[`r${i}`, label(own)] as const]),
        );
        const { rows, report: found } = report(passes, labels);
        const right = rows.filter(({ grade }) => grade?.correct === true).length;
        const { low, high } = found.range.raw;
        assert.ok(low.correct <= right && right <= high.correct, `${low.correct} ${right} ${high.correct}`);
        assert.equal(high.correct - low.correct, found.open);
        assert.equal(low.n, high.n);
        assert.equal(found.labelled, labels.size);
        const [[both, first], [second, neither]] = found.pairs[0]?.table ?? [[0, 0], [0, 0]];
        assert.equal(both + first + second + neither + (found.pairs[0]?.unreadable ?? 0), all.length);
      },
    ),
  );
});
