import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { meanEstimate } from "./mean.ts";

Deno.test("meanEstimate() gives the mean with an interval that holds the truth about as often as it says", () => {
  let held = 0;
  for (let run = 0; run < 200; run++) {
    const random = createRandom(`mean/${run}`);
    const values = Array.from({ length: 60 }, () => random.next() ** 2);
    const { n, estimate, low, high } = meanEstimate(values, { random, resamples: 400 });
    assert.equal(n, 60);
    assert.ok(low !== null && high !== null && estimate !== null && low < estimate && estimate < high);
    if (low <= 1 / 3 && 1 / 3 <= high) held++;
  }
  assert.ok(held >= 178 && held <= 199, `${held} of 200`);
});

Deno.test("meanEstimate() claims no interval from one value, or from values that are all alike", () => {
  const options = { random: createRandom(1) };
  assert.deepEqual(meanEstimate([], options), { n: 0, estimate: null, low: null, high: null });
  assert.deepEqual(meanEstimate([0.25], options), { n: 1, estimate: 0.25, low: null, high: null });
  assert.deepEqual(meanEstimate([1, 1, 1], options), { n: 3, estimate: 1, low: null, high: null });
  assert.throws(() => meanEstimate([1, NaN], options), InputError);
});
