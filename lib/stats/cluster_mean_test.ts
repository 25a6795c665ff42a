import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { clusterBootstrap, clusterMean } from "./cluster_mean.ts";

Deno.test("clusterMean() holds the true mean in about 95 of 100 worlds of few groups with values that are alike inside them", () => {
  const random = createRandom("cluster mean");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  let held = 0, narrow = 0;
  const worlds = 400;
  for (let world = 0; world < worlds; world++) {
    const rows = Array.from({ length: 6 }, (_, cluster) => {
      const shared = normal();
      return Array.from({ length: 4 }, () => ({ cluster, value: shared + 0.2 * normal() }));
    }).flat();
    const found = clusterMean(rows, { random, resamples: 300 });
    const single = clusterMean(rows.map((row, i) => ({ ...row, cluster: i })), { random, resamples: 300 });
    const holds = ({ low, high }: typeof found) => low !== null && high !== null && low <= 0 && 0 <= high;
    held += Number(holds(found));
    narrow += Number(holds(single));
  }
  assert.ok(held / worlds > 0.91 && held / worlds < 0.985, `${held} of ${worlds}`);
  // The same values as if they were independent: much too sure.
  assert.ok(narrow / worlds < 0.8, `${narrow} of ${worlds}`);
});

Deno.test("clusterMean() has no interval for fewer than five groups or values that are all alike", () => {
  const random = createRandom(1);
  const rows = [1, 2, 3, 4, 5].map((value) => ({ value, cluster: Math.min(value, 4) }));
  assert.deepEqual(clusterMean(rows, { random }), { n: 5, clusters: 4, estimate: 3, low: null, high: null });
  assert.deepEqual(clusterMean([], { random }).estimate, null);
  const same = Array.from({ length: 5 }, (_, cluster) => ({ value: 0.5, cluster }));
  assert.deepEqual(clusterMean(same, { random }), {
    n: 5,
    clusters: 5,
    estimate: 0.5,
    low: null,
    high: null,
  });
  const never = clusterBootstrap(rows, ({ cluster }) => cluster, () => null, { random });
  assert.deepEqual([never.estimate, never.low], [null, null]);
});

Deno.test("clusterMean() gives the same interval for the same seed", () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({ value: i % 5, cluster: i % 6 }));
  const run = () => clusterMean(rows, { random: createRandom("same"), resamples: 200 });
  assert.deepEqual(run(), run());
});
