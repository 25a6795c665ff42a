import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { clusterWilson } from "./cluster_wilson.ts";
import { wilson } from "./wilson.ts";

const rowsOf = (...clusters: number[][]) =>
  clusters.flatMap((values, cluster) => values.map((value) => ({ correct: value === 1, cluster })));

Deno.test("clusterWilson() uses the cluster-robust variance of statsmodels", () => {
  // statsmodels 0.15: OLS(y, 1).fit(cov_type="cluster").bse**2 over p(1-p)/n, and Wilson's formula at n/deff.
  const share = clusterWilson(rowsOf([1, 1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1], [0, 0, 1, 0, 0, 0]));
  assert.equal(share.clusters, 4);
  assert.ok(Math.abs((share.designEffect ?? 0) - 2.8148148148148118) < 1e-12);
  assert.ok(Math.abs(share.effectiveN - 6.39473684210527) < 1e-12);
  assert.ok(Math.abs(share.low - 0.19369872401772964) < 1e-12);
  assert.ok(Math.abs(share.high - 0.8063012759822703) < 1e-12);
});

Deno.test("clusterWilson() counts each cluster once when the rows cannot show a design effect", () => {
  const one = clusterWilson(rowsOf([1, 0, 1, 1]));
  assert.equal(one.designEffect, null);
  assert.equal(one.effectiveN, 1);
  const alike = clusterWilson(rowsOf([1, 1, 1], [1, 1, 1]));
  assert.equal(alike.designEffect, null);
  assert.equal(alike.low, wilson(2, 2).low);
  assert.deepEqual([clusterWilson([]).low, clusterWilson([]).high], [0, 1]);
});

Deno.test("clusterWilson() is never narrower than wilson()", () => {
  const cluster = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(fc.array(cluster, { minLength: 1, maxLength: 8 }), (clusters) => {
    const rows = rowsOf(...clusters);
    const share = clusterWilson(rows);
    const plain = wilson(rows.filter((row) => row.correct).length, rows.length);
    assert.ok(share.low <= plain.low + 1e-12 && share.high >= plain.high - 1e-12);
  }));
});

Deno.test("clusterWilson() covers the truth where wilson() is far too sure", () => {
  // 20 haystacks of 10 rows; within a haystack all rows agree 4 times of 5.
  const random = createRandom("coverage");
  let clustered = 0, plain = 0;
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const rows = Array.from({ length: 20 }, (_, cluster) => {
      const shared = random.next() < 0.6;
      return Array.from(
        { length: 10 },
        () => ({ cluster, correct: random.next() < 0.8 ? shared : random.next() < 0.6 }),
      );
    }).flat();
    const share = clusterWilson(rows);
    const naive = wilson(share.correct, share.n);
    if (share.low <= 0.6 && 0.6 <= share.high) clustered++;
    if (naive.low <= 0.6 && 0.6 <= naive.high) plain++;
  }
  assert.ok(clustered / runs > 0.91, `${clustered / runs}`);
  assert.ok(plain / runs < 0.7, `${plain / runs}`);
});
