import assert from "node:assert/strict";
import fc from "fast-check";
import { Admission } from "./admission.ts";
import { ApiError } from "./api_error.ts";

const never = new AbortController().signal;

Deno.test("Admission lets in by arrival and never more than fit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), leaves: fc.boolean() }), {
        maxLength: 20,
      }),
      async (maxConcurrency, arrivals) => {
        const admission = new Admission({ maxConcurrency, maxQueue: 100 });
        const entered: number[] = [];
        let inside = 0;
        const expected = [...arrivals.keys()].filter((i) =>
          (arrivals[i]?.weight as number) <= maxConcurrency
        );
        await Promise.all(arrivals.map(async ({ weight, leaves }, i) => {
          const stop = new AbortController();
          try {
            const entering = admission.enter(weight, stop.signal);
            if (leaves) setTimeout(() => stop.abort(new Error("left")), i % 3);
            using _turn = await entering;
            entered.push(i);
            inside += weight;
            assert.ok(inside <= admission.used && admission.used <= maxConcurrency);
            await new Promise((resolve) => setTimeout(resolve, i % 2));
            inside -= weight;
          } catch (error) {
            if (weight > maxConcurrency) assert.ok(error instanceof ApiError && error.status === 400);
            else assert.match(String(error), /left/);
          }
        }));
        assert.deepEqual([admission.used, admission.queued, inside], [0, 0, 0]);
        assert.deepEqual(entered, entered.toSorted((a, b) => a - b));
        const stayed = expected.filter((i) => !arrivals[i]?.leaves);
        assert.deepEqual(stayed.filter((i) => !entered.includes(i)), []);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("Admission refuses when the queue is full, and lets go only once", async () => {
  const admission = new Admission({ maxConcurrency: 2, maxQueue: 1 });
  const first = await admission.enter(2, never);
  const second = admission.enter(1, never);
  await assert.rejects(
    admission.enter(1, never),
    (error) => error instanceof ApiError && error.status === 429,
  );
  assert.throws(() => admission.check(1), ApiError);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  assert.equal(admission.used, 0);
  await assert.rejects(admission.enter(1, AbortSignal.abort(new Error("gone"))), /gone/);
});
