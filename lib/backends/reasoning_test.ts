import assert from "node:assert/strict";
import fc from "fast-check";
import { beginTurn } from "./local_chat.ts";
import { closedTurn, openedTurn, reasoningIn, reasoningMarks, splitTurn } from "./reasoning.ts";
import { parseVariants, type Variant } from "./variants.ts";

function variantOf(fields: Record<string, unknown>): Variant {
  const base = { backend: "local", description: "d", model: "./m", contextWindow: 100 };
  const text = JSON.stringify({ variants: { m: { ...base, ...fields } } });
  return parseVariants(text, "models.json").get("m") as Variant;
}
const think = reasoningMarks(variantOf({}));

Deno.test("reasoningMarks() are R1's, Harmony's channels, or what models.json says", () => {
  assert.deepEqual(think, { open: "<think>\n", close: "\n</think>\n\n" });
  assert.match(reasoningMarks(variantOf({ format: "harmony" })).open, /analysis/);
  const own = { open: "[THINK]", close: "[/THINK]" };
  assert.deepEqual(reasoningMarks(variantOf({ reasoning: own })), own);
});

Deno.test("openedTurn() ends in no white space of its own", () => {
  assert.equal(openedTurn(think, ""), "<think>");
  assert.equal(openedTurn(think, "First."), "<think>\nFirst.");
  assert.equal(openedTurn(think, "\nFirst."), "<think>\nFirst.");
});

Deno.test("splitTurn() gives back what closedTurn() put together", () => {
  const text = fc.string().map((s) => s.replaceAll(/[<>]/g, "").trim()).filter((s) => s !== "");
  for (const marks of [think, reasoningMarks(variantOf({ format: "harmony" }))]) {
    fc.assert(fc.property(text, text, (reasoning, answer) => {
      assert.deepEqual(splitTurn(marks, closedTurn(marks, reasoning, answer)), { reasoning, answer });
    }));
  }
  assert.deepEqual(splitTurn(think, "Just (A)."), { reasoning: null, answer: "Just (A)." });
  for (const turn of ["<think>\nA.\n\nB.", "<think>\n\n A.", "<think> A."]) {
    const { reasoning } = splitTurn(think, `${turn}\n</think>\n\nC`);
    assert.equal(openedTurn(think, reasoning as string), turn, "no byte before the end is lost");
    assert.equal(reasoningIn(think, turn), reasoning);
  }
  assert.equal(splitTurn(think, "A.\n</think>\n\nC").reasoning, "A.", "a template may have opened it");
});

Deno.test("beginTurn() opens the reasoning once where the template has opened it", () => {
  assert.equal(beginTurn("user\nHi\nassistant\n", "<think>\nA"), "user\nHi\nassistant\n<think>\nA");
  assert.equal(beginTurn("<|Assistant|><think>\n", "<think>\nA"), "<|Assistant|><think>\nA");
  assert.equal(beginTurn("<|Assistant|><think>\n", "<think>"), "<|Assistant|><think>\n");
  assert.equal(beginTurn("<|Assistant|><think>\n", "so"), "<|Assistant|><think>\nso");
});
