import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { compareTable } from "./compare.ts";
import { comparisonJson, comparisonText } from "./comparison_report.ts";
import { parseLabelTable } from "./label_table.ts";

const HEADER = "item,api_label,api_parsed,api_strict,local_label,local_parsed,local_strict";

Deno.test("parseLabelTable() reads labels, and takes an unparsed answer for none", () => {
  const { rows, sides } = parseLabelTable(`${HEADER}\n7,1,1,1,0,0,0\n8,0,1,0,0,1,1\n`, "t.csv");
  assert.deepEqual(sides, ["api", "local"]);
  assert.deepEqual(rows.map(({ item, first, second }) => [item, first.label, second.label, second.stored]), [
    ["7", 1, null, 0],
    ["8", 0, 0, 0],
  ]);
  assert.deepEqual(rows.map(({ first }) => first.strict), [true, false]);
});

Deno.test("parseLabelTable() takes any two backends, with parsed columns or empty labels", () => {
  const { rows, sides } = parseLabelTable("a_label,b_label,truth\n1,,1\ntrue,0,0\n", "t.csv");
  assert.deepEqual(sides, ["a", "b"]);
  assert.deepEqual(rows.map(({ first, second, truth }) => [first.label, second.label, truth]), [
    [1, null, 1],
    [1, 0, 0],
  ]);
});

Deno.test("parseLabelTable() names the row and the column of what is wrong", () => {
  const wrong: [string, RegExp][] = [
    ["item,api_label\n1,0\n", /1 columns that end in _label \(api\), two are needed/],
    ["a_label,b_label,c_label\n1,1,1\n", /3 columns that end in _label/],
    [`${HEADER}\n`, /a header and no rows/],
    ["", /0 columns that end in _label/],
    [`${HEADER}\n1,2,1,1,0,1,1\n`, /t\.csv, row 1: api_label is "2": 0, 1 or nothing was expected/],
    [`${HEADER}\n1,,1,1,0,1,1\n`, /row 1: api_label is "": 0 or 1, because the answer is said to be parsed/],
    [`${HEADER}\n1,1,1,1,0,1,1\n1,1,1,1,0,1,1\n`, /row 2: item "1" is there twice/],
    [`${HEADER}\n1,1,1\n`, /is not a CSV/],
    [
      "a_label,b_label,response_similarity\n1,1,1.5\n",
      /row 1: response_similarity is "1\.5": a number from 0 to 1/,
    ],
    ["a_label,b_label,a_label\n1,1,1\n", /columns that end in _label/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parseLabelTable(text, "t.csv"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("compareTable() reports all rows, rows both parsed and three outcomes, and never an unparsed answer as agreement", () => {
  // 90 agree, 10 rows that the second did not parse, stored as 0 beside a real 0.
  const lines = Array.from({ length: 100 }, (_, i) => `${i},0,1,1,0,${i < 90 ? 1 : 0},1`);
  const comparison = compareTable(parseLabelTable(`${HEADER}\n${lines.join("\n")}\n`, "t.csv"));
  const { all, both_parsed, three_way } = comparison.statistics;
  assert.deepEqual([all.agreement, both_parsed.n, both_parsed.agreement, three_way.agreement], [
    1,
    90,
    1,
    0.9,
  ]);
  assert.equal(comparison.verdict.outcome, "fail");
  assert.match(comparison.verdict.reason, /90 of 100 answers of local hold a label/);
  const text = comparisonText(comparison);
  assert.match(text, /VERDICT: fail/);
  assert.match(text, /agreement {11}0\.900000|agreement 0\.900000/);
  assert.equal((comparisonJson(comparison)["parse_table"] as Record<string, number>)["api1_local0"], 10);
});

Deno.test("compareTable() of 99 of 100 says inconclusive, and how many rows are needed", () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${i},${i % 2},1,1,${i === 0 ? 1 : i % 2},1,1`);
  const { verdict } = compareTable(parseLabelTable(`${HEADER}\n${lines.join("\n")}\n`, "t.csv"));
  assert.equal(verdict.outcome, "inconclusive");
  assert.equal(verdict.n_needed, 115);
  assert.match(verdict.reason, /99 of 100 labels agree \(99\.0%, 95% interval 94\.6% to 99\.8%\); 115 rows/);
});
