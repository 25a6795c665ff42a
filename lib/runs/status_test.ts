import assert from "node:assert/strict";
import { openAttempts } from "./attempts.ts";
import { planHash } from "./plan_hash.ts";
import { writePlanFile } from "./plan_file.ts";
import { runFiles } from "./run_files.ts";
import { statusDashboard, statusLine } from "./status.ts";
import { attemptFor, rowsNamed, testIdentity } from "./testing.ts";

Deno.test("statusDashboard() shows every experiment and variant, and how to resume", async () => {
  const results = await Deno.makeTempDir();
  const rows = rowsNamed(88);
  for (const [variant, done] of [["pocket", 88], ["gpt-oss-120b", 45]] as const) {
    const identity = { ...testIdentity, variant, plan: planHash(rows), rows: 88 };
    const files = runFiles({ results, experiment: "niah", variant, test: false });
    await writePlanFile(files.plan, { identity, config: {}, sampling: {}, tokenizer: "words", rows });
    using store = await openAttempts(files.attempts, identity);
    for (const row of rows.slice(0, done)) store.append(attemptFor(row.id));
    store.append(attemptFor("of another plan"));
  }
  await Deno.writeTextFile(
    `${results}/.workflow_state.json`,
    '{"niah":{"pocket":{"inference":true,"evaluation":true,"visualization":true}}}',
  );
  const options = {
    results,
    test: false,
    experiments: [{ name: "niah", title: "NIAH" }, { name: "longmemeval", title: "LongMemEval" }],
    variants: ["pocket", "gpt-oss-120b"],
  };
  const body = `Workflow Status Dashboard
========================================

NIAH:
  pocket        ✓ complete (88/88)
  gpt-oss-120b  ⧗ in progress (45/88)

LongMemEval:
  pocket        ✗ not started
  gpt-oss-120b  ✗ not started`;
  const rule = "========================================";
  assert.equal(await statusDashboard(options), `${rule}\n${body}`);
  assert.equal(
    await statusDashboard({ ...options, interrupted: true, resume: "deno task niah" }),
    `${rule}\nWorkflow interrupted! Progress saved.\n${rule}\n\n${body}\n\nTo resume, re-run: deno task niah`,
  );
  await Deno.remove(results, { recursive: true });
});

Deno.test("statusLine() says what is left of a run whose rows are all done", () => {
  const status = { total: 40, done: 40, errors: 0, skipped: 48, parts: null, spentUsd: 0 };
  assert.equal(
    statusLine(status, { inference: true }),
    "⧗ in progress (40/40, 48 skipped, evaluation and visualization to do)",
  );
  assert.equal(
    statusLine(status, { evaluation: true, visualization: true }),
    "✓ complete (40/40, 48 skipped)",
  );
  assert.equal(statusLine({ ...status, done: 38, errors: 2 }), "⧗ in progress (38/40, 2 errors, 48 skipped)");
  const parts = { focused: { total: 20, done: 20 }, full: { total: 20, done: 1 } };
  assert.equal(
    statusLine({ ...status, done: 21, parts }),
    "⧗ in progress (focused: 20/20, full: 1/20, 48 skipped)",
  );
});
