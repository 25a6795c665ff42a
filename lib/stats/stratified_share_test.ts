import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { stratifiedShare } from "./stratified_share.ts";
import { wilson } from "./wilson.ts";

Deno.test("stratifiedShare() of one stratum is Wilson's interval", () => {
  const { estimate, low, high } = stratifiedShare([{ correct: 49, n: 88, population: 7 }]);
  const plain = wilson(49, 88);
  assert.equal(estimate, plain.estimate);
  assert.ok(Math.abs(low - plain.low) < 1e-12 && Math.abs(high - plain.high) < 1e-12);
});

Deno.test("stratifiedShare() weighs by population and stays uncertain without a miss", () => {
  const found = stratifiedShare([{ correct: 50, n: 50, population: 90 }, {
    correct: 25,
    n: 50,
    population: 10,
  }]);
  assert.ok(Math.abs(found.estimate - 0.95) < 1e-12);
  assert.ok(found.low < 0.95 - 0.9 * (1 - wilson(50, 50).low) + 1e-9);
});

Deno.test("stratifiedShare() covers the population's share in about 95 of 100 studies", () => {
  const random = createRandom("strata");
  let covered = 0;
  for (let study = 0; study < 400; study++) {
    const draw = (p: number) => Array.from({ length: 40 }, () => random.next() < p).filter(Boolean).length;
    const { low, high } = stratifiedShare([
      { correct: draw(0.97), n: 40, population: 930 },
      { correct: draw(0.8), n: 40, population: 70 },
    ]);
    const truth = 0.93 * 0.97 + 0.07 * 0.8;
    if (low <= truth && truth <= high) covered++;
  }
  assert.ok(covered > 368, `${covered} of 400`);
});

Deno.test("stratifiedShare() refuses empty strata", () => {
  assert.throws(() => stratifiedShare([]), InputError);
  assert.throws(() => stratifiedShare([{ correct: 0, n: 0, population: 3 }]), InputError);
  assert.throws(() => stratifiedShare([{ correct: 1, n: 1, population: 0 }]), InputError);
});
