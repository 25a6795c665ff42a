/** The import of published GPT-4.1 runs gives the published numbers. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { importRuns } from "./import_run.ts";

const DATA = new URL("../../../shared/data/context_rot/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) console.log("import_shared_test: skipped, no ../shared/data/context_rot beside the repository");

const Share = z.object({ correct: z.number(), n: z.number(), wilson95: z.tuple([z.number(), z.number()]) });
const Condition = z.object({
  correct: z.number(),
  wilson95: Share.shape.wilson95,
  tokens_min_median_max: z.array(z.number()),
});
const Paired = z.object({
  both_correct: z.number(),
  focused_only: z.number(),
  full_only: z.number(),
  neither: z.number(),
});
const Golden = z.object({
  niah: z.object({
    rows: z.number(),
    correct: z.number(),
    wilson95: Share.shape.wilson95,
    by_length: z.record(z.string(), Share),
  }),
  longmemeval: z.object({
    n: z.number(),
    unique_ids: z.number(),
    focused: Condition,
    full: Condition.extend({ verdict_spellings: z.record(z.string(), z.number()) }),
    paired: Paired,
    ids_ending_abs: z.number(),
  }),
});

const golden = async () => Golden.parse(JSON.parse(await Deno.readTextFile(new URL("golden.json", DATA))));
const paths = (...names: string[]) => names.map((name) => fileURLToPath(new URL(name, DATA)));

async function published(from: string[], as: "chroma-niah" | "chroma-longmemeval") {
  const results = await Deno.makeTempDir();
  try {
    const [run] = await importRuns({ from, as, results });
    assert.ok(run);
    const report = JSON.parse(await Deno.readTextFile(run.written.reportJson));
    const csvs = await Promise.all(
      run.written.csvs.map(async ({ evaluated }) =>
        parse(await Deno.readTextFile(evaluated), { columns: true }) as Record<string, string>[]
      ),
    );
    return {
      published: report.statistics.published,
      text: await Deno.readTextFile(run.written.reportText),
      csvs,
    };
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

Deno.test({
  name: "importRuns() gives the published NIAH counts, by length and depth, with the true token counts",
  ignore: absent,
  async fn() {
    const expected = (await golden()).niah;
    const files = paths("gpt_4_1_niah_evaluated.csv", "gpt_4_1_niah_results.csv");
    const { published: found, text, csvs } = await published(files, "chroma-niah");
    assert.deepEqual(found.by_length, expected.by_length);
    assert.deepEqual(
      [found.rows, found.correct, found.n, found.wilson95],
      [expected.rows, expected.correct, expected.rows, expected.wilson95],
    );
    const depths = Object.entries(found.by_depth as Record<string, { correct: number; n: number }>);
    assert.deepEqual(depths.map(([depth]) => Number(depth)), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert.equal(depths.reduce((sum, [, { correct }]) => sum + correct, 0), expected.correct);
    assert.ok(depths.every(([, { n }]) => n === 8));
    assert.match(text, /49\/88 = 55\.7%/);
    assert.match(text, /token_count is 100 on all 88 rows/);
    for (const row of csvs[0] ?? []) {
      assert.ok(Math.abs(Number(row["token_count"]) - Number(row["approximate_input_length"])) <= 1);
    }
  },
});

Deno.test({
  name: "importRuns() gives the published LongMemEval pairs and their statistics",
  ignore: absent,
  async fn() {
    const expected = (await golden()).longmemeval;
    const files = paths(
      "gpt_4_1_longmemeval_full_evaluated.csv",
      "gpt_4_1_longmemeval_focused_evaluated.csv",
    );
    const { published: found, text, csvs } = await published(files, "chroma-longmemeval");
    assert.deepEqual(
      [found.unique_ids, found.ids_ending_abs, found.paired.n],
      [expected.unique_ids, expected.ids_ending_abs, expected.n],
    );
    assert.deepEqual({ ...expected.paired, n: expected.n }, found.paired);
    assert.deepEqual(Condition.parse(found.focused), expected.focused);
    assert.deepEqual(
      Condition.extend({ verdict_spellings: z.record(z.string(), z.number()) }).parse(found.full),
      {
        ...expected.full,
      },
    );
    const { focused_only: b, full_only: c } = expected.paired;
    assert.deepEqual([found.mcnemar.b, found.mcnemar.c], [b, c]);
    // Two-sided binomial by its definition, summed from the smallest term.
    const n = b + c;
    let term = 2 ** -n, tail = term;
    for (let k = 1; k <= Math.min(b, c); k++) tail += term *= (n - k + 1) / k;
    assert.ok(Math.abs(found.mcnemar.p / (2 * tail) - 1) < 1e-9, `${found.mcnemar.p} ${2 * tail}`);
    assert.equal(
      found.difference.estimate,
      Number(((expected.focused.correct - expected.full.correct) / expected.n).toFixed(6)),
    );
    assert.match(text, /both right 180, focused only 87, full only 11, neither 28/);
    assert.deepEqual(csvs.map((rows) => rows.length), [306, 306]);
  },
});
