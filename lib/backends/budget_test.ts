import assert from "node:assert/strict";
import fc from "fast-check";
import { BudgetError, createBudget } from "./budget.ts";

Deno.test("createBudget() is never passed by any order of requests that cost at most what they reserve", async () => {
  const job = fc.record({
    most: fc.double({ min: 0, max: 3, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    ticks: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(job, { maxLength: 60 }),
      fc.double({ min: 0, max: 20, noNaN: true }),
      async (jobs, max) => {
        const budget = createBudget(max);
        await Promise.all(jobs.map(async ({ most, share, ticks }) => {
          const money = await budget.reserve(most).catch((error) => assert.ok(error instanceof BudgetError));
          for (let i = 0; i < ticks; i++) await Promise.resolve();
          money?.settle(most * share);
          assert.ok(budget.spentUsd <= max);
        }));
      },
    ),
    { seed: 1 },
  );
});

Deno.test("createBudget() waits for requests under way before it refuses", async () => {
  const budget = createBudget(1);
  const first = await budget.reserve(0.9);
  const second = budget.reserve(0.5);
  first.settle(0.2);
  (await second).settle(0.5);
  assert.equal(budget.spentUsd, 0.7);
  await assert.rejects(budget.reserve(0.4), /\$1 stops here.*--max-usd/s);
});

Deno.test("createBudget() counts what earlier runs spent, and null is no limit", async () => {
  await assert.rejects(createBudget(1, { spentUsd: 0.95 }).reserve(0.1), BudgetError);
  const free = createBudget(null);
  (await free.reserve(1e9)).settle(1e9);
  assert.equal(free.spentUsd, 1e9);
});

Deno.test("createBudget() settles a reservation once", async () => {
  const budget = createBudget(1);
  const money = await budget.reserve(0.5);
  money.settle(0.1);
  money.settle(0.1);
  assert.equal(budget.spentUsd, 0.1);
});
