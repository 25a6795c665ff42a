import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeShards } from "./merge_shards.ts";
import { parseShard, shardRows } from "./shard.ts";
import { fakeCaller, fakeExperiment, rowsNamed, workflowCaller } from "./testing.ts";
import { runExperiment } from "./workflow.ts";

Deno.test("shardRows() puts every row into exactly one shard, in order and in balance", () => {
  const plans = fc.array(fc.record({ tokens: fc.integer({ min: 1, max: 1e6 }), skip: fc.boolean() }), {
    maxLength: 60,
  });
  fc.assert(fc.property(plans, fc.integer({ min: 1, max: 9 }), (plan, count) => {
    const rows = rowsNamed(plan.length).map((row, i) => ({
      ...row,
      tokens: plan[i]!.tokens,
      skip: plan[i]!.skip ? "window" : null,
    }));
    const shards = Array.from({ length: count }, (_, i) => shardRows(rows, { index: i + 1, count }));
    assert.deepEqual(shards.flat(), rows);
    const work = (some: typeof rows) =>
      some.filter((row) => row.skip === null).reduce((sum, row) => sum + row.tokens + row.maxTokens, 0);
    const largest = Math.max(0, ...rows.map((row) => row.tokens + row.maxTokens));
    for (const shard of shards) assert.ok(work(shard) <= work(rows) / count + largest + 1e-6);
  }));
});

Deno.test("parseShard() reads i/n and says what is wrong with anything else", () => {
  assert.deepEqual(parseShard("2/4"), { index: 2, count: 4 });
  for (const bad of ["0/4", "5/4", "2", "a/b", "2/4/6", "-1/2", ""]) {
    assert.throws(() => parseShard(bad), { name: "InputError", message: /write it as i\/n/ });
  }
});

async function runShard(results: string, shard: string | null, rows = 12, broken = "") {
  const caller = fakeCaller((q) => {
    if (q === broken) throw Object.assign(new Error("budget"), { name: "BudgetError" });
    return `answer ${q}`;
  }, { maxConcurrency: 1 });
  const result = await runExperiment({
    experiment: fakeExperiment(rows),
    caller: workflowCaller(caller),
    results,
    config: {},
    shard: shard === null ? null : parseShard(shard),
    svgToPng: () => Promise.resolve(new Uint8Array([1])),
    log: () => {},
  }).done;
  return { result, sent: caller.sent };
}

Deno.test("mergeShards() joins shards so that the normal run finds everything done, and may be repeated", async () => {
  const [a, b, into] = await Promise.all([0, 1, 2].map(() => Deno.makeTempDir())) as [string, string, string];
  const first = await runShard(a, "1/3");
  await runShard(b, "2/3");
  await runShard(b, "3/3", 12, "row10");
  assert.equal(first.result.files.name, "pocket_niah_shard_1_of_3");
  assert.equal(first.result.report, null);
  const options = { from: [a, b], into, log: () => {} };
  assert.deepEqual(await mergeShards(options), [{ name: "pocket_niah", shards: 3, missing: [], added: 10 }]);
  const bytes = await Deno.readFile(`${into}/pocket_niah_attempts.jsonl`);
  assert.equal((await mergeShards(options))[0]?.added, 0);
  assert.deepEqual(await Deno.readFile(`${into}/pocket_niah_attempts.jsonl`), bytes);
  await runShard(b, "3/3");
  assert.equal((await mergeShards(options))[0]?.added, 2);
  const whole = await runShard(into, null);
  assert.deepEqual(whole.sent, []);
  assert.equal(whole.result.report?.summary, "12 of 12 right");
  assert.equal((await mergeShards(options))[0]?.added, 0);
  await Promise.all([a, b, into].map((folder) => Deno.remove(folder, { recursive: true })));
});

Deno.test("mergeShards() refuses shards of different plans and adds nothing, and names missing parts", async () => {
  const [a, b, into] = await Promise.all([0, 1, 2].map(() => Deno.makeTempDir())) as [string, string, string];
  await runShard(a, "1/2");
  await runShard(b, "2/2", 13);
  await assert.rejects(mergeShards({ from: [a, b], into, log: () => {} }), {
    name: "InputError",
    message: /different plans: plan is "[0-9a-f]{16}" in the one .*Nothing was added/,
  });
  assert.deepEqual([...Deno.readDirSync(into)], []);
  assert.deepEqual(await mergeShards({ from: [a], into, log: () => {} }), [
    { name: "pocket_niah", shards: 1, missing: ["2/2"], added: 6 },
  ]);
  await assert.rejects(mergeShards({ from: [into], into, log: () => {} }), {
    message: /There is no \*_shard_/,
  });
  await Promise.all([a, b, into].map((folder) => Deno.remove(folder, { recursive: true })));
});
