import assert from "node:assert/strict";
import { planTable } from "./plan_table.ts";
import type { PlanDescription } from "./plan_text.ts";

const plan: PlanDescription = {
  rows: 88,
  done: 10,
  todo: 34,
  retried: 0,
  cached: null,
  skipped: { window: 44 },
  promptTokens: 1_234_567,
  outputTokensLow: 680,
  outputTokensHigh: 69_632,
  cost: { low: 1.25, high: 2 },
  judgeCallsHigh: 44,
  judgeCost: { low: 0, high: 0.5 },
  judges: [],
  minutesLow: 6,
  minutesHigh: 7,
};

Deno.test("planTable() gives every run a line and sums them up", () => {
  const free = { ...plan, cost: { low: 0, high: 0 }, judgeCost: { low: 0, high: 0 }, judgeCallsHigh: 0 };
  const text = planTable([
    { experiment: "niah", variant: "gpt-oss-20b", plan },
    { experiment: "repeated-words-apple-apples", variant: "gpt-oss-20b", plan: { ...free, cached: 4 } },
  ]);
  const [head = "", first = "", second = "", total = ""] = text.split("\n");
  assert.match(
    head,
    /^experiment +variant +rows +done +cached +skipped +to send +prompt tokens +output tokens/,
  );
  assert.match(
    first,
    /^niah +gpt-oss-20b +88 +10 +- +44 +34 +1,234,567 +680 to 69,632 +up to 44 +\$1\.25 to \$2\.50 +6 min/,
  );
  assert.match(
    second,
    /^repeated-words-apple-apples +gpt-oss-20b +88 +10 +4 .* 0 +\$0\.0000 +6 min 00 s to 7 min 00 s$/,
  );
  assert.match(
    total,
    /^total +176 +20 +4 +88 +68 +2,469,134 +1,360 to 139,264 +up to 44 +\$1\.25 to \$2\.50 +12 min 00 s to 14/,
  );
  assert.equal(
    new Set(text.split("\n").map((line) => line.indexOf("gpt-oss-20b")).filter((at) => at > 0)).size,
    1,
  );
});

Deno.test("planTable() says what is unknown, and that a sum without it is a lower bound", () => {
  const unknown = { ...plan, cost: null, minutesLow: null, minutesHigh: null };
  const lines = planTable([
    { experiment: "niah", variant: "a", plan },
    { experiment: "niah", variant: "b", plan: unknown },
    { experiment: "niah", variant: "c", plan: { ...unknown, todo: 0 } },
  ]).split("\n");
  assert.match(lines[2] ?? "", /unknown +no limit$/);
  assert.match(lines[3] ?? "", /unknown +none$/);
  assert.match(lines[4] ?? "", /at least \$1\.25 to \$2\.50 +at least 6 min 00 s to 7 min 00 s$/);
  assert.equal(
    planTable([{ experiment: "niah", variant: "a", plan }]).split("\n").length,
    2,
    "one run is its own total",
  );
});
