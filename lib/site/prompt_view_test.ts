import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../base/testing/any_text.ts";
import { promptView, textParts } from "./prompt_view.ts";

Deno.test("textParts() marks a passage wherever it stands alone", () => {
  const parts = textParts("apple apple apples apple", [{ text: "apple", label: "base" }, {
    text: "apples",
    label: "other",
  }]);
  assert.deepEqual(
    parts.filter((part) => "mark" in part).map((part) => "mark" in part && [part.mark, part.text]),
    [
      ["base", "apple"],
      ["base", "apple"],
      ["other", "apples"],
      ["base", "apple"],
    ],
  );
});

Deno.test("textParts() leaves out the middle of long stretches and says how much", () => {
  const text = "a".repeat(50_000) + " the needle " + "b".repeat(50_000);
  const parts = textParts(text, [{ text: "the needle", label: "needle" }]);
  assert.deepEqual(parts.map((part) => "cut" in part ? "cut" : part.mark ?? part.text.length), [
    1200,
    "cut",
    500,
    "needle",
    500,
    "cut",
    1200,
  ]);
});

Deno.test("textParts() loses nothing but what it counts, whatever the text and the passages", () => {
  const piece = fc.oneof(
    anyText(20),
    fc.constantFrom("needle", "😀".repeat(3000), "word ".repeat(900)),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 5 }),
      fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }),
      (pieces, passages) => {
        const text = pieces.join("");
        const parts = textParts(
          text,
          ["needle", ...passages].map((passage) => ({ text: passage, label: "p" })),
        );
        let at = 0;
        for (const part of parts) {
          if ("cut" in part) at += part.cut;
          else {
            assert.equal(text.slice(at, at + part.text.length), part.text);
            at += part.text.length;
          }
        }
        assert.equal(at, text.length);
      },
    ),
  );
});

Deno.test("promptView() marks the evidence of a prompt that names no passages, in the prefix too", () => {
  const view = promptView({
    messages: [{ role: "user", content: "x FACT y" }],
    prefix: "So FACT",
    oracle: { answer: "", evidence: "FACT", length: 1 },
  });
  assert.deepEqual(view.messages[0]?.parts, [{ text: "x " }, { text: "FACT", mark: "evidence" }, {
    text: " y",
  }]);
  assert.deepEqual(view.prefix, [{ text: "So " }, { text: "FACT", mark: "evidence" }]);
});
