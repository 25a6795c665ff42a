import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../../base/testing/any_text.ts";
import { visibleParts } from "./visible.ts";

Deno.test("visibleParts() shows a sign for what steers a terminal, turns direction or hides", () => {
  assert.deepEqual(visibleParts("a\x1b[31m\u202Eb\u200B\0\uD800c\n"), [
    { text: "a" },
    { text: "␛", sign: "U+001B" },
    { text: "[31m" },
    { text: "U+202E", sign: "U+202E" },
    { text: "b" },
    { text: "U+200B", sign: "U+200B" },
    { text: "␀", sign: "U+0000" },
    { text: "U+D800", sign: "U+D800" },
    { text: "c\n" },
  ]);
  assert.deepEqual(visibleParts("שלום 👩‍👧 नमस्ते"), [{ text: "שלום 👩‍👧 नमस्ते" }]);
});

Deno.test("visibleParts() loses nothing, whatever the text", () => {
  fc.assert(fc.property(anyText(), (text) => {
    const again = visibleParts(text).map(({ text, sign }) =>
      sign === undefined ? text : String.fromCodePoint(parseInt(sign.slice(2), 16))
    ).join("");
    assert.equal(again, text);
  }));
});
