import assert from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import { throttled } from "./throttle.ts";

Deno.test("throttled() works after every 10 ticks, and rests so that it takes a twentieth of the time", async () => {
  let now = 0, works = 0;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  const work = throttled(() => {
    works++;
    now += 100;
    return Promise.resolve();
  }, { every: 10, share: 0.05, clock, onError: (error) => assert.fail(String(error)) });
  const tick = async (n: number) => {
    for (let i = 0; i < n; i++) work.tick();
    await work.idle();
  };
  await tick(9);
  assert.equal(works, 0);
  await tick(1);
  assert.equal(works, 1);
  now += 1899;
  await tick(50);
  assert.equal(works, 1);
  now += 1;
  await tick(1);
  assert.equal(works, 2);
});

Deno.test("throttled() hands on what the work throws", async () => {
  const errors: unknown[] = [];
  const clock: Clock = { now: () => 0, sleep: () => Promise.resolve() };
  const work = throttled(() => Promise.reject(new Error("full")), {
    every: 1,
    share: 1,
    clock,
    onError: (e) => errors.push(e),
  });
  work.tick();
  await work.idle();
  assert.equal((errors[0] as Error).message, "full");
});
