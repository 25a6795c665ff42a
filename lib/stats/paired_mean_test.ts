import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { pairedMean } from "./paired_mean.ts";

const random = () => createRandom("paired");
const normal = (source: { next(): number }) =>
  Math.sqrt(-2 * Math.log(1 - source.next())) * Math.cos(2 * Math.PI * source.next());

Deno.test("pairedMean() gives the exact p-value when all differences have one sign", () => {
  const { estimate, p, low, high, method } = pairedMean([1, 2, 3, 4, 5, 6, 7, 8], { random: random() });
  assert.equal(estimate, 4.5);
  assert.equal(p, 2 / 256);
  assert.equal(method, "exact");
  // The 6th of the 255 ordered subset means from either end: 1, 3/2, 2, 2, 2, 7/3 from below.
  assert.equal(low, 7 / 3);
  assert.equal(high, 20 / 3);
});

Deno.test("pairedMean() has no interval with fewer than six pairs, and nothing without any", () => {
  assert.equal(pairedMean([1, 2, 3, 4, 5], { random: random() }).low, null);
  assert.notEqual(pairedMean([1, 2, 3, 4, 5, 6], { random: random() }).low, null);
  const none = pairedMean([], { random: random() });
  assert.deepEqual([none.estimate, none.p], [null, null]);
});

Deno.test("pairedMean() says 1 for equal arms, and has no interval for differences that are all alike", () => {
  const { p, low, high } = pairedMean([0, 0, 0, 0, 0, 0], { random: random() });
  assert.deepEqual([p, low, high], [1, null, null]);
});

Deno.test("pairedMean() turns round with the signs, and holds its own mean", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 6, maxLength: 11 }),
    (differences) => {
      fc.pre(new Set(differences).size > 1);
      const one = pairedMean(differences, { random: random() });
      const other = pairedMean(differences.map((x) => -x), { random: random() });
      assert.equal(one.p, other.p);
      assert.ok(Math.abs((one.low as number) + (other.high as number)) < 1e-9);
      assert.ok((one.low as number) <= (one.estimate as number) + 1e-9);
      assert.ok((one.high as number) >= (one.estimate as number) - 1e-9);
    },
  ));
});

Deno.test("pairedMean() holds the true mean about as often as it says, with 8 and with 30 pairs", () => {
  const source = createRandom("cover");
  for (const n of [8, 30]) {
    let held = 0, found = 0;
    const trials = 400;
    for (let t = 0; t < trials; t++) {
      const differences = Array.from({ length: n }, () => 1 + 2 * normal(source));
      const { low, high } = pairedMean(differences, { random: source, draws: 512 });
      if ((low as number) <= 1 && (high as number) >= 1) held++;
      const centred = pairedMean(differences.map((x) => x - 1), { random: source, draws: 512 });
      if ((centred.p as number) <= 0.05) found++;
    }
    assert.ok(held / trials > 0.92 && held / trials < 0.98, `${n} pairs: ${held} of ${trials}`);
    assert.ok(found / trials > 0.02 && found / trials < 0.08, `${n} pairs: ${found} of ${trials}`);
  }
});
