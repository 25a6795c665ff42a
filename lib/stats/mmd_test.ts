import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom, type Random } from "../base/random.ts";
import { equalityKernel, hammingKernel, mmdTest, type SampleGroup } from "./mmd.ts";

const coin = (random: Random, chance: number) => random.next() < chance ? "1" : "0";

function study(random: Random, groups: number, samples: number, a: number, b: number): SampleGroup<string>[] {
  return Array.from({ length: groups }, () => ({
    first: Array.from({ length: samples }, () => coin(random, a)),
    second: Array.from({ length: samples }, () => coin(random, b)),
  }));
}

const pOf = (groups: SampleGroup<string>[], random: Random) =>
  mmdTest(groups, { kernel: equalityKernel, random, permutations: 99 }).p as number;

Deno.test("mmdTest() gives the discrepancy that pairs counted by hand give", () => {
  const { mmd2, withinFirst, withinSecond, across, p, groups } = mmdTest(
    [{ first: ["a", "a", "b"], second: ["b", "b", "a"] }, { first: ["a"], second: ["b", "b"] }],
    { kernel: equalityKernel, random: createRandom(1) },
  );
  assert.deepEqual([withinFirst, withinSecond, across, groups], [1 / 3, 1 / 3, 4 / 9, 1]);
  assert.ok(Math.abs((mmd2 as number) - (2 / 3 - 8 / 9)) < 1e-12 && (p as number) > 0.5);
});

Deno.test("mmdTest() has the p-value of all assignments when there are few", () => {
  // Of the 6 ways to split a, a, b, b in two, 2 put like with like; 3 groups: (1/3)^3.
  const groups = Array.from({ length: 3 }, () => ({ first: ["a", "a"], second: ["b", "b"] }));
  const { p } = mmdTest(groups, {
    kernel: equalityKernel,
    random: createRandom("few"),
    permutations: 4999,
  });
  assert.ok(Math.abs((p as number) - 1 / 27) < 0.009, `${p}`);
});

Deno.test("mmdTest() holds its level for equal sources and finds different ones", () => {
  const random = createRandom("level");
  let falsely = 0, found = 0;
  for (let i = 0; i < 100; i++) {
    if (pOf(study(random, 15, 4, 0.3, 0.3), random) <= 0.05) falsely++;
    if (pOf(study(random, 15, 4, 0.1, 0.7), random) <= 0.05) found++;
  }
  assert.ok(falsely <= 12, `${falsely} of 100 false alarms`);
  assert.ok(found >= 95, `${found} of 100 found`);
});

Deno.test("mmdTest() draws assignments of large groups one by one, with the same result", () => {
  const random = createRandom("large");
  const group = (a: number, b: number) => study(random, 3, 9, a, b);
  assert.ok(pOf(group(0.05, 0.95), random) <= 0.05);
  assert.ok(pOf(group(0.5, 0.5), random) > 0.05);
});

Deno.test("mmdTest() of sources that always say the same has p = 1, and of none has none", () => {
  const same = Array.from({ length: 50 }, () => ({ first: ["a", "a"], second: ["a", "a"] }));
  assert.deepEqual(
    [mmdTest(same, { kernel: equalityKernel, random: createRandom(0) })].map(({ mmd2, p }) => [mmd2, p]),
    [[0, 1]],
  );
  const none = mmdTest([{ first: ["a"], second: ["a"] }], {
    kernel: equalityKernel,
    random: createRandom(0),
  });
  assert.deepEqual([none.mmd2, none.p, none.groups], [null, null, 0]);
});

Deno.test("hammingKernel() counts equal places, padding included", () => {
  const kernel = hammingKernel(4);
  assert.equal(kernel([..."abcd"], [..."abcx"]), 0.75);
  assert.equal(kernel([..."ab"], [..."abc"]), 0.75);
  assert.equal(kernel([], []), 1);
  assert.equal(kernel([..."abcdZ"], [..."abcdY"]), 1);
  assert.throws(() => hammingKernel(0), InputError);
});
