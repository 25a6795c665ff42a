import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { pairedEquivalence, tangoScore } from "./paired_equivalence.ts";

const pairs = (both: number, firstOnly: number, secondOnly: number, neither: number) => ({
  both,
  firstOnly,
  secondOnly,
  neither,
});

Deno.test("pairedEquivalence() gives Tango's lens example: z = 1.709, one-sided p = 0.044", () => {
  // Tango 1998, section 6: 44 patients, 43 well under both, 1 under the new treatment only, margin 0.1.
  assert.equal(tangoScore(0, 1, 44, -0.1).toFixed(3), "1.709");
  const found = pairedEquivalence(pairs(43, 0, 1, 0), { margin: 0.1 });
  assert.equal(found.pLower.toFixed(3), "0.044");
  assert.ok(found.equivalent && found.p === found.pLower);
});

Deno.test("pairedEquivalence() has McNemar's z as its score at no difference", () => {
  for (const [b, c] of [[12, 2], [0, 7], [30, 31]] as const) {
    assert.ok(Math.abs(tangoScore(b, c, 100, 0) - (b - c) / Math.sqrt(b + c)) < 1e-12);
  }
});

Deno.test("pairedEquivalence() agrees with its own interval: equivalent when the interval is within the margin", () => {
  fc.assert(fc.property(
    fc.tuple(fc.nat(300), fc.nat(30), fc.nat(30), fc.nat(300)).filter((counts) => counts.some((n) => n > 0)),
    fc.constantFrom(0.02, 0.05, 0.1),
    ([a, b, c, d], margin) => {
      const found = pairedEquivalence(pairs(a, b, c, d), { margin });
      assert.ok(found.low <= found.estimate + 1e-9 && found.estimate <= found.high + 1e-9);
      const edge = Math.min(Math.abs(found.low + margin), Math.abs(found.high - margin));
      if (edge > 1e-6) assert.equal(found.equivalent, found.low > -margin && found.high < margin);
      const swapped = pairedEquivalence(pairs(a, c, b, d), { margin });
      assert.ok(Math.abs(swapped.low + found.high) < 1e-6 && Math.abs(swapped.p - found.p) < 1e-9);
    },
  ));
});

Deno.test("pairedEquivalence() calls shares that differ by the margin equivalent in no more than 5 of 100 studies", () => {
  const random = createRandom("tost");
  let wrong = 0;
  for (let study = 0; study < 600; study++) {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 200; i++) {
      const u = random.next();
      const cell = u < 0.3 ? 0 : u < 0.38 ? 1 : u < 0.41 ? 2 : 3; // 8% less 3%: the margin itself
      counts[cell] = (counts[cell] as number) + 1;
    }
    const [a, b, c, d] = counts as [number, number, number, number];
    if (pairedEquivalence(pairs(a, b, c, d), { margin: 0.05 }).equivalent) wrong++;
  }
  assert.ok(wrong > 10 && wrong < 46, `${wrong} of 600`);
});

Deno.test("pairedEquivalence() refuses what is no table, margin or level", () => {
  assert.throws(() => pairedEquivalence(pairs(0, 0, 0, 0), { margin: 0.1 }), InputError);
  assert.throws(() => pairedEquivalence(pairs(1, 0.5, 0, 0), { margin: 0.1 }), InputError);
  assert.throws(() => pairedEquivalence(pairs(1, 1, 1, 1), { margin: 0 }), InputError);
  assert.throws(() => pairedEquivalence(pairs(1, 1, 1, 1), { margin: 0.1, alpha: 0.5 }), InputError);
});
