import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { readDeltaTable } from "./delta_table.ts";

const OURS = "problem_number,sentence_number,sentence,true_cue_p,delta_cue_p";
const BRANCHES = "pn,sentence,cue_score,cue_p,cue_score_prev,cue_p_prev,sentence_num,gt_answer,cue_answer";
const read = (...lines: string[]) => readDeltaTable({ path: "deltas.csv", text: lines.join("\n") });

Deno.test("readDeltaTable() reads both published forms alike", () => {
  const branches =
    read(BRANCHES, 'p1,"One, two.",6,0.12,3,0.0625,0,A,B', "p1,Three four.,40,0.8,6,0.12,1,A,B").rows;
  assert.deepEqual(
    branches.map((
      { problem, sentence, before, after, beforeMeasured },
    ) => [problem, sentence, before, after, beforeMeasured]),
    [
      ["p1", 0, 0.0625, 0.12, true],
      ["p1", 1, 0.12, 0.8, true],
    ],
  );
  assert.deepEqual(branches[0]?.beforeCount, { hits: 3, of: 48 });
  assert.deepEqual([branches[0]?.correct, branches[0]?.hinted], ["A", "B"]);
  const ours = read(OURS, 'p1,0,"One, two.",0.12,0.0575', "p1,1,Three four.,0.8,0.68").rows;
  assert.deepEqual(ours.map(({ before, after }) => [before?.toFixed(4), after]), [["0.0625", 0.12], [
    "0.1200",
    0.8,
  ]]);
});

Deno.test("readDeltaTable() gives a first sentence no delta when the rate before it is missing or taken as 0", () => {
  for (
    const [header, line] of [
      [OURS, "1,0,A sentence.,0.6,0.6"],
      [OURS, "1,0,A sentence.,0.6,"],
      [OURS, "1,0,A sentence.,0.6,0.5996"],
      [`${OURS},cue_p,cue_p_prev,cue_score_prev,cue_n_prev`, "1,0,A sentence.,0.6,0.6,0.6,0,0,0"],
      [`${OURS},cue_p,cue_p_prev`, "1,0,A sentence.,0.6,0.6,0.6,0"],
      [`${OURS},cue_p,cue_p_prev`, "1,0,A sentence.,0.6,,0.6,"],
      [`${OURS},cue_p,cue_p_prev`, "1,0,A sentence.,0.6,0.6,0.6,nan"],
      [`${OURS},cue_p,cue_p_prev`, "1,0,A sentence.,0.6,0.6,0.6,0.2"],
      [BRANCHES, "1,A sentence.,30,0.6,0,0,0,A,B"],
    ] as const
  ) {
    const [row] = read(header, line).rows;
    assert.deepEqual(
      [row?.before, row?.delta, row?.beforeMeasured, row?.after],
      [null, null, false, 0.6],
      line,
    );
  }
  // Counts that show it was sampled, and later sentences: 0 is a rate like others.
  const sampled =
    read(`${OURS},cue_score,cue_n,cue_score_prev,cue_n_prev`, "1,0,A sentence.,0.6,0.6,30,50,0,50").rows[0];
  assert.deepEqual([sampled?.before, sampled?.delta, sampled?.beforeMeasured], [0, 0.6, true]);
  const later = read(BRANCHES, "1,A sentence.,30,0.6,0,0,4,A,B").rows[0];
  assert.deepEqual([later?.before, later?.delta, later?.beforeMeasured], [0, 0.6, true]);
});

Deno.test("readDeltaTable() tells copied rows from measured ones", () => {
  const lines = [0.5, 0.98, 0.98, 0.98].map((after, i, all) =>
    `1,Sentence ${i}.,${after * 50},${after},${(all[i - 1] ?? 0.5) * 50},${all[i - 1] ?? 0.5},${i},A,B`
  );
  assert.deepEqual(read(BRANCHES, ...lines).rows.map(({ copied }) => copied), [false, false, true, true]);
  const falls = [...lines, "1,Sentence 4.,20,0.4,49,0.98,4,A,B"];
  assert.ok(read(BRANCHES, ...falls).rows.every(({ copied }) => !copied));
  const counted = read(
    `${OURS},cue_score,cue_n`,
    ...[1, 1, 1].map((after, i) => `1,${i},Sentence ${i}.,${after},0,50,50`),
  );
  assert.ok(counted.rows.every(({ copied }) => !copied));
});

Deno.test("readDeltaTable() drops rows that cannot be used, each with its reason, and finds broken chains", () => {
  const table = read(
    OURS,
    "1,0,Good one.,0.5,0.1",
    "1,1,Good two.,0.5,0",
    "1,1,Good two.,0.5,0",
    "1,2,Rate.,1.5,0",
    "1,-1,Index.,0.5,0",
    "1,1e3,Index.,0.5,0",
    ",3,No problem.,0.5,0",
    "1,4,No rate.,,0",
    "1,5,Impossible.,0.2,0.9",
    "2,0,Twice.,0.5,0.1",
    "2,0,Twice.,0.9,0.1",
    "3,3,Alone.,0.5,0.1",
    "3,4,Broken.,0.9,0.1",
  );
  assert.deepEqual(table.rows.map(({ problem, sentence }) => `${problem}:${sentence}`), [
    "1:0",
    "1:1",
    "3:3",
    "3:4",
  ]);
  assert.deepEqual(table.chainBreaks, ["3:4"]);
  assert.equal(table.rows.length + table.dropped.length, table.records);
  for (
    const [at, reason] of [
      ["row 3", /the same as row 2/],
      ["row 4", /"1\.5", a number from 0 to 1/],
      ["row 5", /"-1", a whole number from 0/],
      ["row 6", /"1e3", a whole number/],
      ["row 7", /no problem/],
      ["row 8", /no rate/],
      ["row 9", /does not fit/],
      ["row 10", /contradicts it/],
      ["row 11", /contradicts row 10/],
    ] as const
  ) {
    const found = table.dropped.filter((drop) => drop.reason.startsWith(`${at}:`));
    assert.equal(found.length, 1, at);
    assert.match(found[0]?.reason ?? "", reason);
  }
});

Deno.test("readDeltaTable() refuses what is no such table, and says what one is", () => {
  for (
    const [text, message] of [
      ["", /has no column/],
      ["a,b\n1,2\n", /no column problem_number or pn.*has a, b.*A table of deltas has the columns/],
      [`${OURS}\n`, /a header and no rows/],
      [`${OURS}\n1,0,"torn`, /not a whole CSV/],
      [`${OURS}\n1,0,text\n`, /not a whole CSV/],
      [`${OURS},sentence\n1,0,a,0.5,0,b\n`, /column sentence twice/],
      [`${OURS}\n1,0,text,many,0\n`, /none of its 1 rows can be used/],
      ["problem_number,sentence_number,sentence,true_cue_p\n1,0,a,0.5\n", /delta_cue_p or cue_p_prev/],
    ] as const
  ) {
    assert.throws(() => readDeltaTable({ path: "x.csv", text }), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    }, text);
  }
});
