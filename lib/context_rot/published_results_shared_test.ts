/** Published GPT-4.1 results give the published numbers. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { trend } from "../stats/trend.ts";
import { auditRows } from "./audit.ts";
import { auditSummary } from "./audit_summary.ts";

const DATA = new URL("../../../shared/data/context_rot/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) {
  console.log("published_results_shared_test: skipped, no ../shared/data/context_rot beside the repository");
}

const Interval = z.tuple([z.number(), z.number()]);
const Golden = z.object({
  niah: z.object({
    correct: z.number(),
    rows: z.number(),
    wilson95: Interval,
    by_length: z.record(z.string(), z.object({ correct: z.number(), n: z.number(), wilson95: Interval })),
  }),
});
const Judged = z.object({ llm_judge_output: z.string(), output: z.string() });
const NiahRow = Judged.extend({
  approximate_input_length: z.coerce.number(),
  needle_depth: z.coerce.number(),
});

const text = (name: string) => Deno.readTextFile(new URL(name, DATA));
const golden = async () => Golden.parse(JSON.parse(await text("golden.json")));
const read = async <T extends z.ZodType>(name: string, schema: T): Promise<z.infer<T>[]> =>
  z.array(schema).parse(parse(await text(name), { columns: true }));
const isTrue = (row: { llm_judge_output: string }) => row.llm_judge_output.trim().toLowerCase() === "true";
const rounded = (interval: { low: number; high: number }) =>
  [interval.low, interval.high].map((v) => Number(v.toFixed(6)));

Deno.test({
  name: "the audit of the published NIAH run gives its counts and intervals per length",
  ignore: absent,
  async fn() {
    const expected = (await golden()).niah;
    const source = await read("gpt_4_1_niah_evaluated.csv", NiahRow);
    // The files hold no reported counts and no finish reasons.
    const rows = source.map((row) => ({
      id: `${row.approximate_input_length}/${row.needle_depth}`,
      length: row.approximate_input_length,
      depth: row.needle_depth,
      skip: null,
      token_count: row.approximate_input_length,
      prompt_tokens_reported: null,
      completion_tokens: null,
      maxTokens: 1000,
      finish_reason: null,
      output: row.output,
      error: null,
      correct: isTrue(row),
    }));
    const classed = auditRows(rows, { tokenizerExact: false });
    assert.equal(new Set(rows.map((row) => row.id)).size, expected.rows);
    const summary = auditSummary(rows.map((row, i) => ({ ...row, validity: classed[i]?.validity ?? null })));
    assert.deepEqual([summary.raw.correct, summary.raw.n], [expected.correct, expected.rows]);
    assert.deepEqual(rounded(summary.raw), expected.wilson95);
    assert.equal(summary.invalidShare, 0);
    const lengths = Object.entries(expected.by_length);
    assert.equal(summary.lengths.length, lengths.length);
    for (const [length, { correct, n, wilson95 }] of lengths) {
      const found = summary.lengths.find((l) => l.length === Number(length));
      assert.deepEqual([found?.raw.correct, found?.raw.n], [correct, n], length);
      assert.deepEqual(found && rounded(found.raw), wilson95, length);
    }
    const fall = trend(
      summary.lengths.map((l) => ({ score: Math.log(l.length), correct: l.raw.correct, n: l.raw.n })),
    );
    assert.ok(fall.pFall < 1e-4, `${fall.pFall}`);
  },
});
