import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { studentCdf, studentQuantile } from "./student_t.ts";

Deno.test("studentCdf() and studentQuantile() give the values of scipy.stats.t", () => {
  for (
    const [p, df, t] of [
      [0.975, 1, 12.706204736174694],
      [0.975, 2, 4.302652729749462],
      [0.975, 8, 2.306004135204166],
      [0.975, 36, 2.0280940009804502],
      [0.995, 5, 4.032142983555228],
      [0.9, 3, 1.637744353696209],
      [0.6, 7, 0.2631668613520229],
    ] as const
  ) {
    assert.ok(Math.abs(studentQuantile(p, df) - t) < 1e-9 * t, `${p} ${df}`);
    assert.ok(Math.abs(studentQuantile(1 - p, df) + t) < 1e-8 * t);
  }
  for (
    const [t, df, p] of [
      [1.3, 1, 0.7912855998398473],
      [-2.1, 4, 0.05182664315880109],
      [0.7, 9, 0.7491904803919275],
      [3.2, 30, 0.9983806991440234],
    ] as const
  ) assert.ok(Math.abs(studentCdf(t, df) - p) < 1e-12);
  assert.equal(studentCdf(0, 5), 0.5);
  assert.ok(Math.abs(studentQuantile(0.975, 100_000) - 1.96) < 1e-3);
  for (const [p, df] of [[0, 3], [1, 3], [0.5, 0], [0.5, 1.5]] as const) {
    assert.throws(() => studentQuantile(p, df), InputError);
  }
});
