import assert from "node:assert/strict";
import fc from "fast-check";
import { clusterPaired, type PairedRow } from "./cluster_paired.ts";
import { pairedDifference } from "./difference.ts";
import { mcnemarExact } from "./mcnemar_exact.ts";

const near = (a: number, b: number, room = 1e-9) => assert.ok(Math.abs(a - b) <= room, `${a} is not ${b}`);

const anyRows = (clusters: number) =>
  fc.array(
    fc.record({ first: fc.boolean(), second: fc.boolean(), cluster: fc.integer({ min: 1, max: clusters }) }),
    { minLength: 1, maxLength: 60 },
  );

Deno.test("clusterPaired() is McNemar's test and Newcombe's interval when every item is a group of its own", () => {
  fc.assert(fc.property(anyRows(1), (rows) => {
    const result = clusterPaired(rows.map((row, i) => ({ ...row, cluster: i })));
    const { firstOnly, secondOnly } = result.counts;
    assert.equal(result.p, mcnemarExact(firstOnly, secondOnly));
    const plain = pairedDifference(result.counts);
    if (result.designEffect === 1) near(result.difference.low, Math.max(-1, plain.low));
    assert.equal(result.clusters, rows.length);
  }));
});

Deno.test("clusterPaired() is never surer than with independent items, and the same the other way round", () => {
  fc.assert(fc.property(anyRows(6), (rows) => {
    const result = clusterPaired(rows);
    const plain = pairedDifference(result.counts);
    assert.ok(result.difference.low <= plain.low + 1e-9 && result.difference.high >= plain.high - 1e-9);
    assert.ok(result.p > 0 && result.p <= 1);
    const swapped = clusterPaired(rows.map((row) => ({ ...row, first: row.second, second: row.first })));
    near(swapped.p, result.p);
    near(swapped.difference.estimate, -result.difference.estimate);
    near(swapped.difference.low, -result.difference.high, 1e-6);
  }));
});

/** All 2^k swaps, counted one by one. */
function bruteP(rows: readonly PairedRow[]): number {
  const groups = [...Map.groupBy(rows, (row) => row.cluster).values()]
    .map((group) => group.reduce((sum, { first, second }) => sum + Number(first) - Number(second), 0));
  const seen = Math.abs(groups.reduce((sum, d) => sum + d, 0));
  let hits = 0;
  for (let mask = 0; mask < 2 ** groups.length; mask++) {
    const sum = groups.reduce((total, d, i) => total + (mask >> i & 1 ? d : -d), 0);
    if (Math.abs(sum) >= seen) hits++;
  }
  return hits / 2 ** groups.length;
}

Deno.test("clusterPaired() gives the share of all swaps of whole groups", () => {
  fc.assert(fc.property(anyRows(7), (rows) => {
    const result = clusterPaired([...rows, ...rows.slice(0, 1)]);
    near(result.p, bruteP([...rows, ...rows.slice(0, 1)]));
  }));
});

Deno.test("clusterPaired() sees that ten copies of three items are three items", () => {
  const rows = [1, 2, 3].flatMap((cluster) =>
    Array.from({ length: 10 }, () => ({ first: true, second: false, cluster }))
  );
  const result = clusterPaired(rows);
  near(result.p, 0.25);
  assert.ok(result.mcnemarP < 1e-8);
  const mixed = rows.map((row) => row.cluster === 3 ? { ...row, first: false } : row);
  const { designEffect, difference } = clusterPaired(mixed);
  // K/(K-1) * sum of (d - n * mean)^2 / (independent: b - b^2/n), by hand: 1.5 * 66.67 / 6.67.
  near(designEffect ?? 0, 15);
  const plain = pairedDifference({ both: 0, firstOnly: 20, secondOnly: 0, neither: 10 });
  near(
    difference.estimate - difference.low,
    Math.min(
      difference.estimate + 1,
      (plain.estimate - plain.low) * Math.sqrt(15),
    ),
  );
});

Deno.test("clusterPaired() takes the normal approximation for very large tables, close to the exact value", () => {
  // Groups of two alike items: the exact value is McNemar's of the groups.
  const [firstOnly, secondOnly] = [3080, 2920];
  const rows = Array.from({ length: 2 * (firstOnly + secondOnly) }, (_, i) => {
    const first = Math.floor(i / 2) < firstOnly;
    return { first, second: !first, cluster: Math.floor(i / 2) };
  });
  near(clusterPaired(rows).p, mcnemarExact(firstOnly, secondOnly), 0.002);
  assert.throws(() => clusterPaired([]), { name: "InputError", message: /got none/ });
});
