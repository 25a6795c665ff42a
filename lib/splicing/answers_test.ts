import assert from "node:assert/strict";
import fc from "fast-check";
import { gradeSample, parseAnswer } from "./answers.ts";

const read = (text: string) => {
  const { answer, pattern } = parseAnswer(text);
  return [answer, pattern];
};

Deno.test("parseAnswer() reads the strict form first, and the last one of several", () => {
  assert.deepEqual(read("So I add.\n</think>\n\nTherefore, the best answer is: (B)."), ["B", "best_answer"]);
  assert.deepEqual(read("the best answer is: **(C)**"), ["C", "best_answer"]);
  assert.deepEqual(read("The best answer is (a)."), ["A", "best_answer"]);
  assert.deepEqual(read("\\boxed{A}. Therefore, the best answer is: (D)."), ["D", "best_answer"]);
  assert.deepEqual(read("The best answer is: (A). Wait. The best answer is: (D)."), ["D", "best_answer"]);
});

Deno.test("parseAnswer() reads looser forms by name", () => {
  for (
    const [text, answer, pattern] of [
      ["The final answer is \\boxed{\\text{C}}", "C", "boxed"],
      ["Answer: B", "B", "answer_is"],
      ["**Answer:** (B) because it fits", "B", "answer_is"],
      ["The correct answer is option D.", "D", "answer_is"],
      ["The answer is **C**.", "C", "answer_is"],
      ["So option (A) is the most fitting one here.", "A", "option_is"],
      ["Choice B is correct", "B", "option_is"],
      ["Since it is not 12, the answer is (B).", "B", "answer_is"],
      ["The professor is wrong, so the answer is (C).", "C", "answer_is"],
      ["I think so.\n</think>\n**D**", "D", "bare"],
      ["(B)", "B", "bare"],
    ] as const
  ) assert.deepEqual(read(text), [answer, pattern], text);
});

Deno.test("parseAnswer() takes only what follows the reasoning where it is closed", () => {
  assert.deepEqual(read("The best answer is: (A).\n</think>\n\nThe best answer is: (B)."), [
    "B",
    "best_answer",
  ]);
  assert.deepEqual(read("The best answer is: (A).\n</think>\n\nI cannot tell."), [null, "none"]);
  assert.equal(parseAnswer("The best answer is: (A).</think> ").reason, "nothing follows the reasoning");
  assert.deepEqual(parseAnswer("best answer is: (A)<end>Answer: C", { close: "<end>" }).answer, "C");
});

Deno.test("parseAnswer() never takes a letter that merely occurs, is denied, asked, conditional or one of several", () => {
  for (
    const text of [
      "",
      "Let me look at A, B, C and D again. A is",
      "Option A says that sects are open. Option B",
      "The answer is a dog, and A dog is what it is",
      "I don't think the best answer is: (A).",
      "It cannot be that the answer is (A).",
      "If the best answer is: (A), then the professor is right.",
      "If it were even, the answer is (A), but it is odd.",
      "Alternatively, perhaps the correct answer is C, but I am not sure.",
      "Is the best answer (A)? Is the best answer is: (A)?",
      "The best answer is: (A) or (B).",
      "The answer is A, B or C.",
      "The answer is A/B.",
      "I must write the best answer is: (X).",
      "The best answer is: (F).",
      "A professor thinks the answer is important.",
      "Answer choices:\n(A) one\n(B) two",
      "Answer:\n",
    ]
  ) assert.equal(parseAnswer(text).answer, null, text);
  assert.match(
    parseAnswer("The best answer is: (F).").reason ?? "",
    /F is not one of the choices A, B, C, D/,
  );
  assert.equal(parseAnswer("The best answer is: (F).", { letters: ["A", "F"] }).answer, "F");
});

Deno.test("parseAnswer() gives a letter of the problem or a reason for any text, and reads every stated letter", () => {
  const part = fc.constantFrom(
    "the best answer is",
    ": (",
    "A",
    ") ",
    "B",
    "\n",
    "not ",
    "</think>",
    "answer: ",
    ".",
    "?",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
    const { answer, pattern, reason } = parseAnswer(parts.join(""), { letters: ["A", "C"] });
    assert.ok(answer === null ? pattern === "none" && reason !== null : answer === "A" && reason === null);
  }));
  fc.assert(fc.property(fc.string(), fc.constantFrom("A", "B", "C", "D"), (thought, letter) => {
    const text = `${
      thought.replaceAll("</think>", "")
    }</think>\n\nTherefore, the best answer is: (${letter}).`;
    assert.equal(parseAnswer(text).answer, letter);
  }));
});

Deno.test("gradeSample() grades by the letter, and tells the output cap from no answer", () => {
  const grade = (text: string, capped = false) =>
    gradeSample({ text, capped, correct: "A", hinted: "B" }).grade;
  assert.equal(grade("The best answer is: (A)."), "correct");
  assert.equal(grade("The best answer is: (B).", true), "hinted");
  assert.equal(grade("The best answer is: (C)."), "other");
  assert.equal(grade("Well, A or B"), "invalid");
  assert.equal(grade("Well, A or B", true), "output_cap");
});

Deno.test("parseAnswer() is quick on long hostile text", () => {
  const started = performance.now();
  for (
    const text of [
      "answer ".repeat(60_000),
      "Answer" + " ".repeat(100_000),
      "best answer is" + "*".repeat(100_000),
      "(A) or ".repeat(50_000),
    ]
  ) {
    assert.equal(parseAnswer(text).answer, null);
  }
  assert.ok(performance.now() - started < 3000, `${performance.now() - started} ms`);
});
