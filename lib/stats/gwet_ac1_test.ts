import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { bootstrap } from "./bootstrap.ts";
import { gwetAc1 } from "./gwet_ac1.ts";

const near = (found: number | null, wanted: number, places: number) =>
  assert.equal(found?.toFixed(places), wanted.toFixed(places));

Deno.test("gwetAc1() gives the published value, standard error and interval of a three-class study", () => {
  // Two abstractors of 100 records, the example of Gwet's own package irrCAC.
  const found = gwetAc1([[13, 0, 0], [0, 20, 7], [0, 4, 56]]);
  near(found.ac1, 0.8493305, 7);
  near(found.standardError, 0.04321747, 8);
  assert.equal(found.n, 100);
});

Deno.test("gwetAc1() stays near the agreement where kappa falls because one class is rare", () => {
  near(gwetAc1([[23, 35], [27, 915]]).ac1, 0.930945, 6);
  near(gwetAc1([[13, 7], [11, 69]]).ac1, 0.725944, 6);
});

Deno.test("gwetAc1() has the interval that a bootstrap over items has", () => {
  const table = [[40, 12], [20, 228]];
  const items = table.flatMap((row, i) => row.flatMap((count, j) => Array<string>(count).fill(`${i}${j}`)));
  const drawn = bootstrap(items, (sample) => {
    const count = (name: string) => sample.filter((item) => item === name).length;
    return gwetAc1([[count("00"), count("01")], [count("10"), count("11")]]).ac1 ?? NaN;
  }, { random: createRandom("ac1"), method: "percentile", resamples: 1000 });
  const { low, high } = gwetAc1(table);
  assert.ok(Math.abs((low ?? 9) - drawn.low) < 0.02 && Math.abs((high ?? 9) - drawn.high) < 0.02, `${low}`);
});

Deno.test("gwetAc1() has no interval where nothing varies, and no value without items", () => {
  assert.deepEqual(
    [gwetAc1([[0, 0], [0, 0]]), gwetAc1([[3, 0], [0, 4]])].map(({ ac1, low }) => [ac1, low]),
    [[null, null], [1, null]],
  );
});

Deno.test("gwetAc1() refuses tables that are none", () => {
  for (const table of [[], [[1]], [[1, 2]], [[1, -1], [0, 1]], [[1.5, 0], [0, 1]]]) {
    assert.throws(() => gwetAc1(table), InputError, JSON.stringify(table));
  }
});

Deno.test("gwetAc1() is the same whoever is called first, and at most 1", () => {
  const count = fc.nat(40);
  fc.assert(fc.property(fc.array(fc.tuple(count, count, count), { minLength: 3, maxLength: 3 }), (table) => {
    const swapped = table.map((_, i) => table.map((row) => row[i] as number));
    const [a, b] = [gwetAc1(table), gwetAc1(swapped)];
    if (a.ac1 === null || b.ac1 === null) return assert.equal(a.ac1, b.ac1);
    assert.ok(Math.abs(a.ac1 - b.ac1) < 1e-9 && a.ac1 <= 1 + 1e-12 && a.ac1 >= -1);
    if (a.low !== null && b.low !== null) assert.ok(Math.abs(a.low - b.low) < 1e-9 && a.low <= a.ac1);
  }));
});
