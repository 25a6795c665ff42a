import assert from "node:assert/strict";
import { makeNeedle, NEEDLE_KINDS } from "./needles.ts";
import { createRandom } from "../base/random.ts";
import { correctnessQuestion, distractorQuestion, parseCorrectness, parseDistractor } from "./niah_judge.ts";
import { matchAnswer } from "../runs/match.ts";

Deno.test("parseCorrectness() takes the one word in any dress and nothing else", () => {
  for (const reply of ["true", " True.\n", '"TRUE"', "**true**"]) assert.equal(parseCorrectness(reply), true);
  assert.equal(parseCorrectness("false"), false);
  for (const reply of ["", "true or false", "not true", "yes", "The answer is true"]) {
    assert.equal(parseCorrectness(reply), null, reply);
  }
});

Deno.test("parseDistractor() takes a number in range and nothing else", () => {
  assert.equal(parseDistractor(" 2.", 4), 2);
  assert.equal(parseDistractor("-1", 4), -1);
  for (const reply of ["4", "-2", "2 or 3", "none", ""]) assert.equal(parseDistractor(reply, 4), null, reply);
});

Deno.test("questions to the judge hold needle, question and answer, and number the distractors from 0", () => {
  const needle = makeNeedle("low-overlap");
  const correct = correctnessQuestion(needle, "a whistle")[0]?.content ?? "";
  for (const part of [needle.question, needle.needle, needle.answer, "a whistle"]) {
    assert.ok(correct.includes(part));
  }
  const which = distractorQuestion(needle, 2, "a whistle")[0]?.content ?? "";
  assert.ok(which.includes(`1: ${needle.distractors[1]?.text}`));
  assert.ok(!which.includes(needle.distractors[2]?.text ?? "?"));
});

for (const kind of NEEDLE_KINDS) {
  Deno.test(`makeNeedle() of ${kind} can be answered from its sentences and not from its distractors`, () => {
    const needles = [
      makeNeedle(kind),
      ...Array.from({ length: 200 }, (_, i) => makeNeedle(kind, createRandom(i))),
    ];
    for (const needle of needles) {
      const sentences = [needle.needle, ...needle.hops].join(" ");
      assert.ok(matchAnswer(sentences, [needle.answer]).index >= 0, sentences);
      assert.equal(matchAnswer(needle.question, [needle.answer]).index, -1, needle.question);
      assert.equal(needle.distractors.length, 4);
      for (const { text, answer } of needle.distractors) {
        assert.equal(matchAnswer(text, [needle.answer]).index, -1, text);
        assert.ok(matchAnswer(text, [answer]).index >= 0, text);
      }
    }
  });
}

Deno.test("makeNeedle() of low-overlap shares no word with its question but the name", () => {
  const words = (text: string) => new Set(text.toLowerCase().match(/[a-z]{3,}/g));
  const needle = makeNeedle("low-overlap");
  const shared = [...words(needle.needle)].filter((word) => words(needle.question).has(word));
  assert.deepEqual(shared, ["odalys"]);
});
