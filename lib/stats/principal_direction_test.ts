import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { principalDirection } from "./principal_direction.ts";

Deno.test("principalDirection() finds the first right singular vector that numpy finds", () => {
  const rows = Array.from(
    { length: 9 },
    (_, i) => Array.from({ length: 6 }, (_, j) => Math.cos(0.7 * (i + 1) * (j + 2)) + 0.3 * j),
  );
  const expected = [
    0.06193742725494582,
    0.18124801371709598,
    0.2990827738625825,
    0.41601673737803097,
    0.5319928472091022,
    0.6463560100648874,
  ];
  const { direction, power, share } = principalDirection(rows, createRandom(0));
  const sign = (direction[5] as number) > 0 ? 1 : -1;
  expected.forEach((x, i) => assert.ok(Math.abs(sign * (direction[i] as number) - x) < 1e-10));
  assert.ok(Math.abs(power - 50.88529636650258) < 1e-9);
  assert.ok(Math.abs(share - 0.7141774712583712) < 1e-12);
});

Deno.test("principalDirection() is of length 1, and no other direction holds more", () => {
  const row = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 4, maxLength: 4 });
  const rows = fc.array(row, { minLength: 1, maxLength: 12 })
    .filter((rows) => rows.flat().some((x) => Math.abs(x) > 1e-3));
  fc.assert(fc.property(rows, row, fc.nat(), (rows, other, seed) => {
    const { direction, power } = principalDirection(rows, createRandom(seed));
    const along = (v: ArrayLike<number>) =>
      rows.reduce((sum, row) => sum + row.reduce((dot, x, j) => dot + x * (v[j] as number), 0) ** 2, 0);
    assert.ok(Math.abs(direction.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-9);
    const length = Math.hypot(...other);
    if (length > 0) assert.ok(along(other.map((x) => x / length)) <= power * (1 + 1e-6));
    for (let axis = 0; axis < 4; axis++) {
      assert.ok(along([0, 1, 2, 3].map((j) => j === axis ? 1 : 0)) <= power * (1 + 1e-6));
    }
  }));
});

Deno.test("principalDirection() refuses rows of zeros", () => {
  assert.throws(() => principalDirection([[0, 0]], createRandom(0)), { name: "InputError" });
  assert.throws(() => principalDirection([], createRandom(0)), { name: "InputError" });
});
