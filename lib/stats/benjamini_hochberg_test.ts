import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { benjaminiHochberg } from "./benjamini_hochberg.ts";

Deno.test("benjaminiHochberg() adjusts as statsmodels' multipletests does", () => {
  const p = [
    0.001,
    0.008,
    0.039,
    0.041,
    0.042,
    0.06,
    0.074,
    0.205,
    0.212,
    0.216,
    0.222,
    0.251,
    0.269,
    0.275,
    0.34,
    0.341,
  ];
  const more = [0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986];
  const expected = [
    0.025,
    0.1,
    0.21,
    0.21,
    0.21,
    0.25,
    0.264285714286,
    ...Array(7).fill(0.491071428571),
    0.5328125,
    0.5328125,
  ];
  const rest = [
    0.564705882353,
    0.781578947368,
    0.781578947368,
    0.87,
    0.907142857143,
    0.986,
    0.986,
    0.986,
    0.986,
  ];
  const adjusted = benjaminiHochberg([...p, ...more]);
  [...expected, ...rest].forEach((value, i) =>
    assert.ok(Math.abs((adjusted[i] as number) - value) < 1e-11, `${i}`)
  );
  assert.deepEqual(benjaminiHochberg([0.5, 0.01, 0.04, 0.01, 1]).map((value) => Number(value.toFixed(9))), [
    0.625,
    0.025,
    0.066666667,
    0.025,
    1,
  ]);
  assert.deepEqual(benjaminiHochberg([]), []);
  assert.throws(() => benjaminiHochberg([0.5, 1.2]), InputError);
});

Deno.test("benjaminiHochberg() never lowers a value, keeps order, and does not depend on the order given", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) => {
    const adjusted = benjaminiHochberg(p);
    for (const [i, value] of adjusted.entries()) {
      assert.ok(value >= (p[i] as number) - 1e-12 && value <= 1);
      for (const [j, other] of adjusted.entries()) {
        if ((p[i] as number) < (p[j] as number)) assert.ok(value <= other);
      }
    }
    assert.deepEqual(benjaminiHochberg(p.toReversed()).toReversed(), adjusted);
  }));
});
