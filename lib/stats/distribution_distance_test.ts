import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { klDivergence, l1Distance } from "./distribution_distance.ts";

Deno.test("klDivergence() is scipy.stats.entropy of counts with one half added, l1Distance() the sum of differences", () => {
  const near = (value: number | null, expected: number) =>
    assert.ok(Math.abs((value ?? NaN) - expected) < 1e-12, `${value}`);
  near(klDivergence([40, 5, 3, 2], [10, 30, 10, 0]), 0.8736365683580738);
  near(klDivergence([0, 50, 0, 0], [50, 0, 0, 0]), 4.437615881578134);
  near(klDivergence([1, 2, 3, 4], [10, 20, 30, 40]), 0.003059145980898452);
  near(l1Distance([40, 5, 3, 2], [10, 30, 10, 0]), 0.6 + 0.5 + 0.14 + 0.04);
  near(l1Distance([1, 2, 3, 4], [10, 20, 30, 40]), 0);
  assert.equal(l1Distance([0, 5], [7, 0]), 2);
  assert.deepEqual([l1Distance([0, 0], [1, 2]), klDivergence([1, 2], [0, 0])], [null, null]);
  assert.throws(() => l1Distance([1], [1, 2]), InputError);
  assert.throws(() => klDivergence([1, -1], [1, 2]), InputError);
});

Deno.test("klDivergence() and l1Distance() are 0 for equal counts and never below", () => {
  const counts = fc.array(fc.nat(60), { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(counts, counts, (a, b) => {
    for (const distance of [klDivergence, l1Distance]) {
      assert.ok((distance(a, b) ?? 0) >= 0);
      assert.ok((distance(a, a) ?? 0) < 1e-12);
    }
    assert.ok((l1Distance(a, b) ?? 0) <= 2 + 1e-12);
  }));
});
