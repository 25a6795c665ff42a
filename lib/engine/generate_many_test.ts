import assert from "node:assert/strict";
import fc from "fast-check";
import { prompt, withCheckpoint, withModel } from "./testing/with_checkpoint.ts";
import { loadDecoder } from "./mod.ts";
import type { BranchEvent, Continuation, Prefix } from "./types.ts";

Deno.test("generateMany() gives each branch what it gives alone, whatever else is in the batch", async () => {
  await withModel({ window: 512, layers: 3, hidden: 64 }, async (model) => {
    // A chain of growing prefixes over one store, a fork of it, and two prefixes of their own.
    const chain = [await model.prefill(prompt(3))];
    for (const length of [1, 40, 9, 100]) {
      chain.push(await (chain.at(-1) as Prefix).extend(prompt(length, length)));
    }
    const fork = await (chain[2] as Prefix).extend(prompt(20, 99));
    const prefixes = [...chain, fork, await model.prefill(prompt(60, 5)), await model.prefill([7])];
    const alone = new Map<string, unknown>();
    const how = fc.record({
      prefix: fc.nat(prefixes.length - 1),
      n: fc.integer({ min: 1, max: 3 }),
      maxNewTokens: fc.integer({ min: 1, max: 12 }),
      temperature: fc.constantFrom(0, 0.7, 1.3),
      topP: fc.constantFrom(1, 0.9),
      topK: fc.constantFrom(0, 30),
      seed: fc.nat(3),
      ignoreEos: fc.boolean(),
      logprobs: fc.boolean(),
      stop: fc.constantFrom([], ["a"], ["e", "\n"]),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(how, { minLength: 1, maxLength: 5 }), async (requests) => {
        const branches = requests.map(({ prefix, seed, ...rest }): Continuation => ({
          prefix: prefixes[prefix] as Prefix,
          seeds: Array.from({ length: rest.n }, (_, i) => `${seed}/${i}`),
          ...rest,
        }));
        const together = await model.generateMany(branches);
        for (const [i, { prefix, ...options }] of branches.entries()) {
          const key = JSON.stringify(requests[i]);
          if (!alone.has(key)) alone.set(key, withoutLogprobs(await prefix.generate(options)));
          assert.deepEqual(withoutLogprobs(together[i] ?? []), alone.get(key));
          for (const sample of together[i] ?? []) assert.equal("logprobs" in sample, options.logprobs);
        }
      }),
      { numRuns: 40, seed: 11 },
    );
    for (const prefix of prefixes) prefix[Symbol.dispose]();
  });
});

/** Log-probabilities may differ in their last digits between batches. */
function withoutLogprobs(samples: readonly { readonly logprobs?: number[] }[]): unknown[] {
  return samples.map(({ logprobs, ...rest }) => ({
    ...rest,
    logprobs: logprobs?.map((x) => Math.round(x * 1e3) / 1e3),
  }));
}

Deno.test("extend() prefills only what is new, and stats() counts it", async () => {
  await withModel({}, async (model) => {
    using first = await model.prefill(prompt(50));
    assert.equal((await model.stats()).prefilledTokens, 50);
    using second = await first.extend(prompt(7));
    using third = await second.extend(prompt(5));
    assert.equal((await model.stats()).prefilledTokens, 62);
    const samples = await model.generateMany([first, second, third].map((prefix) => ({
      prefix,
      n: 2,
      maxNewTokens: 9,
      ignoreEos: true,
    })));
    assert.deepEqual(samples.map((own) => own.map(({ tokens }) => tokens.length)), [[9, 9], [9, 9], [9, 9]]);
    const { prefilledTokens, reusedTokens, generatedTokens, decodeSteps } = await model.stats();
    // The first token of each sample comes from the prefix's own logits.
    assert.deepEqual([prefilledTokens, reusedTokens, generatedTokens, decodeSteps], [62, 0, 54, 8]);
    using _again = await model.prefill(prompt(50), { reuse: true });
    using _more = await model.prefill([...prompt(50), 1], { reuse: true });
    const after = await model.stats();
    assert.deepEqual([after.prefilledTokens, after.reusedTokens], [113, 50]);
    assert.ok(after.cacheBytes > 0);
  });
});

Deno.test("generateMany() works in a worker, names the branch of each token, and refuses foreign prefixes", async () => {
  await withCheckpoint({}, async (dir) => {
    await using model = await loadDecoder(dir);
    await using other = await loadDecoder(dir);
    using short = await model.prefill(prompt(5));
    using long = await short.extend(prompt(30));
    const events: BranchEvent[] = [];
    const samples = await model.generateMany([
      { prefix: long, n: 2, maxNewTokens: 4, temperature: 1, seeds: ["x", "y"], ignoreEos: true },
      { prefix: short, maxNewTokens: 6, ignoreEos: true, topLogprobs: 3 },
    ], { onToken: (event) => events.push(event) });
    const seen = (request: number, sample: number) =>
      events.filter((event) => event.request === request && event.sample === sample).map(({ token }) =>
        token
      );
    assert.deepEqual([seen(0, 0), seen(0, 1), seen(1, 0)], samples.flat().map(({ tokens }) => tokens));
    const scored = events.filter(({ request }) => request === 1);
    assert.deepEqual(scored.map(({ logprob }) => logprob), samples[1]?.[0]?.logprobs);
    assert.deepEqual(scored.map(({ topLogprobs }) => topLogprobs), samples[1]?.[0]?.topLogprobs);
    assert.ok(events.every((event) => event.request === 1 || !("logprob" in event)));
    assert.deepEqual(await model.generateMany([]), []);
    await assert.rejects(
      other.generateMany([{ prefix: short, maxNewTokens: 1 }]),
      /InputError: .*another model/,
    );
    assert.deepEqual((await model.stats()).prefilledTokens, 35);
  });
});

Deno.test("a call in the queue ends at once when its signal fires", async () => {
  await withCheckpoint({ window: 4096, layers: 6, hidden: 128 }, async (dir) => {
    await using model = await loadDecoder(dir, { threads: 1 });
    using prefix = await model.prefill(prompt(10));
    let done = false;
    const slow = model.prefill(prompt(4000)).then((made) => {
      done = true;
      return made;
    });
    const abort = new AbortController();
    const queued = [
      model.prefill(prompt(20), { signal: abort.signal }),
      model.forward(prompt(20), { signal: abort.signal }),
      prefix.extend(prompt(20), { signal: abort.signal }),
    ];
    const generated = prefix.generate({ n: 2, maxNewTokens: 5, signal: abort.signal });
    abort.abort(new Error("enough"));
    for (const call of queued) await assert.rejects(call, /enough/);
    assert.deepEqual(await generated, Array(2).fill({ tokens: [], text: "", finishReason: "aborted" }));
    assert.equal(done, false, "the call that was running has not ended yet");
    (await slow)[Symbol.dispose]();
    assert.equal((await prefix.generate({ maxNewTokens: 2, ignoreEos: true }))[0]?.tokens.length, 2);
  });
});

Deno.test("what is cancelled frees its memory: prefills between chunks, generation between tokens", async () => {
  await withCheckpoint({ window: 4096, layers: 6, hidden: 64 }, async (dir) => {
    await using model = await loadDecoder(dir, { cacheBytes: 0 });
    const ids = prompt(4000);
    const { numLayers, numKvHeads, headDim } = model.config;
    const bytes = ids.length * numLayers * numKvHeads * headDim * 2 * 4;
    const cancelled = async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 5);
      await assert.rejects(model.prefill(ids, { signal: stop.signal }), { name: "AbortError" });
      using prefix = await model.prefill(ids.slice(0, 20));
      const enough = new AbortController();
      const [sample] = await prefix.generate({
        maxNewTokens: 1000,
        ignoreEos: true,
        signal: enough.signal,
        onToken: () => enough.abort(),
      });
      assert.equal(sample?.finishReason, "aborted");
    };
    for (let i = 0; i < 4; i++) await cancelled();
    const before = Deno.memoryUsage().rss;
    const times = 12;
    for (let i = 0; i < times; i++) await cancelled();
    const grown = Deno.memoryUsage().rss - before;
    assert.ok(grown < times * bytes / 3, `${times} cancelled prefills of ${bytes} bytes left ${grown} bytes`);
  });
});
