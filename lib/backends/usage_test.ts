import assert from "node:assert/strict";
import { createFakeClock } from "./testing/fake_clock.ts";
import { createUsageTotals } from "./usage.ts";

Deno.test("createUsageTotals() adds up per model and over all, and counts what has no price", async () => {
  const clock = createFakeClock(0);
  const totals = createUsageTotals(clock);
  const answer = (model: string, promptTokens: number | null) => ({
    text: "",
    reasoning: null,
    finishReason: "stop" as const,
    usage: { promptTokens, completionTokens: 5, cachedTokens: 2, reasoningTokens: null },
    requestId: null,
    model,
    logprobs: null,
  });
  totals.add(answer("a", 10), 0.5);
  totals.add(answer("b", null), null);
  totals.addFailure("a", 0.25);
  await clock.run(clock.sleep(30_000));
  const all = totals.snapshot();
  assert.deepEqual([all.calls, all.failures, all.inputTokens, all.outputTokens, all.cachedTokens], [
    2,
    1,
    10,
    10,
    4,
  ]);
  assert.deepEqual([all.costUsd, all.unpriced, all.elapsedMs, all.tokensPerMinute], [0.75, 1, 30_000, 40]);
  assert.deepEqual([all.models["a"]?.costUsd, all.models["b"]?.unpriced], [0.75, 1]);
});
