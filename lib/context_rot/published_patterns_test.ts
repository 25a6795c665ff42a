/** Two published patterns that look like context rot and are none, rebuilt row by row from their counts. */
import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { type AuditRow, auditRows } from "./audit.ts";
import { auditSummary, formatAuditSummary } from "./audit_summary.ts";

const DEPTHS = Array.from({ length: 11 }, (_, i) => i * 10);

/** 110 rows of a length: 11 depths, 10 each. */
function rowsAt(
  length: number,
  change: (depth: number, trial: number, index: number) => Partial<AuditRow>,
): AuditRow[] {
  return DEPTHS.flatMap((depth, d) =>
    Array.from({ length: 10 }, (_, trial): AuditRow => {
      const given = change(depth, trial, d * 10 + trial);
      return {
        id: `${length}/${depth}/${trial}`,
        length,
        depth,
        skip: null,
        token_count: length,
        prompt_tokens_reported: length,
        completion_tokens: 9,
        maxTokens: 128,
        finish_reason: "stop",
        output: given.correct === false ? "Somewhere in the north." : "The lighthouse of Penghu.",
        error: null,
        correct: true,
        ...given,
      };
    })
  );
}

function audit(rows: readonly AuditRow[], tokenizerExact: boolean, window?: number) {
  const classed = auditRows(rows, { tokenizerExact, ...(window === undefined ? {} : { window }) });
  const summary = auditSummary(rows.map((row, i) => ({ ...row, validity: classed[i]?.validity ?? null })));
  return { classed, summary };
}

/** 65,000 characters cut to a window of 40,960: depths 0-50% 0/10, 60% 5/10, 70-100% 10/10. */
function truncation(estimate: boolean, longer: Partial<AuditRow>) {
  const random = createRandom("characters");
  const tokens = (characters: number) => Math.round(characters * 0.76 * (0.995 + 0.01 * random.next()));
  const sent = (count: number) => estimate ? Math.round(count * 1.12) : count;
  const short = [4000, 8000, 16_000, 32_000].flatMap((length) =>
    rowsAt(length, () => {
      const count = tokens(length);
      return { token_count: sent(count), prompt_tokens_reported: count };
    })
  );
  const cut = rowsAt(65_000, (depth, trial) => ({
    token_count: sent(tokens(65_000)),
    prompt_tokens_reported: 40_960,
    correct: depth >= 70 || (depth === 60 && trial < 5),
  }));
  const unsent = [100_000, 130_000].flatMap((length) =>
    rowsAt(length, () => ({
      token_count: sent(tokens(length)),
      prompt_tokens_reported: null,
      completion_tokens: null,
      finish_reason: null,
      output: "",
      correct: null,
      ...longer,
    }))
  );
  return [...short, ...cut, ...unsent];
}

Deno.test("pattern 1: a prompt cut to 40,960 tokens is truncated on all 110 rows, and skipped rows are in no denominator", () => {
  for (const estimate of [false, true]) {
    const rows = truncation(estimate, { skip: "window" });
    const { classed, summary } = audit(rows, !estimate);
    const at = (length: number) => summary.lengths.find((l) => l.length === length);
    for (const length of [4000, 8000, 16_000, 32_000]) assert.equal(at(length)?.counts.correct, 110);
    assert.equal(at(65_000)?.counts.truncated, 110);
    assert.equal(at(65_000)?.raw.correct, 45);
    assert.equal(at(65_000)?.valid.n, 0);
    assert.equal(at(65_000)?.depthStep, "front");
    assert.equal(summary.skipped, 220);
    assert.deepEqual([summary.raw.correct, summary.raw.n], [485, 550]);
    assert.deepEqual([summary.valid.correct, summary.valid.n], [440, 440]);
    assert.match(summary.warnings[0] ?? "", /20.0% of the rows sent are invalid \(110 truncated\)/);
    const reasons = classed.find((row) => row.id === "65000/0/0")?.reasons ?? [];
    assert.ok(reasons.some((reason) => /read 40,960 of/.test(reason)), `${reasons}`);
    assert.ok(reasons.some((reason) => /step in depth: the front/.test(reason)));
  }
});

Deno.test("pattern 1: rows a server refused for their length are errors and not failures of the model", () => {
  const { summary } = audit(truncation(false, { error: "context_length" }), true);
  assert.equal(summary.counts.error, 220);
  assert.equal(summary.counts.wrong, 0);
  assert.deepEqual([summary.valid.correct, summary.valid.n], [440, 440]);
});

Deno.test("pattern 1: without any token count the step in depth is still warned of", () => {
  const rows = truncation(false, { skip: "window" }).map((row) => ({ ...row, prompt_tokens_reported: null }));
  const { summary } = audit(rows, true);
  assert.equal(summary.counts.truncated, 0);
  assert.match(summary.warnings.join("\n"), /at 65,000 tokens failures are a step in depth, as if the front/);
});

Deno.test("pattern 2: pad runs with token counts of 0 are degenerate, and the other rows keep their accuracy", () => {
  const pads = {
    token_count: 99_000,
    prompt_tokens_reported: 0,
    completion_tokens: 0,
    output: "<pad>".repeat(40),
  };
  const rows = [
    ...rowsAt(65_000, (_, __, index) => ({ correct: index !== 3 })),
    ...rowsAt(
      100_000,
      (_, __, index) => index < 86 ? { ...pads, correct: false } : { correct: index !== 90 },
    ),
    ...rowsAt(130_000, () => ({ ...pads, correct: false })),
  ];
  const { summary } = audit(rows, true);
  const [k65, k100, k130] = summary.lengths;
  assert.deepEqual([k65?.valid.correct, k65?.valid.n], [109, 110]);
  assert.deepEqual([k100?.raw.correct, k100?.raw.n], [23, 110]);
  assert.deepEqual([k100?.counts.degenerate, k100?.valid.correct, k100?.valid.n], [86, 23, 24]);
  assert.deepEqual([k130?.counts.degenerate, k130?.valid.n], [110, 0]);
  assert.match(summary.warnings[0] ?? "", /59.4% of the rows sent are invalid \(196 degenerate\)/);
  assert.match(formatAuditSummary(summary), /130,000 tokens: raw 0\/110 = 0.0% .*valid only no rows/);
});
