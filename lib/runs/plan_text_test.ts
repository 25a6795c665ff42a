import assert from "node:assert/strict";
import { priceOf } from "../backends/prices.ts";
import { openAttempts } from "./attempts.ts";
import { describePlan, planText } from "./plan_text.ts";
import { runFiles } from "./run_files.ts";
import { attemptFor, fakeCaller, rowsNamed, testIdentity, workflowCaller } from "./testing.ts";

const rows = rowsNamed(10).map((row, i) => (i < 2 ? { ...row, skip: "window" } : row));
const limits = { tokensPerMinute: 300, requestsPerMinute: null, maxConcurrency: 4 };

Deno.test("describePlan() counts what would be sent and writes nothing", async () => {
  const results = await Deno.makeTempDir();
  const files = runFiles({ results, experiment: "niah", variant: "pocket", test: false });
  const variant = workflowCaller(fakeCaller(() => "")).variant;
  const options = { rows, files, variant: "pocket", price: priceOf(variant), limits, exact: true };
  const fresh = await describePlan(options);
  assert.deepEqual([...Deno.readDirSync(results)], []);
  assert.equal(fresh.todo, 8);
  assert.equal(fresh.promptTokens, 800);
  assert.equal(fresh.outputTokensHigh, 80);
  {
    using store = await openAttempts(files.attempts, testIdentity);
    for (const id of ["row2", "row3", "row4"]) store.append(attemptFor(id));
    store.append({ ...attemptFor("row5"), status: "error" });
  }
  const plan = await describePlan(options);
  assert.equal(
    planText(plan, options),
    `Plan of pocket_niah
  rows           10 planned
  to send        5 (1 of them ended in an error before)
  done before    3
  skipped        2 window
  prompt tokens  500
  output tokens  at most 50
  cost           $0.0000 (runs on your own hardware)
  judge          none: matching alone
  limits         300 tokens/min, 4 at once
  time           at least 1 min 40 s, by the limits up to 1 min 50 s
`,
  );
  await Deno.remove(results, { recursive: true });
});

Deno.test("planText() says when a price is unknown and what the judge may cost", async () => {
  const files = runFiles({ results: "nowhere", experiment: "niah", variant: "x", test: true });
  const price = {
    source: "models.json",
    inputPerMTok: 1,
    outputPerMTok: 2,
    cachedPerMTok: 1,
    cost: (t: { prompt: number; completion: number }) => (t.prompt + 2 * t.completion) / 1e6,
  };
  const judge = { variant: "gpt-4o-mini", price, callsPerRow: 2, tokens: 1000, maxTokens: 10 };
  const free = { tokensPerMinute: null, requestsPerMinute: null, maxConcurrency: 1 };
  const options = { rows, files, variant: "x", price: null, limits: free, exact: false, judges: [judge] };
  const text = planText(await describePlan(options), options);
  assert.match(text, /cost +unknown: no price is known for x\n/);
  assert.match(text, /judge +at most 16 calls of gpt-4o-mini\n +judge cost +\$0\.0000 to \$0\.02/);
  assert.match(text, /time +as fast as the model answers/);
  const second = { ...judge, variant: "other", callsPerRow: 1 };
  const both = await describePlan({ ...options, judges: [judge, second] });
  const high = both.judges.map(({ cost }) => cost?.high ?? 0);
  assert.ok((high[0] ?? 0) > (high[1] ?? 0) && (high[1] ?? 0) > 0);
  assert.deepEqual([both.judgeCallsHigh, both.judgeCost?.high], [24, (high[0] ?? 0) + (high[1] ?? 0)]);
  assert.match(
    planText(both, options),
    /16 calls of gpt-4o-mini\n.*\n +judge +at most 8 calls of other\n.*\n +judges' cost +\$0\.0000 to /,
  );
  const unknown = planText(
    await describePlan({ ...options, judges: [judge, { ...second, price: null }] }),
    options,
  );
  assert.match(unknown, /judge cost +unknown: no price is known for other\n +judges' cost +unknown/);
});
