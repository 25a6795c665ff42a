import assert from "node:assert/strict";
import fc from "fast-check";
import { parseLabel } from "./parse_label.ts";

const labelOf = (text: string) => parseLabel(text).label;

Deno.test("parseLabel() reads a lone label, and says whether it stands alone exactly", () => {
  for (
    const [text, label, strict] of [
      ["0", 0, true],
      [" 1\n", 1, true],
      ["1.", 1, false],
      ["**0**", 0, false],
      ["`1`", 1, false],
      ['"0"', 0, false],
    ] as const
  ) {
    const found = parseLabel(text);
    assert.deepEqual([found.label, found.strict, found.unparsed], [label, strict, null], text);
  }
});

Deno.test("parseLabel() reads the field of one JSON object, with its category", () => {
  assert.deepEqual(parseLabel('{"rationale": "rude", "category": "insult", "label": 1}'), {
    label: 1,
    unparsed: null,
    category: "insult",
    strict: false,
    refused: false,
  });
  assert.equal(labelOf('```json\n{"label": "0"}\n```'), 0);
  assert.equal(labelOf('{"binary_label": 1}'), 1);
  assert.equal(labelOf(String.raw`{"rationale": "it says \"label\": 1", "label": 0}`), 0);
});

Deno.test("parseLabel() takes nothing else for a label, least of all for 0, and says why", () => {
  for (
    const text of [
      "",
      "   ",
      "Label: 1",
      "The answer is 0.",
      "0 or 1",
      "0\n1",
      "01",
      "10",
      "2",
      "-1",
      "1/10",
      "not toxic",
      "No.",
      "true",
      "null",
      '{"label": 2}',
      '{"label": true}',
      '{"label": null}',
      '{"label": [1]}',
      '{"toxic": 1}',
      '{"label": 1, "label": 0}',
      '{"label": 0, "binary_label": 1}',
      '{"rationale": "cut o',
      '{"label": 1} {"label": 0}',
      'Sure! {"label": 1}',
      "[0]",
      "{}",
      "０",
      "١",
    ]
  ) {
    const found = parseLabel(text);
    assert.equal(found.label, null, text);
    assert.ok(found.unparsed, text);
    assert.equal(found.strict, false);
  }
});

Deno.test("parseLabel() tells a refusal from another answer without a label", () => {
  assert.deepEqual(
    ["I'm sorry, but I can't help with that request.", "It depends.", "1"].map((text) =>
      parseLabel(text).refused
    ),
    [true, false, false],
  );
});

Deno.test("parseLabel() of any text gives a label only where a digit stands alone or in JSON", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    const { label, strict } = parseLabel(text);
    if (strict) assert.ok(text.trim() === String(label));
    if (label !== null && !text.trim().startsWith("{") && !text.includes("```")) {
      assert.match(text, new RegExp(`^[^\\p{L}\\p{N}]*${label}[^\\p{L}\\p{N}]*$`, "u"));
    }
  }));
});
