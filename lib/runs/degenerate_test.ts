import assert from "node:assert/strict";
import fc from "fast-check";
import { degeneracy, findLoop, isRepetitive } from "./degenerate.ts";

const PROSE =
  "The keeper climbed the stair before dawn and lit the lamp, as he had done for nineteen years. " +
  "Nobody in the village asked him why; they only looked up, saw the light, and went on with their nets. " +
  "When the storm came he stayed awake for two nights and wrote down the names of the ships that passed.";

Deno.test("findLoop() finds the unit of a loop, cut anywhere", () => {
  fc.assert(fc.property(
    fc.stringMatching(/^[a-z ]{0,40}$/),
    fc.stringMatching(/^[a-z]{3,30}[.]$/),
    fc.integer({ min: 20, max: 200 }),
    fc.nat(30),
    (before, unit, repeats, cut) => {
      const text = `${before}${unit.repeat(repeats)}`;
      const loop = findLoop(text.slice(0, text.length - cut));
      assert.ok(loop, text);
      assert.equal(unit.length % loop.unit.length, 0);
    },
  ));
});

Deno.test("findLoop() leaves answers alone", () => {
  for (
    const text of [
      PROSE,
      "No, no, no.",
      "It is 1000000.",
      "yes yes",
      "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
      "",
    ]
  ) {
    assert.equal(findLoop(text), null, text);
  }
  assert.equal(findLoop(`${"the answer is blue. ".repeat(2)}`), null, "said twice is no loop");
});

Deno.test("degeneracy() names what is wrong", () => {
  const known: [string, RegExp][] = [
    ["", /empty/],
    [" \n\t", /empty/],
    ["<pad>".repeat(50), /pad/],
    ["The<pad><pad> <pad>", /pad/],
    ["[PAD]\n[PAD]\n[PAD]", /pad/],
    ["<|endoftext|>", /special/],
    ["\0\0\0\0", /pad/],
    ["<unused12><unused12><unused12>", /pad/],
    ["the ".repeat(20), /loop: "/],
    [`${PROSE} ${"I think it is blue. ".repeat(40)}`, /loop/],
    [`${"a b c d e f ".repeat(40)} and then he left.`, /repeats itself/],
  ];
  for (const [output, reason] of known) assert.match(degeneracy(output) ?? "fine", reason, output);
});

Deno.test("degeneracy() passes answers, even with a stray end token", () => {
  for (const text of [PROSE, "Paris</s>", "Paris<|im_end|>", "42", "x < y && y > z", "a|b|c"]) {
    assert.equal(degeneracy(text), null, text);
  }
});

Deno.test("isRepetitive() does not judge varied or short text", () => {
  assert.ok(!isRepetitive(PROSE.repeat(2)));
  assert.ok(!isRepetitive("a b c ".repeat(10)));
  assert.ok(isRepetitive(Array.from({ length: 200 }, (_, i) => `so it is so it is ${i % 7}`).join(" ")));
});

Deno.test("degeneracy() takes linear time on 10 MB of hostile output", () => {
  const hostile = ["a".repeat(1e7), "<pad".repeat(2_500_000), "\0 ".repeat(5_000_000), " ".repeat(1e7) + "x"];
  hostile.push(`${"a".repeat(5e6)}b`, "<|".repeat(5e6), "ab".repeat(5e6) + "c");
  const start = performance.now();
  for (const output of hostile) degeneracy(output);
  assert.ok(performance.now() - start < 3000, `${performance.now() - start} ms`);
});
