import assert from "node:assert/strict";
import fc from "fast-check";
import { cutsAt, splitSentences } from "./sentences.ts";

const texts = (text: string) => splitSentences(text).map((span) => span.text);

Deno.test("splitSentences() cuts behind end marks and at blank lines when space follows", () => {
  assert.deepEqual(
    texts("First I add 3.5 and 4.5. That gives eight!\nIs it right? Let me see:\n\n- the sum\nis eight"),
    ["First I add 3.5 and 4.5.", "That gives eight!", "Is it right?", "Let me see:", "- the sum\nis eight"],
  );
});

Deno.test("splitSentences() gives short pieces to the next, the last one to the one before", () => {
  assert.deepEqual(texts("Hmm. So. The sum is eight. Ok."), ["Hmm. So. The sum is eight. Ok."]);
  assert.deepEqual(texts("Hmm.\n\nThe sum is eight. And that is all. Ok."), [
    "Hmm.\n\nThe sum is eight.",
    "And that is all. Ok.",
  ]);
  assert.deepEqual(texts("  Ok. "), ["Ok."]);
  assert.deepEqual(texts(" \n\n "), []);
  // Ten characters are enough, and a character is a code point.
  assert.deepEqual(texts("Yes it is. No it isnt."), ["Yes it is.", "No it isnt."]);
  assert.deepEqual(texts("😀😀😀😀😀😀. And so it goes."), ["😀😀😀😀😀😀. And so it goes."]);
});

Deno.test("splitSentences() gives slices in order with white space alone between them for any text", () => {
  const piece = fc.constantFrom(
    "a",
    ".",
    "?",
    "!",
    " ",
    "\n",
    "\n\n",
    "word",
    "3.5",
    "a longer piece of text",
    "\t",
    "😀",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (parts) => {
    const text = parts.join("");
    const spans = splitSentences(text);
    let at = 0;
    for (const [i, span] of spans.entries()) {
      assert.equal(span.index, i);
      assert.equal(text.slice(span.start, span.end), span.text);
      assert.equal(text.slice(at, span.start).trim(), "");
      assert.equal(span.text.trim(), span.text);
      assert.ok(spans.length === 1 || [...span.text].length >= 10);
      const cut = cutsAt(spans, i);
      assert.equal(text.slice(0, cut.included).trimEnd().length, cut.included);
      assert.equal(cut.excluded, i === 0 ? 0 : spans[i - 1]?.end);
      at = span.end;
    }
    assert.equal(text.slice(at).trim(), "");
    // Cutting a chain at a sentence's end leaves the sentences before it as they were.
    const half = spans[Math.floor(spans.length / 2)];
    if (half !== undefined && spans.length > 1) {
      assert.deepEqual(splitSentences(text.slice(0, half.end)), spans.slice(0, half.index + 1));
    }
  }));
});

Deno.test("splitSentences() is quick on a long text without an end, and cutsAt() refuses a missing sentence", () => {
  const started = performance.now();
  assert.equal(splitSentences("\n ".repeat(200_000) + "a".repeat(400_000)).length, 1);
  // Six dots and five spaces each; the last two dots join the sentence before.
  assert.equal(splitSentences(". ".repeat(200_000)).length, 33_333);
  assert.ok(performance.now() - started < 4000);
  assert.throws(() => cutsAt(splitSentences("One sentence alone."), 1), RangeError);
});
