import assert from "node:assert/strict";
import fc from "fast-check";
import { holm } from "./holm.ts";

Deno.test("holm() agrees with statsmodels multipletests(method='holm')", () => {
  const expected = [0.04, 0.09, 0.09, 0.025, 0.2];
  holm([0.01, 0.04, 0.03, 0.005, 0.2]).forEach((p, index) =>
    assert.ok(Math.abs(p - (expected[index] ?? 0)) < 1e-12)
  );
  assert.deepEqual(holm([]), []);
});

Deno.test("holm() never lowers a p-value and keeps their order", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
    const adjusted = holm(ps);
    for (const [i, p] of ps.entries()) {
      assert.ok((adjusted[i] as number) >= p && (adjusted[i] as number) <= 1);
      for (const [j, q] of ps.entries()) {
        if (p < q) assert.ok((adjusted[i] as number) <= (adjusted[j] as number));
      }
    }
  }));
});

Deno.test("holm() refuses what is not a p-value", () => {
  assert.throws(() => holm([0.2, 1.2]), /1.2/);
  assert.throws(() => holm([NaN]), /NaN/);
});
