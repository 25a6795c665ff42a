import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { bootstrap, quantileSorted } from "./bootstrap.ts";

const VALUES = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("bootstrap() agrees with scipy.stats.bootstrap under both methods", () => {
  // scipy 1.17, 500,000 resamples: BCa 10.3 to 47.1, percentile 8.2 to 41.7.
  const bca = bootstrap(VALUES, mean, { random: createRandom(1), resamples: 20_000 });
  assert.equal(bca.method, "bca");
  assert.ok(Math.abs(bca.low - 10.3) < 0.5 && Math.abs(bca.high - 47.1) < 1.2, JSON.stringify(bca));
  const plain = bootstrap(VALUES, mean, { random: createRandom(1), resamples: 20_000, method: "percentile" });
  assert.ok(Math.abs(plain.low - 8.2) < 0.5 && Math.abs(plain.high - 41.7) < 1, JSON.stringify(plain));
});

Deno.test("bootstrap() gives the same interval for the same seed", () => {
  const run = (seed: number) => bootstrap(VALUES, mean, { random: createRandom(seed), resamples: 200 });
  assert.deepEqual(run(5), run(5));
  assert.notDeepEqual(run(5), run(6));
});

Deno.test("bootstrap() says that it fell back to percentiles when all values are alike", () => {
  const alike = bootstrap([2, 2, 2], mean, { random: createRandom(1), resamples: 50 });
  assert.deepEqual([alike.low, alike.estimate, alike.high, alike.method], [2, 2, 2, "percentile"]);
});

Deno.test("bootstrap() refuses no values, no resamples and a statistic without a value", () => {
  const random = createRandom(1);
  assert.throws(() => bootstrap([], mean, { random }), /at least one value/);
  assert.throws(() => bootstrap([1], mean, { random, resamples: 0 }), /resamples/);
  assert.throws(() => bootstrap([1], () => NaN, { random }), /NaN/);
});

Deno.test("quantileSorted() interpolates as numpy.quantile does", () => {
  assert.equal(quantileSorted([1, 2, 4], 0.75), 3);
  assert.equal(quantileSorted([1, 2, 4], 1), 4);
  assert.equal(quantileSorted([7], 0.3), 7);
});
