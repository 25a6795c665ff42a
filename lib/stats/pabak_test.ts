import assert from "node:assert/strict";
import { pabak } from "./pabak.ts";
import { wilson } from "./wilson.ts";

Deno.test("pabak() gives Byrt's example, and Wilson's interval stretched", () => {
  // Byrt, Bishop and Carlin 1993, table 1: 85 of 100 the same.
  const found = pabak(85, 100);
  assert.equal(found.estimate, 0.7);
  assert.equal(found.low, 2 * wilson(85, 100).low - 1);
  assert.equal(found.high, 2 * wilson(85, 100).high - 1);
  assert.equal(pabak(938, 1000).estimate?.toFixed(6), "0.876000");
});

Deno.test("pabak() of no items is not known", () => {
  assert.deepEqual(pabak(0, 0), { estimate: null, low: -1, high: 1, confidence: 0.95 });
});
