import assert from "node:assert/strict";
import fc from "fast-check";
import { textSimilarity } from "./similarity.ts";

Deno.test("textSimilarity() is one less the edits over the longer length, and exact for bare labels", () => {
  assert.equal(textSimilarity("kitten", "sitting").toFixed(6), (1 - 3 / 7).toFixed(6));
  assert.equal(textSimilarity(" same\n", "same"), 1);
  assert.equal(textSimilarity("", ""), 1);
  assert.equal(textSimilarity("", "x"), 0);
  assert.equal(textSimilarity("0", "1"), 0);
  assert.equal(textSimilarity("1", "1 because"), 0);
});

Deno.test("textSimilarity() is symmetric, between 0 and 1, and 1 for equal texts alone", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    const found = textSimilarity(a, b);
    assert.ok(found >= 0 && found <= 1);
    assert.equal(found, textSimilarity(b, a));
    assert.equal(found === 1, a.trim() === b.trim());
  }));
});
