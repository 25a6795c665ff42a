import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { BackendError } from "./backend.ts";
import { DEFAULT_RETRY, retryDelayMs } from "./retry.ts";

Deno.test("retryDelayMs() stays within the doubling bound and never below Retry-After", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.nat(300_000)),
      fc.nat(),
      (attempt, after, seed) => {
        const error = new BackendError("rate_limit", "", after === null ? {} : { retryAfterMs: after });
        const delay = retryDelayMs(error, attempt, DEFAULT_RETRY, createRandom(seed)) as number;
        const bound = 1000 * 2 ** (attempt - 1);
        assert.ok(after === null ? delay >= 0 && delay <= bound : delay >= after && delay <= after + 1000);
      },
    ),
    { seed: 1 },
  );
});

Deno.test("retryDelayMs() ends when the tries are used up, the error stays, or the wait is too long", () => {
  const delay = (error: BackendError, attempt: number) =>
    retryDelayMs(error, attempt, DEFAULT_RETRY, createRandom(1));
  assert.notEqual(delay(new BackendError("server", ""), 5), null);
  assert.equal(delay(new BackendError("server", ""), 6), null);
  assert.equal(delay(new BackendError("auth", ""), 1), null);
  assert.equal(delay(new BackendError("rate_limit", "", { retryAfterMs: 300_001 }), 1), null);
});
