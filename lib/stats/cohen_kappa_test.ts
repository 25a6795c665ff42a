import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { cohenKappa } from "./cohen_kappa.ts";

const near = (found: number | null, wanted: number, places: number) =>
  assert.equal(found?.toFixed(places), wanted.toFixed(places));

Deno.test("cohenKappa() gives the published value, standard error and interval of a four-class study", () => {
  // Two dermatologists, SAS/STAT User's Guide, "Agreement Study".
  const found = cohenKappa([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]);
  near(found.kappa, 0.3449, 4);
  near(found.standardError, 0.0724, 4);
  near(found.low, 0.203, 4);
  near(found.high, 0.4868, 4);
  assert.equal(found.n, 88);
});

Deno.test("cohenKappa() gives Fleiss's example of 100 diagnoses", () => {
  // Fleiss 1981, Statistical Methods for Rates and Proportions, p. 213-221.
  const found = cohenKappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]]);
  near(found.agreement.estimate, 0.89, 2);
  near(found.kappa, 0.68, 2);
  // The book rounds on the way: 0.087.
  assert.ok(Math.abs((found.standardError ?? 0) - 0.087) < 0.001, `${found.standardError}`);
});

Deno.test("cohenKappa() separates agreement from kappa where one class is rare", () => {
  near(cohenKappa([[45, 15], [25, 15]]).kappa, 0.1304, 4);
  near(cohenKappa([[25, 35], [5, 35]]).kappa, 0.2593, 4);
  const rare = cohenKappa([[23, 35], [27, 915]]);
  near(rare.kappa, 0.393346, 6);
  near(rare.agreement.low, 0.921312, 6);
});

Deno.test("cohenKappa() has no value where nothing can be said, and says why by null", () => {
  assert.deepEqual(
    [cohenKappa([[0, 0], [0, 0]]), cohenKappa([[9, 0], [0, 0]])].map(({ kappa, low }) => [kappa, low]),
    [[null, null], [null, null]],
  );
  const perfect = cohenKappa([[4, 0], [0, 5]]);
  assert.deepEqual([perfect.kappa, perfect.standardError, perfect.low], [1, null, null]);
  assert.ok((perfect.agreement.low) < 0.75, "the agreement's own interval stays honest");
  const one = cohenKappa([[0, 3], [0, 0]]);
  assert.deepEqual([one.kappa, one.low], [0, null]);
});

Deno.test("cohenKappa() refuses tables that are none", () => {
  for (const table of [[], [[1, 2]], [[1, 2], [3]], [[1, -1], [0, 1]], [[1.5, 0], [0, 1]]]) {
    assert.throws(() => cohenKappa(table), InputError, JSON.stringify(table));
  }
});

Deno.test("cohenKappa() is the same whoever is called first, and whatever the categories are called", () => {
  const count = fc.nat(40);
  fc.assert(fc.property(fc.array(fc.tuple(count, count, count), { minLength: 3, maxLength: 3 }), (table) => {
    const swapped = table.map((_, i) => table.map((row) => row[i] as number));
    const renamed = table.toReversed().map((row) => row.toReversed());
    const { kappa, low, high, standardError, expected } = cohenKappa(table);
    for (const other of [cohenKappa(swapped), cohenKappa(renamed)]) {
      for (const [a, b] of [[kappa, other.kappa], [standardError, other.standardError]] as const) {
        if (a === null || b === null) assert.equal(a, b);
        else assert.ok(Math.abs(a - b) < 1e-9);
      }
    }
    if (kappa !== null) assert.ok(kappa <= 1 + 1e-12 && kappa >= -1 - 1e-12 && (expected ?? 2) <= 1);
    if (low !== null && high !== null && kappa !== null) {
      assert.ok(low <= kappa + 1e-12 && kappa <= high + 1e-12);
    }
  }));
});
