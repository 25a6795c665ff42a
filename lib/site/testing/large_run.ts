/**
 * The files of a run with many rows, some of them hostile, for tests of pages.
 * @module
 */
import { join } from "node:path";
import { openAttempts } from "../../runs/attempts.ts";
import { writeEvaluatedCsv } from "../../runs/csv.ts";
import type { Attempt, GradedRow, Row } from "../../runs/experiment.ts";
import { writePlanFile } from "../../runs/plan_file.ts";
import { attemptFor } from "../../runs/testing.ts";

/** What models must not get a page to do. */
export const HOSTILE_OUTPUTS: readonly string[] = [
  "<script>globalThis.hacked = 1</script><img src=x onerror='globalThis.hacked = 1'>",
  "</script></pre></textarea><svg onload='globalThis.hacked = 1'>",
  "\x1b[2J\x1b[31mred\x1b[0m \x07\x00 end",
  "safe \u202Etxt.exe\u2066 \u200F\uFEFF end",
  "\u2028\u2029 ]]> --> ${globalThis.hacked = 1} `",
  "x".repeat(10_000_000),
];

/** Writes a finished run called `large_many` of `count` rows; the first rows answer {@linkcode HOSTILE_OUTPUTS}, then bytes that are no UTF-8. */
export async function writeLargeRun(results: string, count: number): Promise<void> {
  const identity = {
    experiment: "many",
    variant: "large",
    model: "large",
    mode: "full" as const,
    plan: "p",
    rows: count,
    shard: null,
  };
  const rows = Array.from({ length: count }, (_, i): Row => ({
    id: `row${String(i).padStart(6, "0")}`,
    params: { length: 100 * (i % 10), depth: i % 7, question: `Question ${i} <b>of</b> many` },
    recipe: { i },
    tokens: 100,
    maxTokens: 10,
    skip: null,
  }));
  const path = (ending: string) => join(results, `large_many_${ending}`);
  await Deno.mkdir(results, { recursive: true });
  await writePlanFile(path("plan.json"), {
    identity,
    config: { seed: 7 },
    sampling: {},
    tokenizer: "words",
    rows,
  });
  const attempts = rows.map(({ id }, i): Attempt => ({
    ...attemptFor(id),
    output: HOSTILE_OUTPUTS[i] ?? `answer ${i}`,
  }));
  const graded = rows.map((row, i): GradedRow => {
    const correct = i % 3 === 0;
    const output = attempts[i]?.output.slice(0, 1000) ?? "";
    return {
      row,
      attempt: { ...attempts[i] as Attempt, output },
      attempts: 1,
      grade: {
        validity: correct ? "correct" : "wrong",
        correct,
        judge: "match",
        judge_output: output,
        extra: { why: output },
      },
    };
  });
  {
    using store = await openAttempts(path("attempts.jsonl"), identity, { log: () => {} });
    for (const attempt of attempts) store.append(attempt);
    const broken = JSON.stringify({
      ...attempts[HOSTILE_OUTPUTS.length],
      id: "not-planned",
      attempt: 1,
      output: "@",
    });
    const [before = "", after = ""] = broken.split("@");
    const bytes = [
      new TextEncoder().encode(before),
      new Uint8Array([0xff, 0xc3, 0x28]),
      new TextEncoder().encode(`${after}\n`),
    ];
    for (const piece of bytes) await Deno.writeFile(path("attempts.jsonl"), piece, { append: true });
  }
  await writeEvaluatedCsv(path("evaluated.csv"), graded);
}
