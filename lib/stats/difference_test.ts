import assert from "node:assert/strict";
import fc from "fast-check";
import { moverDifference, newcombeDifference, pairedDifference } from "./difference.ts";
import { wilson } from "./wilson.ts";

const close = (actual: number, expected: number, within: number) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual} is not ${expected}`);

Deno.test("newcombeDifference() gives the published intervals of Newcombe 1998, table II, method 10", () => {
  const known: [number, number, number, number, number, number][] = [
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [10, 10, 0, 10, 0.6075, 1],
  ];
  for (const [a, m, b, n, low, high] of known) {
    const difference = newcombeDifference({ correct: a, n: m }, { correct: b, n });
    close(difference.low, low, 5e-5);
    close(difference.high, high, 5e-5);
    close(difference.estimate, a / m - b / n, 1e-12);
  }
});

Deno.test("pairedDifference() gives published intervals of method 10", () => {
  const known: [number, number, number, number, number, number][] = [
    [36, 12, 2, 0, 0.0569, 0.3404], // Newcombe 1998, Statistics in Medicine 17:2635-2650
    [14, 5, 0, 22, 0.011, 0.226], // Altman et al. 2000, Statistics with Confidence, p. 52
    [1, 1, 7, 12, -0.507, -0.026], // Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850-2875
  ];
  for (const [both, firstOnly, secondOnly, neither, low, high] of known) {
    const difference = pairedDifference({ both, firstOnly, secondOnly, neither });
    close(difference.low, low, 5.1e-4);
    close(difference.high, high, 5.1e-4);
  }
});

Deno.test("pairedDifference() holds its estimate, stays in -1..1 and changes sign with the conditions", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (both, firstOnly, secondOnly, neither) => {
      fc.pre(both + firstOnly + secondOnly + neither > 0);
      const one = pairedDifference({ both, firstOnly, secondOnly, neither });
      const other = pairedDifference({ both, firstOnly: secondOnly, secondOnly: firstOnly, neither });
      assert.ok(one.low <= one.estimate + 1e-12 && one.estimate <= one.high + 1e-12);
      assert.ok(one.low >= -1 - 1e-12 && one.high <= 1 + 1e-12);
      close(one.low, -other.high, 1e-12);
    }),
  );
});

Deno.test("differences refuse empty groups and wrong counts", () => {
  assert.throws(() => newcombeDifference({ correct: 0, n: 0 }, { correct: 1, n: 2 }), /rows on both sides/);
  assert.throws(() => pairedDifference({ both: 0, firstOnly: 0, secondOnly: 0, neither: 0 }), /not all 0/);
  assert.throws(() => pairedDifference({ both: -1, firstOnly: 2, secondOnly: 0, neither: 0 }), /0 or more/);
});

Deno.test("moverDifference() of two Wilson intervals is newcombeDifference(), and swapping sides changes the sign", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (a, x, b, y) => {
      fc.pre(a + x > 0 && b + y > 0);
      const share = (correct: number, n: number) => ({ ...wilson(correct, n), estimate: correct / n });
      const [one, two] = [share(a, a + x), share(b, b + y)];
      const difference = moverDifference(one, two);
      const expected = newcombeDifference({ correct: a, n: a + x }, { correct: b, n: b + y });
      for (const key of ["estimate", "low", "high"] as const) close(difference[key], expected[key], 1e-12);
      close(moverDifference(two, one).low, -difference.high, 1e-12);
    }),
  );
});
