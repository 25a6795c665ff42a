import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { isAbstention, isRefusal, MATCH_LIMIT, matchAnswer, matchWords } from "./match.ts";

const holds = (output: string, ...answers: string[]) => matchAnswer(output, answers).index >= 0;

Deno.test("matchAnswer() finds the answer restated in a sentence, whatever its dress", () => {
  const cases: [string, string][] = [
    ["The best thing to do is to EAT A SANDWICH, and sit in the park!", "eat sandwich and sit in the park"],
    ["**Zürich**", "zurich"],
    ["ＰＡＲＩＳ", "Paris"],
    ["It cost $1,250,000 in all", "1250000"],
    ["about 3.5 km", "3.5"],
    ["Straße 9", "strasse"],
    ["Paul's dog", "paul"],
    ["答えは東京です", "東京"],
    ["line one\n\tmagic   number:\n42.", "magic number 42"],
    ["The answer is A.", "A"],
  ];
  for (const [output, answer] of cases) assert.ok(holds(output, answer), `${output} / ${answer}`);
});

Deno.test("matchAnswer() takes whole words only", () => {
  const cases: [string, string][] = [
    ["apples", "apple"],
    ["pineapple", "apple"],
    ["35", "3.5"],
    ["3.55", "3.5"],
    ["1250", "125"],
    ["1,2,3", "123"],
    ["sandwich eat", "eat sandwich"],
    ["", "anything"],
    ["西京", "東京"],
  ];
  for (const [output, answer] of cases) assert.ok(!holds(output, answer), `${output} / ${answer}`);
});

Deno.test("matchAnswer() tells which answer comes first and whether it ends the output", () => {
  assert.deepEqual(matchAnswer("blue, later red.", ["red", "blue"]), { index: 1, atEnd: false });
  assert.deepEqual(matchAnswer("It is red", ["red", "blue"]), { index: 0, atEnd: true });
  assert.deepEqual(matchAnswer("green", ["red", "blue"]), { index: -1, atEnd: false });
});

Deno.test("matchAnswer() refuses an answer without a letter or digit", () => {
  assert.throws(() => matchAnswer("x", ["?!"]), InputError);
});

Deno.test("matchAnswer() finds any words planted in any text", () => {
  const word = fc.stringMatching(/^[a-z]{2,8}$/).filter((w) => !["an", "the"].includes(w));
  fc.assert(fc.property(
    fc.string({ unit: "grapheme" }),
    fc.array(word, { minLength: 1, maxLength: 5 }),
    fc.string({ unit: "grapheme" }),
    (before, words, after) => {
      assert.ok(holds(`${before} . ${words.join(", ")} . ${after}`, words.join(" ")));
    },
  ));
});

Deno.test("matchWords() is the same for its own result", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const once = matchWords(text).join(" ");
    assert.equal(matchWords(once).join(" "), once);
  }));
});

Deno.test("isAbstention() knows the common ways to say that it is not there", () => {
  for (
    const output of [
      "The document does not mention this.",
      "I couldn't find any information about that in the text.",
      "There is no mention of a password.",
      "This isn't specified in the provided document.",
      "I don't know.",
      "Unknown",
      "N/A",
      "It cannot be determined from the context.",
      "I'm sorry, but I cannot find the answer in the document.",
      "I cannot answer this question based on the given text.",
      "The text doesn't explicitly say.",
      "Not mentioned.",
    ]
  ) {
    assert.ok(isAbstention(output), output);
    assert.ok(!isRefusal(output), output);
  }
});

Deno.test("isRefusal() knows the common refusals", () => {
  for (
    const output of [
      "I'm sorry, but I can't help with that.",
      "I can’t assist with that request.",
      "I cannot comply with this request.",
      "As an AI language model, I am unable to do so.",
      "I must decline.",
      "I won't provide that.",
      "I'm sorry, but I cannot fulfil this.",
      "That goes against my guidelines.",
    ]
  ) assert.ok(isRefusal(output), output);
});

Deno.test("isAbstention() and isRefusal() leave plain answers alone", () => {
  for (
    const output of [
      "Eat a sandwich in Dolores Park.",
      "42",
      "The answer is blue, as the keeper of the lighthouse said.",
      "You should start writing every week.",
      "He could not wait, so he left on Tuesday.",
      "Northern Norway",
    ]
  ) assert.ok(!isAbstention(output) && !isRefusal(output), output);
});

Deno.test("matching takes linear time on 10 MB of hostile output", () => {
  const hostile = [
    "cannot ".repeat(1_500_000),
    "1,".repeat(5_000_000),
    "\u0301".repeat(5_000_000),
    " ".repeat(1e7),
  ];
  hostile.push("ﷺ".repeat(3_000_000), "as an ai ".repeat(1_200_000), "東".repeat(3_000_000));
  const start = performance.now();
  for (const output of hostile) {
    matchAnswer(output, ["the needle", "1"]);
    isAbstention(output);
    isRefusal(output);
  }
  assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
});

Deno.test("matchAnswer() looks at the beginning only", () => {
  assert.ok(holds(`needle ${"x ".repeat(MATCH_LIMIT)}`, "needle"));
  assert.ok(!holds(`${"x ".repeat(MATCH_LIMIT)} needle`, "needle"));
});
