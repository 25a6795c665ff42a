/** Backends whose difference is known: is the verdict right, and the cause named, in 95 of 100 runs? */
import assert from "node:assert/strict";
import { compareAnswers, type Comparison } from "./compare.ts";
import {
  type Behaviour,
  chatty,
  faithful,
  flips,
  hot,
  truncates,
  world,
  wrongTemplate,
} from "./testing/worlds.ts";

const RUNS = 100;
const ENOUGH = 95;

/** Runs in which the comparison is as it should be. */
function right(
  name: string,
  options: { readonly n: number; readonly first?: Behaviour; readonly second: Behaviour },
  is: (comparison: Comparison) => boolean,
): number {
  let count = 0;
  for (let run = 0; run < RUNS; run++) {
    const input = world(`${name}/${run}`, options);
    if (is(compareAnswers(input, { seed: run, permutations: 199, resamples: 20 }))) count++;
  }
  console.log(`${name}, n ${options.n}: ${count} of ${RUNS} right`);
  return count;
}

const causes = ({ drift }: Comparison) => drift?.causes.map(({ cause }) => cause) ?? [];
const outcome = ({ verdict }: Comparison) => verdict.outcome;

Deno.test("compareAnswers() passes identical backends, finds no difference and no cause", () => {
  const count = right(
    "identical",
    { n: 100, second: faithful },
    (found) =>
      outcome(found) === "pass" && found.verdict.differs_from_noise_floor === false &&
      causes(found).length === 0,
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() passes identical backends that both sample a little", () => {
  const count = right(
    "identical, both sampled",
    { n: 400, first: hot(0.005), second: hot(0.005) },
    (found) =>
      outcome(found) === "pass" && found.verdict.differs_from_noise_floor === false &&
      causes(found).length === 0,
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() passes a 2% flip at 95%, and says that it differs from the noise floor by its labels", () => {
  const count = right(
    "2% flip",
    { n: 800, second: flips(0.02) },
    (found) =>
      outcome(found) === "pass" && found.verdict.differs_from_noise_floor === true &&
      causes(found)[0] === "numerics",
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() fails a wrong template and names it", () => {
  const count = right(
    "wrong template",
    { n: 200, second: wrongTemplate },
    (found) => outcome(found) === "fail" && causes(found)[0] === "template",
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() fails another temperature and names sampling", () => {
  const count = right(
    "other temperature",
    { n: 300, second: hot(0.12) },
    (found) => outcome(found) === "fail" && causes(found)[0] === "sampling",
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() fails a backend that truncates and names it", () => {
  const count = right(
    "truncates",
    { n: 200, second: truncates(256) },
    (found) => outcome(found) === "fail" && causes(found)[0] === "truncation",
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() fails another model, and does not blame template, sampling or truncation", () => {
  const count = right(
    "another model",
    { n: 200, second: flips(0.2) },
    (found) => outcome(found) === "fail" && causes(found)[0] === "model",
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() fails a backend whose answers often hold no label", () => {
  const count = right(
    "chatty",
    { n: 200, second: chatty },
    (found) =>
      outcome(found) === "fail" && /hold a label/.test(found.verdict.reason) &&
      causes(found)[0] === "model" &&
      found.statistics.both_parsed.agreement === 1,
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() is inconclusive where rows are too few, and says how many are needed", () => {
  const identical = right(
    "identical, few rows",
    { n: 40, second: faithful },
    (found) => outcome(found) === "inconclusive" && found.verdict.n_needed === 73,
  );
  const flipped = right(
    "2% flip, few rows",
    { n: 60, second: flips(0.02) },
    (found) => outcome(found) === "inconclusive",
  );
  assert.ok(identical >= ENOUGH && flipped >= ENOUGH);
});

Deno.test("compareAnswers() is inconclusive where the backends' own noise hides the answer", () => {
  const count = right(
    "both very noisy",
    { n: 300, first: hot(0.12), second: hot(0.12) },
    (found) =>
      outcome(found) === "inconclusive" &&
      /differ no more from each other than from themselves/.test(found.verdict.reason),
  );
  assert.ok(count >= ENOUGH);
});

Deno.test("compareAnswers() leaves out items that a backend did not answer, and says how many", () => {
  const input = world("gaps", { n: 100, second: faithful });
  const found = compareAnswers({ ...input, second: input.second.map((answers) => answers.slice(10)) });
  assert.deepEqual([found.unanswered, found.rows.length, found.noise_floor?.items], [10, 90, 90]);
});

Deno.test("compareAnswers() of one pass has no noise floor and says so", () => {
  const found = compareAnswers(world("once", { n: 100, second: faithful, passes: 1 }));
  assert.deepEqual([found.noise_floor, found.verdict.differs_from_noise_floor, outcome(found)], [
    null,
    null,
    "pass",
  ]);
});
