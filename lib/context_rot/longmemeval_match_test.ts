import assert from "node:assert/strict";
import fc from "fast-check";
import { matchMemory, type MemoryExpectation } from "./longmemeval_match.ts";

const match = (answer: string, output: string, more: Partial<MemoryExpectation> = {}) =>
  matchMemory(output, { type: null, abstention: false, question: "What is it?", answer, ...more }).right;

const RIGHT: readonly (readonly [answer: string, output: string])[] = [
  ["compass", "It is a compass."],
  ["3", "Three plants."],
  ["three", "3"],
  ["25", "Twenty-five minutes"],
  ["5.5 weeks", "Five and a half weeks."],
  ["We've met up twice.", "You have met up two times."],
  ["8 days.", "8 days"],
  ["8 days", "8"],
  ["3 weeks ago", "It was 3 weeks ago."],
  ["5 days. 6 days (including the last day) is also acceptable.", "6 days"],
  ["11 days (or 12 days, if both ends count)", "12 days."],
  ["25 minutes and 50 seconds (or 25:50)", "25:50"],
  ["Yes. (You have another one.)", "Yes, you do."],
  ["No, you did not.", "No, you did not."],
  ["my parents", "Your parents."],
  ["I signed a contract with my first client.", "You signed a contract with your first client."],
  ["9:00 AM", "9 AM"],
  ["5 March", "On March 5th, 2024."],
  ["March 5th", "on the 5th of March"],
  ["$2,500", "You spent $2,500 in all."],
  ["4", "You own four bikes: two for the road, one old one and one for the snow."],
  ["3", "3 (orange, lime and lemon)"],
  ["12", "It took 12 minutes because you left 5 minutes early."],
  ["2", "Of your 3 bikes, 2 are blue."],
  ["0", "You have not mentioned any trips."],
  ["none", "There is no mention of a trip."],
  ["the 'Walk for Hunger'", "You went to the Walk for Hunger, I believe."],
];
const OPEN: readonly (readonly [answer: string, output: string])[] = [
  ["3", "2"],
  ["3", "Between 3 and 5."],
  ["5", "3 goals and 2 assists"],
  ["2 months", "2 weeks"],
  ["apple", "Two apples."],
  ["1", "The first one that you bought."],
  ["Yes", "You do, yes."],
  ["February 1st", "Before February 1st."],
  ["February 1st", "February 2nd"],
  ["1", "On 1 February."],
  ["compass", "Not a compass."],
  ["compass", "You have not mentioned it."],
  ["compass", "The chats do not say; perhaps a compass."],
];

Deno.test("matchMemory() settles answers that say the expected words, however they are put", () => {
  for (const [answer, output] of RIGHT) {
    const question = output.includes("3 bikes") ? "How many of my 3 bikes are blue?" : "What is it?";
    assert.equal(match(answer, output, { question }), true, `${answer} | ${output}`);
  }
});

Deno.test("matchMemory() leaves open what words do not settle, and calls no answer wrong but an empty one", () => {
  for (const [answer, output] of OPEN) assert.equal(match(answer, output), null, `${answer} | ${output}`);
  for (const empty of ["", " \n", "..."]) assert.equal(match("compass", empty), false);
});

Deno.test("matchMemory() leaves an answer open that repeats the other choice of the question", () => {
  const question = "Which did I buy first, the red kayak or the old tent?";
  assert.equal(match("the red kayak", "The red kayak.", { question }), true);
  assert.equal(match("the red kayak", "You bought the red kayak first, then the tent.", { question }), null);
  assert.equal(match("Alex", "Tom, before Alex.", { question: "Who came first, Tom or Alex?" }), null);
});

Deno.test("matchMemory() forgives one day, week or month of a temporal question and of no other", () => {
  const temporal = { type: "temporal-reasoning" };
  for (const output of ["18 days", "19 days.", "17", "About 19 days ago"]) {
    assert.equal(match("18 days", output, temporal), true, output);
  }
  for (const output of ["20 days", "19 weeks", "It was on 19 March"]) {
    assert.equal(match("18 days", output, temporal), null, output);
  }
  assert.equal(match("18 days", "19 days"), null);
  assert.equal(match("18", "19 plants", temporal), null, "a count of something else");
});

Deno.test("matchMemory() takes an abstention for right where no answer is", () => {
  const unanswerable = {
    abstention: true,
    answer: "The information provided is not enough. You mentioned 10 days in one place, and not the other.",
    question: "How many fish are in my 30-gallon tank?",
  };
  const abstains = (output: string) => match(unanswerable.answer, output, unanswerable);
  assert.equal(abstains("You have not mentioned it."), true);
  assert.equal(abstains("You did not say how many fish are in your 30-gallon tank."), true);
  assert.equal(abstains(unanswerable.answer), true);
  assert.equal(abstains("You did not mention the tank, so it must be 12."), null);
  assert.equal(abstains("There are 12."), null);
});

Deno.test("matchMemory() finds any answer in itself and inside a sentence, and never in other words", () => {
  const word = fc.stringMatching(/^[a-z]{4,9}$/).filter((w) =>
    !/^(?:about|after|before|until|than|have|times)$/.test(w)
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), fc.array(word, { maxLength: 8 }), (a, b) => {
      const answer = `zq${a.join(" ")}`;
      assert.equal(match(answer, answer), true);
      assert.equal(match(answer, `Well, ${answer}, I think.`), true);
      assert.equal(match(answer, `Well: ${b.join(" ")}.`), null);
    }),
  );
  fc.assert(fc.property(fc.nat(5000), fc.nat(5000), (expected, given) => {
    const right = match(String(expected), `It was ${given.toLocaleString("en-US")} things.`);
    assert.equal(right, expected === given ? true : null);
  }));
});

Deno.test("matchMemory() takes a moment for hostile outputs and answers", () => {
  const started = performance.now();
  const hostile = [
    "(or ".repeat(3000),
    "a. ".repeat(5000) + "is also acceptable",
    "9,".repeat(20_000),
    "not ".repeat(20_000),
  ];
  for (const text of hostile) {
    match(text, text);
    match("compass", text, { question: text });
    match(text, "compass", { question: `${text} or ${text}?` });
  }
  assert.ok(performance.now() - started < 20_000);
});
