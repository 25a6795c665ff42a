import assert from "node:assert/strict";
import { completionOf, fakeExperiment, workflowCaller } from "./testing.ts";
import type { RowCaller } from "./runner.ts";
import { runExperiment } from "./workflow.ts";

const ROWS = 100_000;

Deno.test("runExperiment() holds 100,000 rows under 1 GB and resumes the finished run under 10 s", async () => {
  const results = await Deno.makeTempDir();
  let calls = 0, peak = 0;
  const caller: RowCaller = {
    limits: { maxConcurrency: 16 },
    async call(request, { onTry }) {
      const completion = completionOf(`answer ${request.messages[0]?.content}`);
      await onTry?.({ started: new Date(0), latencyMs: 1, costUsd: 0, completion, error: null });
      if (++calls % 5000 === 0) peak = Math.max(peak, Deno.memoryUsage().rss);
      return completion;
    },
  };
  const go = () =>
    runExperiment({
      experiment: fakeExperiment(ROWS),
      caller: workflowCaller(caller),
      results,
      config: {},
      svgToPng: () => Promise.resolve(new Uint8Array([1])),
      log: () => {},
    }).done;
  const began = performance.now();
  assert.equal((await go()).done, ROWS);
  const ran = performance.now();
  assert.equal((await go()).done, ROWS);
  const resumed = performance.now();
  peak = Math.max(peak, Deno.memoryUsage().rss);
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  console.log(
    `100,000 rows: run ${seconds(ran - began)} s, resume ${seconds(resumed - ran)} s, ${
      Math.round(peak / 2 ** 20)
    } MiB`,
  );
  assert.equal(calls, ROWS, "nothing is sent again");
  assert.ok(peak < 2 ** 30);
  assert.ok(resumed - ran < 10_000);
  await Deno.remove(results, { recursive: true });
});
