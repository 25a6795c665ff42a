import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { importLongMemEval } from "./import_longmemeval_run.ts";
import type { ImportOptions } from "./import_run.ts";
import { inImportFolder } from "./testing/import_files.ts";

/** Rows as Chroma's program writes them: question `q{i}`, every fifth one without an answer. */
function rowsOf(n: number, verdict: (i: number) => string, tokens: number) {
  return Array.from({ length: n }, (_, i) => ({
    custom_id: i % 5 === 4 ? `q${i}_abs` : `q${i}`,
    token_count: tokens + i,
    question: `How many,\n"roughly", in year ${i}?`,
    answer: String(i),
    output: `It was ${i}.`,
    llm_judge_output: verdict(i),
  }));
}

const imported = async (from: readonly string[], more: Partial<ImportOptions> = {}) => {
  const [run] = await importLongMemEval({ from, as: "chroma-longmemeval", results: "unused", ...more });
  assert.ok(run);
  // deno-lint-ignore no-explicit-any
  const { published } = run.report.statistics as any;
  return { run, published, notes: run.notes.join("\n"), text: run.report.summary };
};

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  });

const focused = () => rowsOf(20, (i) => i < 15 ? "True" : "false", 100);
const full = () => rowsOf(20, (i) => i < 5 || i === 19 ? " true" : i % 2 ? "False" : "FALSE", 112_000);

Deno.test("importLongMemEval() pairs both conditions on their ids, whatever the order and spelling", () =>
  inImportFolder(async (folder) => {
    const one = await folder.csv("m_longmemeval_focused_evaluated.csv", focused());
    const other = await folder.csv("m_longmemeval_full_evaluated.csv", full().toReversed());
    const { published, run, notes, text } = await imported([other, one]);
    assert.deepEqual(published.paired, {
      n: 20,
      both_correct: 5,
      focused_only: 10,
      full_only: 1,
      neither: 4,
    });
    assert.deepEqual([published.mcnemar.b, published.mcnemar.c], [10, 1]);
    assert.ok(Math.abs(published.mcnemar.p - 24 / 2048) < 1e-12, "2 (1 + 11) / 2^11");
    assert.equal(published.difference.estimate, 0.45);
    assert.deepEqual([published.focused.correct, published.focused.n, published.full.correct], [15, 20, 6]);
    assert.deepEqual(published.full.tokens_min_median_max, [112_000, 112_009.5, 112_019]);
    assert.deepEqual(published.full.verdict_spellings, { " true": 6, False: 7, FALSE: 7 });
    assert.deepEqual([published.ids_ending_abs, published.focused.abstention, published.focused.answerable], [
      4,
      { correct: 3, n: 4 },
      { correct: 12, n: 16 },
    ]);
    assert.match(notes, /full: verdicts are spelled in several ways/);
    assert.match(text, /both right 5, focused only 10, full only 1, neither 4/);
    assert.match(text, /exact McNemar p = 0.012/);
    assert.equal(run.label, "m");
    assert.equal(run.part?.(run.rows[0]!), "focused");
  }));

Deno.test("importLongMemEval() says which questions have no partner, and pairs the rest", () =>
  inImportFolder(async (folder) => {
    const one = await folder.csv("focused.csv", focused().slice(0, 18));
    const other = await folder.csv("full.csv", full().slice(3));
    const { published, notes } = await imported([one, other]);
    assert.equal(published.paired.n, 15);
    assert.deepEqual(published.not_paired, {
      focused_only: ["q0", "q1", "q2"],
      full_only: ["q18", "q19_abs"],
    });
    assert.match(notes, /3 questions in the focused rows only, not paired: q0, q1, q2/);
    const alone = await imported([one]);
    assert.deepEqual([alone.published.paired.n, alone.published.mcnemar], [0, null]);
    assert.match(alone.notes, /only focused rows: nothing can be paired/);
  }));

Deno.test("importLongMemEval() leaves unjudged rows out of shares and pairs", () =>
  inImportFolder(async (folder) => {
    const odd = full().map((row, i) =>
      i === 0 ? { ...row, llm_judge_output: "maybe" } : i === 19 ? { ...row, llm_judge_output: "" } : row
    );
    const { published, notes } = await imported([
      await folder.csv("focused.csv", focused()),
      await folder.csv("full.csv", odd),
    ]);
    assert.deepEqual([published.full.correct, published.full.n, published.full.unjudged], [4, 18, 2]);
    assert.deepEqual(published.paired, {
      n: 18,
      both_correct: 4,
      focused_only: 10,
      full_only: 0,
      neither: 4,
    });
    assert.match(notes, /1 row unjudged \("maybe" is neither true nor false\)/);
  }));

Deno.test("importLongMemEval() joins results files, and matches where there is no verdict", () =>
  inImportFolder(async (folder) => {
    const results = focused().map(({ llm_judge_output: _, ...row }) => row);
    const stale = focused().map((row) => ({ ...row, token_count: 100 }));
    const both = await imported([
      await folder.csv("m_focused_evaluated.csv", stale),
      await folder.csv("m_focused_results.csv", results),
    ]);
    assert.match(both.notes, /token_count is 100 on all 20 rows: a stale value/);
    assert.deepEqual(both.published.focused.tokens_min_median_max, [100, 109.5, 119]);
    const { published, text } = await imported([`${folder.path}/m_focused_results.csv`]);
    assert.equal(published.focused.correct, 16, "what no chat answers is right only when the output says so");
    assert.match(text, /no verdicts in the files: graded by normalised match alone/);
  }));

Deno.test("importLongMemEval() takes conditions by flag, and refuses what cannot be paired", () =>
  inImportFolder(async (folder) => {
    const [a, b] = [await folder.csv("a.csv", focused()), await folder.csv("b.csv", full())];
    await refused(imported([a, b]), /a.csv does not say whether its rows are focused or full.*--condition/);
    assert.equal((await imported([a, b], { conditions: ["focused", "full"] })).published.paired.n, 20);
    await refused(imported([a, b], { conditions: ["focused"] }), /are both focused files/);
    await refused(imported([a, b], { conditions: ["short"] }), /--condition short: give focused or full/);
    await refused(imported([a, b, a], { conditions: ["focused", "full"] }), /2 conditions for 3 files/);
    const twice = [...focused(), { ...focused()[0], output: "Other." }];
    await refused(
      imported([await folder.csv("focused_x.csv", twice)]),
      /1 id stands in several rows that differ \(q0\)/,
    );
    const copies = await imported([
      await folder.csv("focused_y.csv", [...focused(), focused()[0] as Record<string, unknown>]),
    ]);
    assert.match(copies.notes, /1 row is a copy of another, counted once/);
    const nameless = focused().map(({ custom_id: _, ...row }) => row);
    await refused(imported([await folder.csv("focused_z.csv", nameless)]), /has no id of its question/);
    await refused(
      imported([await folder.csv("focused_p.csv", [{ custom_id: "1", focused_prompt: "x", question: "q" }])]),
      /LongMemEval inputs, without outputs/,
    );
    const mixed = [
      a,
      await folder.csv("m_full_results.csv", full().map(({ llm_judge_output: _, ...row }) => row)),
    ];
    await refused(
      imported(mixed, { conditions: ["focused", "full"] }),
      /The full rows hold no verdicts, but the others do/,
    );
  }));
