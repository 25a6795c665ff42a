import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { createLimiter, WINDOW_MS } from "./limits.ts";
import { createFakeClock } from "./testing/fake_clock.ts";

const MINUTE = 60_000;
const limits = (tokens: number | null, requests: number | null, concurrency = 1000) => ({
  tokensPerMinute: tokens,
  requestsPerMinute: requests,
  maxConcurrency: concurrency,
});

Deno.test("createLimiter() never lets a sliding minute exceed its limits, for random requests", async () => {
  const job = fc.record({
    gap: fc.integer({ min: 0, max: 20_000 }),
    tokens: fc.integer({ min: 1, max: 1000 }),
    usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    latency: fc.integer({ min: 0, max: 90_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(job, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), async (jobs, rpm) => {
      const clock = createFakeClock();
      const limiter = createLimiter(limits(1000, rpm, 7), clock);
      const sent: { at: number; tokens: number }[] = [];
      let underWay = 0;
      await clock.run(Promise.all(jobs.map(async (job, i) => {
        await clock.sleep(jobs.slice(0, i + 1).reduce((sum, j) => sum + j.gap, 0));
        const permit = await limiter.acquire(job.tokens);
        assert.ok(++underWay <= 7);
        const used = Math.ceil(job.tokens * job.usedShare);
        sent.push({ at: clock.now(), tokens: used });
        await clock.sleep(job.latency);
        underWay--;
        permit.done("success", used);
      })));
      assert.equal(sent.length, jobs.length);
      for (const { at } of sent) {
        const window = sent.filter((s) => s.at > at - MINUTE && s.at <= at);
        assert.ok(window.length <= rpm);
        assert.ok(window.reduce((sum, s) => sum + s.tokens, 0) <= 1000);
      }
    }),
    { seed: 1, numRuns: 30 },
  );
});

Deno.test("createLimiter() keeps to the limit on average when single requests are larger than it", async () => {
  const clock = createFakeClock(0);
  const limiter = createLimiter(limits(1000, null), clock);
  const sent: number[] = [];
  await clock.run((async () => {
    for (const tokens of [100, 3000, 100]) {
      (await limiter.acquire(tokens)).done("success", tokens);
      sent.push(clock.now());
    }
  })());
  assert.deepEqual(sent, [0, WINDOW_MS, WINDOW_MS * 4]);
});

Deno.test("createLimiter() uses a minute's limit to the full when requests take less than they reserved", async () => {
  const clock = createFakeClock(0);
  const limiter = createLimiter(limits(1000, null), clock);
  await clock.run((async () => {
    for (let i = 0; i < 10; i++) (await limiter.acquire(900)).done("success", 10);
  })());
  assert.equal(clock.now(), 0);
});

Deno.test("createLimiter() halves its concurrency once for a burst of 429 and grows by one after a run", async () => {
  const clock = createFakeClock();
  const limiter = createLimiter(limits(null, null, 8), clock);
  const burst = await Promise.all(Array.from({ length: 8 }, () => limiter.acquire(1)));
  for (const permit of burst) permit.done("rate_limit");
  assert.equal(limiter.state().concurrency, 4);
  for (let i = 0; i < 4; i++) (await limiter.acquire(1)).done("success");
  assert.equal(limiter.state().concurrency, 5);
  for (let i = 0; i < 100; i++) (await limiter.acquire(1)).done("success");
  assert.equal(limiter.state().concurrency, 8);
  for (let i = 0; i < 6; i++) (await limiter.acquire(1)).done("rate_limit");
  assert.equal(limiter.state().concurrency, 1);
});

Deno.test("createLimiter() grants in order and sends nothing while paused", async () => {
  const clock = createFakeClock(0);
  const limiter = createLimiter(limits(null, null, 1), clock);
  const order: [number, number][] = [];
  limiter.pause(5000);
  await clock.run(Promise.all([0, 1, 2].map(async (i) => {
    const permit = await limiter.acquire(1);
    order.push([i, clock.now()]);
    await clock.sleep(10);
    permit.done("success");
  })));
  assert.deepEqual(order, [[0, 5000], [1, 5010], [2, 5020]]);
});

Deno.test("createLimiter() forgets a waiting request whose signal is aborted", async () => {
  const clock = createFakeClock(0);
  const limiter = createLimiter(limits(null, null, 1), clock);
  const first = await limiter.acquire(1);
  const stop = new AbortController();
  const second = limiter.acquire(1, stop.signal);
  const third = limiter.acquire(1);
  stop.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  first.done("success");
  (await third).done("success");
  assert.equal(limiter.state().underWay, 0);
});

Deno.test("createLimiter() stays cheap for 100,000 requests under a limit", async () => {
  const limiter = createLimiter(limits(1e9, 1_000_000), createFakeClock());
  const random = createRandom(1);
  const started = performance.now();
  for (let i = 0; i < 100_000; i++) (await limiter.acquire(100)).done("success", random.int(100));
  assert.ok(performance.now() - started < 4000);
});
