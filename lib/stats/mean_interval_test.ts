import assert from "node:assert/strict";
import { meanInterval } from "./mean_interval.ts";

Deno.test("meanInterval() gives mean and standard error as by hand", () => {
  const found = meanInterval([1, 2, 3, 4, 5]);
  assert.equal(found?.estimate, 3);
  // sd 1.5811, over sqrt(5): 0.7071; times 1.959964.
  assert.equal(found?.low.toFixed(4), (3 - 1.3859).toFixed(4));
  assert.equal(found?.high.toFixed(4), (3 + 1.3859).toFixed(4));
});

Deno.test("meanInterval() of fewer than two values is not known", () => {
  assert.deepEqual([meanInterval([]), meanInterval([1])], [null, null]);
});
