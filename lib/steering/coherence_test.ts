import assert from "node:assert/strict";
import { type CoherenceMeasures, coherenceOf, compression, repetition } from "./coherence.ts";

const TEXT =
  "The ferry leaves the harbour at nine. Mira carries two boxes of pears to the market, and her brother counts the " +
  "coins twice before he closes the drawer and goes home along the river.";
const measured = (text: string, nll: number | null): CoherenceMeasures => ({
  nll,
  repetition: repetition(text),
  compression: compression(text),
});
const plain = measured(TEXT, 0.5);
const scale = { text: 0.5, salad: 6.5 };

Deno.test("repetition() is 0 for a text that says everything once, and near 1 for a loop", () => {
  assert.equal(repetition(TEXT), 0);
  assert.ok(repetition("very good ".repeat(30)) > 0.9);
  assert.equal(repetition("yes yes yes"), 0);
});

Deno.test("compression() tells a loop from a text", () => {
  assert.ok(compression(TEXT) < 2);
  assert.ok(compression("pear ".repeat(60)) > 10);
  assert.equal(compression("pear ".repeat(4)), 1);
});

Deno.test("coherenceOf() names what is wrong with an answer", () => {
  const fault = (text: string, nll: number | null) =>
    coherenceOf(text, measured(text, nll), plain, scale).fault;
  assert.equal(fault(TEXT, 0.6), null);
  assert.equal(fault(TEXT, 3.4), null);
  assert.equal(fault(TEXT, 3.6), "unlikely");
  assert.equal(fault("  \n", null), "empty");
  assert.equal(fault("<pad><pad><pad>", 0.1), "empty");
  assert.equal(fault("very good ".repeat(30), 0.1), "repeats");
  assert.equal(fault("abcd".repeat(60), 0.1), "compresses");
});

Deno.test("coherenceOf() does not hold against a steering what the unsteered model does too", () => {
  const loop = "very good ".repeat(30);
  const same = measured(loop, 0.1);
  assert.equal(coherenceOf(loop, same, same, scale).coherent, true);
});

Deno.test("coherenceOf() leaves likelihood out when the model cannot tell text from shuffled words", () => {
  const away = measured(TEXT, 9);
  assert.equal(coherenceOf(TEXT, away, plain, { text: 0.5, salad: 0.6 }).coherent, true);
  assert.equal(coherenceOf(TEXT, away, plain, null).coherent, true);
  assert.equal(coherenceOf(TEXT, away, plain, null).deltaNll, 8.5);
});
