/** What a simulated model is known to do comes back from match and audit. */
import assert from "node:assert/strict";
import { openSimulated } from "../backends/simulated.ts";
import { parseVariants, pickVariant, type SimulatedVariant } from "../backends/variants.ts";
import type { Validity } from "../runs/experiment.ts";
import { type AuditRow, auditRows } from "./audit.ts";
import { auditSummary } from "./audit_summary.ts";
import { matchAnswer } from "../runs/match.ts";

const ANSWER = "in the blue sewing box";
const DEPTHS = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90];

/** A hundred rows of each of the lengths (10 depths, 10 trials), sent to a simulated model and audited. */
async function audited(fields: object, lengths: readonly number[]) {
  const spec = { backend: "simulated", description: "d", contextWindow: 1_000_000, ...fields };
  const variant = pickVariant(parseVariants(JSON.stringify({ variants: { s: spec } }), "m.json"), "s");
  await using backend = openSimulated(variant as SimulatedVariant);
  const tokenizer = await backend.tokenizer();
  const rows: AuditRow[] = [];
  for (const length of lengths) {
    for (const depth of DEPTHS) {
      for (let trial = 0; trial < 10; trial++) {
        const filler = (n: number) => "The keeper wrote a line. ".repeat(Math.max(0, Math.round(n * 3 / 25)));
        const content = filler(length * depth / 100) + `Trial ${trial}: it lies ${ANSWER}. ` +
          filler(length * (1 - depth / 100));
        const messages = [{ role: "user" as const, content }];
        const maxTokens = 64;
        const oracle = { answer: ANSWER, evidence: ANSWER, length, depth: depth / 100 };
        const answer = await backend.generate({ messages, maxTokens, oracle });
        rows.push({
          id: `${length}/${depth}/${trial}`,
          length,
          depth,
          skip: null,
          token_count: tokenizer.countMessages(messages),
          prompt_tokens_reported: answer.usage.promptTokens,
          completion_tokens: answer.usage.completionTokens,
          maxTokens,
          finish_reason: answer.finishReason,
          output: answer.text,
          error: null,
          correct: matchAnswer(answer.text, [ANSWER]).index >= 0,
        });
      }
    }
  }
  const classes = auditRows(rows, { tokenizerExact: tokenizer.exact });
  return rows.map((row, i) => ({ ...row, validity: classes[i]?.validity ?? null }));
}

for (
  const [mode, expected] of [["loop", "degenerate"], ["pad", "degenerate"], ["refuse", "refused"]] as [
    string,
    Validity,
  ][]
) {
  Deno.test(`auditRows() classes at least 99 of 100 simulated rows of mode ${mode} as ${expected}`, async () => {
    const rows = await audited({ mode }, [500]);
    assert.equal(rows.length, 100);
    const right = rows.filter((row) => row.validity === expected).length;
    assert.ok(right >= 99, `${right} of 100`);
  });
}

Deno.test("auditRows() classes at least 99 of 100 silently truncated simulated rows, and no whole one", async () => {
  const rows = await audited({ mode: "truncate", window: 1000 }, [500, 900, 2000]);
  const cut = rows.filter((row) => row.length === 2000);
  assert.ok(
    cut.some((row) => row.correct) && cut.some((row) => !row.correct),
    "the needle survives at some depths",
  );
  assert.ok(cut.filter((row) => row.validity === "truncated").length >= 99);
  assert.ok(rows.filter((row) => row.length < 2000).every((row) => row.validity === "correct"));
  const summary = auditSummary(rows);
  assert.equal(summary.valid.estimate, 1, "no rot is left");
  assert.equal(summary.lengths.at(-1)?.depthStep, "front");
});

Deno.test("auditRows() leaves the simulated decay alone: correct, wrong or nothing else", async () => {
  const rows = await audited({ mode: "decay" }, [500, 2000]);
  assert.ok(rows.every((row) => row.validity === (row.correct ? "correct" : "wrong")));
});
