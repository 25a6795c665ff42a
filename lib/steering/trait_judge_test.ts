import assert from "node:assert/strict";
import { parseScore, traitQuestion, traitScore } from "./trait_judge.ts";

Deno.test("parseScore() reads a whole number from 0 to 100 and refuses everything else", () => {
  for (
    const [reply, score] of [
      ["85", 85],
      [" 7.\n", 7],
      ["Score: 100", 100],
      ["**62**", 62],
      ["The score is 3", 3],
      ["90/100", 90],
      ["12%", 12],
    ] as const
  ) assert.equal(parseScore(reply), score, reply);
  for (const reply of ["", "101", "-5", "8.5", "between 20 and 30", "REFUSAL", "85 because it is 9"]) {
    assert.equal(parseScore(reply), null, reply);
  }
});

Deno.test("traitScore() weighs the numbers that the judge might have said", () => {
  const top = [["80", Math.log(0.5)], ["90", Math.log(0.25)], ["no", Math.log(0.25)]] as [string, number][];
  assert.deepEqual(traitScore({ output: "80", logprobs: [["80", -0.7]], top_logprobs: [top] }), {
    score: (80 * 0.5 + 90 * 0.25) / 0.75,
    how: "weighted",
  });
});

Deno.test("traitScore() takes the number said where there are no log-probabilities, or they are of single digits", () => {
  assert.deepEqual(traitScore({ output: "80" }), { score: 80, how: "parsed" });
  const digits = { output: "85", logprobs: [["8", -0.1], ["5", -0.1]] as [string, number][] };
  const top_logprobs = [[["8", -0.1], ["9", -2]], [["5", -0.1]]] as [string, number][][];
  assert.deepEqual(traitScore({ ...digits, top_logprobs }), { score: 85, how: "parsed" });
  const unlikely = [[["85", Math.log(0.1)], ["I", Math.log(0.9)]]] as [string, number][][];
  assert.deepEqual(traitScore({ output: "85", logprobs: [["85", -2.3]], top_logprobs: unlikely }), {
    score: 85,
    how: "parsed",
  });
  assert.equal(traitScore({ output: "very much" }), null);
});

Deno.test("traitQuestion() shows rubric, question and answer, or fills the trait's own prompt in once", () => {
  const [message] = traitQuestion({ definition: "Hedges." }, "Is it far?", "Perhaps.");
  for (const part of ["Hedges.", "Is it far?", "Perhaps."]) assert.ok(message?.content.includes(part));
  const own = { definition: "", evalPrompt: "Q {question} A {answer}" };
  assert.equal(traitQuestion(own, "why {answer}", "$& so")[0]?.content, "Q why {answer} A $& so");
});
