import assert from "node:assert/strict";
import fc from "fast-check";
import { insertSentences, sentenceStarts, snapToSentence } from "./niah_prompt.ts";

Deno.test("sentenceStarts() finds starts after full stops, closing quotes and blank lines", () => {
  const text = 'One. Two? "Three!" Four\n\nFive 3.14 e.g.x';
  const words = sentenceStarts(text).map((at) => text.slice(at, at + 4));
  assert.deepEqual(words, ["One.", "Two?", '"Thr', "Four", "Five"]);
});

Deno.test("snapToSentence() gives the last start at or before the offset", () => {
  assert.equal(snapToSentence([0, 10, 20], 9), 0);
  assert.equal(snapToSentence([0, 10, 20], 10), 10);
  assert.equal(snapToSentence([0, 10, 20], 1000), 20);
  assert.equal(snapToSentence([0], 5), 0);
});

Deno.test("insertSentences() leaves the text whole and a space on both sides of what it puts in", () => {
  assert.equal(insertSentences("A b. C d.", [{ at: 5, text: "NEW." }]), "A b. NEW. C d.");
  assert.equal(insertSentences("A b.", [{ at: 0, text: "NEW." }]), "NEW. A b.");
  assert.equal(insertSentences("A b.", [{ at: 4, text: "NEW." }]), "A b. NEW.");
  assert.equal(insertSentences("", [{ at: 0, text: "NEW." }]), "NEW.");
  assert.equal(insertSentences("A. B.", [{ at: 3, text: "X." }, { at: 3, text: "Y." }]), "A. X. Y. B.");
});

Deno.test("insertSentences() loses no character of the text, whatever the places", () => {
  fc.assert(
    fc.property(
      fc.lorem({ maxCount: 8, mode: "sentences" }),
      fc.array(fc.nat(400), { maxLength: 5 }),
      (text, places) => {
        const starts = sentenceStarts(text);
        const insertions = places.map((p, i) => ({
          at: p > 300 ? text.length : snapToSentence(starts, p),
          text: `#${i}#.`,
        }));
        const out = insertSentences(text, insertions);
        const squeeze = (s: string) => s.replaceAll(/\s+/g, " ").trim();
        assert.equal(squeeze(out.replaceAll(/#\d#\./g, " ")), squeeze(text));
        for (const { text: t } of insertions) {
          assert.match(
            out,
            new RegExp(`(^|\\s)${t.replace(".", "\\.")}(\\s|$)`),
          );
        }
      },
    ),
  );
});
