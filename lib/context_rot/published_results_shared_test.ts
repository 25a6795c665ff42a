/** Published GPT-4.1 results give the published numbers. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { pairedDifference } from "../stats/difference.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { trend } from "../stats/trend.ts";
import { wilson } from "../stats/wilson.ts";
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
  longmemeval: z.object({
    n: z.number(),
    focused: z.object({ correct: z.number(), wilson95: Interval }),
    full: z.object({ correct: z.number(), wilson95: Interval }),
    paired: z.object({
      both_correct: z.number(),
      focused_only: z.number(),
      full_only: z.number(),
      neither: z.number(),
    }),
  }),
});
const Judged = z.object({ llm_judge_output: z.string(), output: z.string() });
const NiahRow = Judged.extend({
  approximate_input_length: z.coerce.number(),
  needle_depth: z.coerce.number(),
});
const MemoryRow = Judged.extend({ custom_id: z.string() });

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

Deno.test({
  name: "the published LongMemEval runs give the paired table and its statistics",
  ignore: absent,
  async fn() {
    const expected = (await golden()).longmemeval;
    const focused = await read("gpt_4_1_longmemeval_focused_evaluated.csv", MemoryRow);
    const full = new Map(
      (await read("gpt_4_1_longmemeval_full_evaluated.csv", MemoryRow)).map((
        row,
      ) => [row.custom_id, isTrue(row)]),
    );
    const pairs = { both: 0, firstOnly: 0, secondOnly: 0, neither: 0 };
    for (const row of focused) {
      const second = full.get(row.custom_id);
      assert.notEqual(second, undefined);
      pairs[isTrue(row) ? (second ? "both" : "firstOnly") : (second ? "secondOnly" : "neither")]++;
    }
    const { both_correct, focused_only, full_only, neither } = expected.paired;
    assert.deepEqual(pairs, { both: both_correct, firstOnly: focused_only, secondOnly: full_only, neither });
    assert.deepEqual(rounded(wilson(pairs.both + pairs.firstOnly, expected.n)), expected.focused.wilson95);
    assert.deepEqual(rounded(wilson(pairs.both + pairs.secondOnly, expected.n)), expected.full.wilson95);
    const difference = pairedDifference(pairs);
    assert.ok(Math.abs(difference.estimate - (267 - 191) / 306) < 1e-12);
    assert.ok(difference.low > 0.19 && difference.high < 0.306, JSON.stringify(difference));
    assert.ok(mcnemarExact(pairs.firstOnly, pairs.secondOnly) < 1e-15);
  },
});
