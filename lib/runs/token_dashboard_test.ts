import assert from "node:assert/strict";
import { tokenDashboard, tokenSummary } from "./token_dashboard.ts";
import { emptyTotals } from "./token_totals.ts";

const model = {
  model: "qwen2.5:20b",
  totals: { ...emptyTotals(), calls: 45, inputTokens: 234_567, outputTokens: 12_345, costUsd: 0.1234 },
};
const usage = {
  name: "gpt_oss_20b_niah_results",
  updated: new Date(2025, 10, 24, 14, 23, 45),
  elapsedMs: 8.3 * 60_000,
  sessionTokens: 246_912,
  models: [model],
  path: "results/gpt_oss_20b_niah_results_token_dashboard.txt",
};

Deno.test("tokenDashboard() has the layout of the workflow document", () => {
  assert.equal(
    tokenDashboard(usage),
    `================================================================================
Token Usage Dashboard - gpt_oss_20b_niah_results
Last updated: 2025-11-24 14:23:45
Elapsed time: 8.3 minutes
================================================================================

TOTALS:
  API calls: 45
  Input tokens: 234,567
  Output tokens: 12,345
  Total tokens: 246,912
  Rate: 29,748 tokens/min
  Estimated cost: $0.1234

PER-MODEL BREAKDOWN:
  qwen2.5:20b:
    Calls: 45
    Input: 234,567 tokens
    Output: 12,345 tokens
    Total: 246,912 tokens
    Cost: $0.1234

================================================================================
To monitor live: tail -f results/gpt_oss_20b_niah_results_token_dashboard.txt
================================================================================
`,
  );
});

Deno.test("tokenDashboard() says that a cost is unknown, and what is known of it", () => {
  const unpriced = { model: "mystery", totals: { ...emptyTotals(), calls: 2, unpricedCalls: 2 } };
  const text = tokenDashboard({ ...usage, models: [model, unpriced] });
  assert.match(text, /Estimated cost: at least \$0\.1234 \(no price is known for 2 calls\)/);
  assert.match(text, /mystery:\n(.*\n){4} {4}Cost: unknown \(no price is known for 2 calls\)/);
});

Deno.test("tokenSummary() gives null for a cost that is unknown", () => {
  const unpriced = {
    model: "mystery",
    totals: { ...emptyTotals(), calls: 1, unpricedCalls: 1, inputTokens: 5 },
  };
  const summary = tokenSummary({ ...usage, elapsedMs: 0, models: [unpriced] }) as Record<
    string,
    Record<string, unknown>
  >;
  assert.equal(summary["totals"]?.["cost_usd"], null);
  assert.equal(summary["totals"]?.["total_tokens"], 5);
  assert.equal(summary["session"]?.["tokens_per_minute"], 0);
});
