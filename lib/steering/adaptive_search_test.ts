import assert from "node:assert/strict";
import fc from "fast-check";
import { ADAPTIVE_SEARCH, nextRatio, type SearchStep } from "./adaptive_search.ts";

/** Searches a model whose answers break above a strength. */
function search(breaks: number): SearchStep[] {
  const steps: SearchStep[] = [];
  for (;;) {
    const ratio = nextRatio(steps, ADAPTIVE_SEARCH);
    if (ratio === null) return steps;
    steps.push({ ratio, coherent: ratio < breaks });
  }
}

Deno.test("nextRatio() goes up while answers are coherent and down when they break", () => {
  assert.deepEqual(search(1).map(({ ratio }) => ratio), [
    0.7,
    0.91,
    1.183,
    1.006,
    0.8551,
    1.112,
    0.9452,
    1.229,
  ]);
});

Deno.test("nextRatio() ends within a factor of 1.3 of where answers break, wherever its 8 steps reach", () => {
  fc.assert(fc.property(fc.double({ min: 0.3, max: 4, noNaN: true }), (breaks) => {
    const steps = search(breaks);
    assert.equal(steps.length, 8);
    const best = Math.max(...steps.filter(({ coherent }) => coherent).map(({ ratio }) => ratio));
    assert.ok(best < breaks && best > breaks / 1.3 - 1e-3, `${best} of ${breaks}`);
  }));
});
