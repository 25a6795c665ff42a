import assert from "node:assert/strict";
import type { Experiment, GradableRow } from "./experiment.ts";
import { fakeCaller, fakeExperiment, rowNamed, workflowCaller } from "./testing.ts";
import { runExperiment } from "./workflow.ts";

/** A search: row0 and row1, then a row for each round until there are six; each follows from the answer before it. */
function search(asked: string[][] = [], judged = false): Experiment {
  return {
    ...fakeExperiment(2, { judged }),
    more(rows: readonly GradableRow[]) {
      asked.push(rows.map(({ row, judgements }) => judged ? `${row.id} ${judgements.length}` : row.id));
      assert.ok(rows.every(({ attempt }) => attempt !== null));
      const last = rows.at(-1)?.attempt?.output === `answer row${rows.length - 1}`;
      return last && rows.length < 6 ? [rowNamed(`row${rows.length}`)] : [];
    },
  };
}

async function go(
  results: string,
  experiment: Experiment,
  caller = fakeCaller((q) => `answer ${q}`),
  more = {},
) {
  const run = runExperiment({
    experiment,
    caller: workflowCaller(caller),
    results,
    config: {},
    svgToPng: () => Promise.resolve(new Uint8Array([137])),
    log: () => {},
    ...more,
  });
  return { ...await run.done, sent: caller.sent, total: run.snapshot().total };
}

async function withResults(run: (results: string) => Promise<void>): Promise<void> {
  const results = await Deno.makeTempDir();
  try {
    await run(results);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

const all = ["row0", "row1", "row2", "row3", "row4", "row5"];

Deno.test("runExperiment() sends rows that follow from answers, grades them, and sends none twice", () =>
  withResults(async (results) => {
    const asked: string[][] = [];
    const first = await go(results, search(asked));
    assert.equal(first.error, null);
    assert.deepEqual(first.sent, all);
    assert.deepEqual(asked.map((rows) => rows.length), [2, 3, 4, 5, 6]);
    assert.deepEqual(first.rows.map(({ row }) => row.id), all);
    assert.equal(first.total, 6);
    assert.equal(first.report?.summary, "6 of 6 right");
    const plan = JSON.parse(await Deno.readTextFile(`${results}/pocket_niah_plan.json`));
    assert.deepEqual(plan.rows.map((row: { id: string }) => row.id), all);
    assert.equal(
      (await Deno.readTextFile(`${results}/pocket_niah_results.csv`)).trim().split("\n").length,
      7,
    );

    const second = await go(results, search());
    assert.deepEqual(second.sent, []);
    assert.equal(second.report?.summary, "6 of 6 right");
    assert.equal(second.done, 6);
  }));

Deno.test("runExperiment() goes on in the middle of a search when it was stopped there", () =>
  withResults(async (results) => {
    const stop = new AbortController();
    const stopping = fakeCaller((q) => {
      if (q === "row3") stop.abort();
      return `answer ${q}`;
    });
    const first = await go(results, search(), stopping, { signal: stop.signal });
    assert.equal(first.stoppedBy, "user");
    assert.deepEqual(first.sent, all.slice(0, 4));
    const second = await go(results, search());
    assert.deepEqual(second.sent, all.slice(4));
    assert.deepEqual(second.rows.map(({ row }) => row.id), all);
  }));

Deno.test("runExperiment() shows a search what the first judge said, and asks it nothing twice", () =>
  withResults(async (results) => {
    const asked: string[][] = [];
    const judge = fakeCaller((q) => `judged ${q}`);
    const { error } = await go(results, search(asked, true), undefined, {
      judges: [workflowCaller(judge, "judge")],
    });
    assert.equal(error, null);
    assert.deepEqual(asked[0], ["row0 2", "row1 2"]);
    assert.deepEqual(asked.at(-1), all.map((id) => `${id} 2`));
    assert.equal(judge.sent.length, 12);
  }));

Deno.test("runExperiment() refuses to shard a search", () =>
  withResults(async (results) => {
    const { error, sent } = await go(results, search(), undefined, { shard: { index: 1, count: 2 } });
    assert.match(error?.message ?? "", /cannot be sharded/);
    assert.deepEqual(sent, []);
  }));
