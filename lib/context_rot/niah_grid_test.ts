import assert from "node:assert/strict";
import { niahGrid } from "./niah_grid.ts";

Deno.test("niahGrid() is 8 x 11 in full and 4 x 3 in test mode where the window holds enough lengths", () => {
  const full = niahGrid({ test: false, window: 1_000_000, reserve: 100 });
  assert.deepEqual([full.lengths.length * full.depths.length, full.note], [88, null]);
  const test = niahGrid({ test: true, window: 1_000_000, reserve: 100 });
  assert.deepEqual(test.lengths, [1000, 10_000, 100_000, 500_000]);
  assert.deepEqual(test.depths, [0, 50, 100]);
  const some = niahGrid({ test: false, window: 128_000, reserve: 100 });
  assert.equal(some.lengths.length, 8, "lengths beyond the window stay in the plan");
});

Deno.test("niahGrid() spaces the lengths evenly on a log scale where fewer than four fit, and says so", () => {
  const { lengths, note } = niahGrid({ test: true, window: 4096, reserve: 64 });
  assert.deepEqual([lengths.length, lengths[0], lengths.at(-1)], [4, 256, 4032]);
  const ratios = lengths.slice(1).map((l, i) => l / (lengths[i] as number));
  for (const ratio of ratios) assert.ok(Math.abs(ratio - (ratios[0] as number)) < 0.02);
  assert.match(note ?? "", /only 1 of the 4 standard lengths fit the window of 4,096 tokens/);
  assert.equal(niahGrid({ test: false, window: 4096, reserve: 64 }).lengths.length, 8);
});

Deno.test("niahGrid() refuses lengths and depths out of range, naming them", () => {
  const base = { test: false, window: 4096, reserve: 64 };
  assert.throws(() => niahGrid({ ...base, lengths: [0] }), /--lengths holds 0/);
  assert.throws(() => niahGrid({ ...base, lengths: [10.5] }), /--lengths holds 10.5/);
  assert.throws(() => niahGrid({ ...base, depths: [101] }), /--depths holds 101, which is not a percentage/);
  assert.throws(() => niahGrid({ ...base, depths: [] }), /--depths is empty/);
  assert.throws(() => niahGrid({ ...base, reserve: 5000 }), /no room for a prompt/);
  assert.deepEqual(niahGrid({ ...base, lengths: [900, 300, 300] }).lengths, [300, 900]);
});
