import assert from "node:assert/strict";
import fc from "fast-check";
import { mcnemarExact } from "./mcnemar_exact.ts";

Deno.test("mcnemarExact() agrees with scipy.stats.binomtest(b, b + c, 0.5)", () => {
  const known: [number, number, number][] = [
    [87, 11, 8.065094010420559e-16],
    [3, 9, 0.14599609375],
    [400, 300, 0.0001784763144856244],
    [1, 7, 0.0703125], // Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91: 0.070
    [5, 5, 1],
    [0, 1, 1],
    [0, 0, 1],
  ];
  for (const [b, c, p] of known) assert.ok(Math.abs(mcnemarExact(b, c) / p - 1) < 1e-12, `${b} ${c}`);
});

Deno.test("mcnemarExact() is symmetric, a probability, and survives large counts", () => {
  fc.assert(fc.property(fc.nat(100_000), fc.nat(100_000), (b, c) => {
    const p = mcnemarExact(b, c);
    assert.ok(p >= 0 && p <= 1);
    assert.equal(p, mcnemarExact(c, b));
  }));
});

Deno.test("mcnemarExact() refuses what is not a count", () => {
  assert.throws(() => mcnemarExact(-1, 2), /0 or more/);
  assert.throws(() => mcnemarExact(1.5, 2), /0 or more/);
});
