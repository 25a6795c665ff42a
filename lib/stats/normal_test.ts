import assert from "node:assert/strict";
import fc from "fast-check";
import { criticalZ, normalCdf, normalQuantile, twoSidedP } from "./normal.ts";

function near(actual: number, expected: number, relative = 1e-12) {
  assert.ok(
    Math.abs(actual - expected) <= relative * Math.max(1e-300, Math.abs(expected)),
    `${actual} ${expected}`,
  );
}

Deno.test("normalCdf() agrees with scipy.special.ndtr from the middle to the far tail", () => {
  const known: [number, number][] = [
    [-35, 1.1249107064724061e-268],
    [-8, 6.22096057427174e-16],
    [-3.5, 0.00023262907903552502],
    [-1, 0.15865525393145707],
    [0, 0.5],
    [0.5, 0.6914624612740131],
    [2.6, 0.9953388119762813],
    [5, 0.9999997133484281],
  ];
  for (const [z, p] of known) near(normalCdf(z), p);
});

Deno.test("normalQuantile() agrees with scipy.special.ndtri", () => {
  const known: [number, number][] = [
    [1e-300, -37.0470962993612],
    [1e-12, -7.034483825301131],
    [0.025, -1.9599639845400545],
    [0.3, -0.5244005127080409],
    [0.999, 3.090232306167813],
  ];
  for (const [p, z] of known) near(normalQuantile(p), z);
  near(criticalZ(0.95), 1.959963984540054);
  near(twoSidedP(1.959963984540054), 0.05);
});

Deno.test("normalQuantile() is the inverse of normalCdf()", () => {
  fc.assert(fc.property(fc.double({ min: 1e-10, max: 1 - 1e-10, noNaN: true }), (p) => {
    near(normalCdf(normalQuantile(p)), p, 1e-11);
  }));
});

Deno.test("criticalZ() refuses what is not a level", () => {
  for (const level of [0, 1, 95, NaN]) assert.throws(() => criticalZ(level), /strictly between 0 and 1/);
});
