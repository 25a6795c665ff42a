import assert from "node:assert/strict";
import type { Validity } from "../runs/experiment.ts";
import { auditSummary, type ClassedRow, formatAuditSummary, formatShare } from "./audit_summary.ts";
import { wilson } from "../stats/wilson.ts";
import { depthStep } from "./truncation.ts";

function rows(length: number, classes: Partial<Record<Validity | "skipped", number>>): ClassedRow[] {
  return Object.entries(classes).flatMap(([name, n]) =>
    Array.from({ length: n }, () => ({
      length,
      skip: name === "skipped" ? "window" : null,
      validity: name === "skipped" ? null : name as Validity,
      correct: name === "correct" || name === "truncated",
    }))
  );
}

Deno.test("auditSummary() counts raw over all sent rows and valid over valid ones", () => {
  const summary = auditSummary([
    ...rows(8000, { truncated: 3, error: 2, refused: 1, skipped: 4 }),
    ...rows(1000, { correct: 6, wrong: 2, abstained: 1, distractor: 1 }),
  ]);
  assert.deepEqual(summary.lengths.map((l) => [l.length, l.sent, l.skipped]), [[1000, 10, 0], [8000, 6, 4]]);
  assert.deepEqual([summary.raw.correct, summary.raw.n], [9, 16]);
  assert.deepEqual([summary.valid.correct, summary.valid.n], [6, 10]);
  assert.equal(summary.invalidShare, 6 / 16);
  assert.equal(summary.valid.low, wilson(6, 10).low);
  assert.match(
    summary.warnings.join(),
    /37.5% of the rows sent are invalid \(1 refused, 3 truncated, 2 error\)/,
  );
});

Deno.test("auditSummary() warns above 5% and not at it", () => {
  assert.deepEqual(auditSummary(rows(1000, { correct: 95, error: 5 })).warnings, []);
  assert.equal(auditSummary(rows(1000, { correct: 94, error: 6 })).warnings.length, 1);
});

Deno.test("auditSummary() survives no rows and rows never sent", () => {
  assert.equal(auditSummary([]).raw.estimate, null);
  const skipped = auditSummary(rows(1000, { skipped: 3 }));
  assert.deepEqual([skipped.sent, skipped.skipped, skipped.invalidShare], [0, 3, 0]);
  assert.match(formatAuditSummary(skipped), /no rows of all rows sent/);
});

Deno.test("formatAuditSummary() gives accuracy with its interval, classes, lengths and warnings", () => {
  const text = formatAuditSummary(
    auditSummary([...rows(1000, { correct: 11 }), ...rows(50_000, { wrong: 6, output_cap: 5 })]),
  );
  assert.equal(
    text,
    [
      "Accuracy: 11/22 = 50.0% (95% interval 30.7% to 69.3%) of all rows sent; 11/17 = 64.7% (95% interval 41.3% to 82.7%) of valid rows",
      "Rows: 22 sent (correct 11, wrong 6, output_cap 5)",
      "      1,000 tokens: raw 11/11 = 100.0% (95% interval 74.1% to 100.0%)",
      "     50,000 tokens: raw 0/11 = 0.0% (95% interval 0.0% to 25.9%); valid only 0/6 = 0.0% (95% interval 0.0% to 39.0%)",
      "Warning: 22.7% of the rows sent are invalid (5 output_cap): they are no evidence of context rot",
    ].join("\n"),
  );
  assert.equal(formatShare(wilson(0, 0)), "no rows");
});

Deno.test("depthStep() tells a cut end from a slope", () => {
  const at = (shares: number[]) =>
    depthStep(
      shares.flatMap((share, depth) =>
        Array.from({ length: 10 }, (_, i) => ({ depth, correct: i < Math.round(share * 10) }))
      ),
    );
  assert.equal(at([0, 0, 0, 0, 0, 0, 0.5, 1, 1, 1, 1]), "front");
  assert.equal(at([1, 1, 1, 0.2, 0, 0]), "back");
  assert.equal(at([0, 0, 1, 1, 1]), "front");
  assert.equal(at([0, 0.2, 0.4, 0.6, 0.8, 1]), null);
  assert.equal(at([0, 1, 1, 1, 1]), null, "one depth is no step");
  assert.equal(at([1, 1, 1, 1, 1]), null);
  assert.equal(at([0, 0, 0, 0, 0]), null);
  assert.equal(at([0, 0, 1, 1]), null, "four depths are too few");
});
