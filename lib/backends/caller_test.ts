import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import {
  type Backend,
  BackendError,
  type Completion,
  type FailureKind,
  type GenerateRequest,
} from "./backend.ts";
import { BudgetError, createBudget } from "./budget.ts";
import { openCache } from "./cache.ts";
import { createCaller, type CreateCallerOptions, type TryRecord } from "./caller.ts";
import { openSimulated } from "./simulated.ts";
import { createFakeClock } from "./testing/fake_clock.ts";
import { parseVariants, pickVariant } from "./variants.ts";

const price = { inputPerMTok: 1, outputPerMTok: 10 };
function variant(fields: object = {}) {
  const spec = {
    backend: "simulated",
    mode: "decay",
    description: "d",
    contextWindow: 10_000,
    price,
    ...fields,
  };
  return pickVariant(parseVariants(JSON.stringify({ variants: { v: spec } }), "m.json"), "v");
}
const request: GenerateRequest = { messages: [{ role: "user", content: "hello there" }], maxTokens: 10 };
const completion: Completion = {
  text: "hi",
  reasoning: null,
  finishReason: "stop",
  usage: { promptTokens: 4, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
  requestId: "r",
  model: "m",
  logprobs: null,
};

/** A backend that plays a list of outcomes, then answers. */
function scripted(outcomes: readonly (FailureKind | BackendError | Completion)[], fields: object = {}) {
  let calls = 0;
  const inner = openSimulated(variant(fields) as never);
  const generate = (): Promise<Completion> => {
    const outcome = outcomes[calls++] ?? completion;
    if (typeof outcome === "string") return Promise.reject(new BackendError(outcome, `a ${outcome}`));
    return outcome instanceof BackendError ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  const backend: Backend = { ...inner, variant: inner.variant, generate, continueFrom: generate };
  return { backend, calls: () => calls };
}

function setUp(
  outcomes: Parameters<typeof scripted>[0],
  options: CreateCallerOptions = {},
  fields: object = {},
) {
  const clock = createFakeClock(0);
  const { backend, calls } = scripted(outcomes, fields);
  const caller = createCaller(backend, { clock, random: createRandom(1), ...options });
  const tries: TryRecord[] = [];
  const call = () => clock.run(caller.call(request, { tokens: 4, onTry: (t) => void tries.push(t) }));
  return { clock, caller, tries, call, calls };
}

Deno.test("createCaller() tries a retryable failure again and records every try", async () => {
  const { call, tries, clock } = setUp(["server", "network", "malformed"]);
  assert.deepEqual(await call(), completion);
  assert.deepEqual(tries.map((t) => [t.attempt, t.error?.kind, t.willRetry]), [
    [1, "server", true],
    [2, "network", true],
    [3, "malformed", true],
    [4, undefined, false],
  ]);
  assert.ok(clock.now() > 0 && clock.now() <= 1000 + 2000 + 4000);
});

Deno.test("createCaller() gives up after the stated number of retries", async () => {
  const { call, calls, tries } = setUp(Array(20).fill("timeout"), { retry: { retries: 3 } });
  await assert.rejects(call(), (error) => error instanceof BackendError && error.kind === "timeout");
  assert.equal(calls(), 4);
  assert.equal(tries.at(-1)?.willRetry, false);
});

Deno.test("createCaller() tries nothing again that cannot succeed later", async () => {
  for (const kind of ["auth", "context_length", "bad_request", "unsupported"] as const) {
    const { call, calls } = setUp([kind]);
    await assert.rejects(call(), (error) => error instanceof BackendError && error.kind === kind);
    assert.equal(calls(), 1);
  }
});

Deno.test("createCaller() waits at least Retry-After, and halves its concurrency", async () => {
  const limited = new BackendError("rate_limit", "slow down", { status: 429, retryAfterMs: 30_000 });
  const { call, clock, caller } = setUp([limited]);
  await call();
  assert.ok(clock.now() >= 30_000 && clock.now() <= 31_000);
  assert.equal(caller.snapshot().concurrency, 8);
});

Deno.test("createCaller() does not wait for a server that asks for hours", async () => {
  const limited = new BackendError("rate_limit", "tomorrow", { status: 429, retryAfterMs: 9e6 });
  const { call, calls, clock } = setUp([limited]);
  await assert.rejects(call(), /tomorrow/);
  assert.equal(calls(), 1);
  assert.equal(clock.now(), 0);
});

Deno.test("createCaller() counts what a failed try may have cost, and nothing for a refused one", async () => {
  const { call, tries, caller } = setUp(["server", "rate_limit"]);
  await call();
  const most = (4 + 16 + 100) / 1e6;
  assert.ok(Math.abs((tries[0]?.costUsd as number) - most) < 1e-12);
  assert.equal(tries[1]?.costUsd, 0);
  assert.ok(Math.abs(caller.snapshot().spentUsd - most - 14 / 1e6) < 1e-12);
  assert.equal(caller.snapshot().usage.failures, 2);
});

Deno.test("createCaller() stops before the budget is passed, whatever fails", async () => {
  const random = createRandom(3);
  const outcomes = Array.from(
    { length: 5000 },
    () => random.pick(["server", "rate_limit", completion] as const),
  );
  const budget = createBudget(0.01);
  const { caller, clock } = setUp(outcomes, { budget });
  let stopped = 0;
  await clock.run(
    Promise.all(Array.from({ length: 2000 }, () =>
      caller.call(request, { tokens: 4 }).catch((error) => {
        if (error instanceof BudgetError) stopped++;
        else assert.ok(error instanceof BackendError);
      }))),
  );
  assert.ok(stopped > 0);
  assert.ok(budget.spentUsd <= 0.01);
  assert.ok(budget.spentUsd > 0.0098);
});

Deno.test("createCaller() refuses a budget when the price is unknown", () => {
  const { backend } = scripted([]);
  assert.throws(
    () => createCaller(backend, { budget: createBudget(1), price: null }),
    /price of v is unknown/,
  );
});

Deno.test("createCaller() answers from the cache without sending, and never caches an error", async () => {
  const folder = await Deno.makeTempDir();
  {
    using cache = openCache(`${folder}/cache.sqlite`);
    const { call, calls, tries, caller } = setUp(["auth"], { cache });
    await assert.rejects(call());
    assert.deepEqual(await call(), completion);
    assert.deepEqual(await call(), { ...completion, fromCache: true });
    assert.equal(calls(), 2);
    assert.equal(tries.at(-1)?.costUsd, 0);
    assert.equal(caller.snapshot().cacheHits, 1);
    await caller.call(request, { tokens: 4, epoch: 1 });
    assert.equal(calls(), 3);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("createCaller() stops waiting when the signal is aborted", async () => {
  const { caller, clock, calls } = setUp(Array(9).fill("server"));
  const stop = new AbortController();
  const call = caller.call(request, {
    tokens: 4,
    signal: stop.signal,
    onTry: () => stop.abort(new Error("enough")),
  });
  await assert.rejects(clock.run(call), /enough/);
  assert.equal(calls(), 1);
  assert.equal(caller.snapshot().underWay, 0);
});

Deno.test("createCaller() shows a fault of the program instead of trying again", async () => {
  const { backend } = scripted([]);
  const caller = createCaller({
    ...backend,
    generate: () => Promise.reject(new TypeError("x is not a function")),
  });
  await assert.rejects(caller.call(request, { tokens: 4 }), /should not: x is not a function/);
  assert.equal(caller.snapshot().underWay, 0);
});

Deno.test("createCaller() makes 20,000 simulated requests in a few seconds", async () => {
  const caller = createCaller(openSimulated(variant() as never));
  const started = performance.now();
  for (let i = 0; i < 20_000; i++) {
    await caller.call({
      messages: [{ role: "user", content: `Request ${i} ${"x".repeat(1000)}` }],
      maxTokens: 20,
    }, {
      tokens: 340,
    });
  }
  assert.equal(caller.snapshot().usage.calls, 20_000);
  assert.ok(performance.now() - started < 6000);
});
