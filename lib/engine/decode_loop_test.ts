import assert from "node:assert/strict";
import fc from "fast-check";
import { prompt, withModel } from "./testing/with_checkpoint.ts";
import type { Decoder, GenerateOptions, Prefix, Sample } from "./types.ts";

const tokens = (samples: readonly Sample[]) => samples.map((sample) => sample.tokens);

/** Waits until a call has drawn this many tokens. */
function drawn(count: number): { readonly onToken: () => void; readonly reached: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  return { onToken: () => void (++seen >= count && resolve()), reached: promise };
}

for (const window of [null, 24]) {
  const name = window === null ? "" : ` where layers see ${window} tokens`;
  Deno.test(`calls that join one under way draw what they draw alone${name}`, async () => {
    const mistral = { architectures: ["MistralForCausalLM"], model_type: "mistral", sliding_window: window };
    const shape = { window: 512, ...(window === null ? {} : { config: mistral }) };
    await withModel(shape, async (model) => {
      const how = fc.record({
        length: fc.integer({ min: 1, max: 60 }),
        after: fc.nat(40),
        n: fc.integer({ min: 1, max: 3 }),
        maxNewTokens: fc.integer({ min: 1, max: 90 }),
        temperature: fc.constantFrom(0, 1),
        seed: fc.nat(9),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(how, { minLength: 2, maxLength: 6 }), async (calls) => {
          const prefixes = await Promise.all(
            calls.map(({ length }) => model.prefill(prompt(length, length))),
          );
          const options = calls.map(({ n, seed, maxNewTokens, temperature }): GenerateOptions => ({
            n,
            maxNewTokens,
            temperature,
            seeds: Array.from({ length: n }, (_, i) => `${seed} ${i}`),
            ignoreEos: true,
          }));
          const alone: number[][][] = [];
          for (const [i, prefix] of prefixes.entries()) {
            alone.push(tokens(await prefix.generate(options[i] as GenerateOptions)));
          }
          const together = await staggered(model, prefixes, options, calls.map(({ after }) => after));
          assert.deepEqual(together, alone);
          for (const prefix of prefixes) prefix[Symbol.dispose]();
        }),
        { numRuns: 15, seed: 5 },
      );
    });
  });
}

/** Begins each call once a long one has drawn `after` tokens. */
async function staggered(
  model: Decoder,
  prefixes: readonly Prefix[],
  options: readonly GenerateOptions[],
  after: readonly number[],
): Promise<number[][][]> {
  using long = await model.prefill(prompt(33, 1));
  const stop = new AbortController();
  let seen = 0;
  const waiting: { readonly at: number; readonly go: () => void }[] = [];
  const calls = prefixes.map(async (prefix, i) => {
    await new Promise<void>((go) => waiting.push({ at: after[i] as number, go }));
    return tokens(await prefix.generate(options[i] as GenerateOptions));
  });
  const longCall = long.generate({
    maxNewTokens: 400,
    ignoreEos: true,
    signal: stop.signal,
    onToken: () => {
      seen++;
      for (const { at, go } of waiting) if (seen > at) go();
    },
  });
  const results = await Promise.all(calls);
  stop.abort();
  await longCall;
  return results;
}

Deno.test("calls share their steps, and one that is stopped leaves the others alone", async () => {
  await withModel({ window: 512 }, async (model) => {
    using first = await model.prefill(prompt(20, 1));
    using second = await model.prefill(prompt(30, 2));
    const alone = tokens(await first.generate({ maxNewTokens: 100, ignoreEos: true }));
    const before = (await model.stats()).decodeSteps;
    const abort = new AbortController();
    const { onToken, reached } = drawn(10);
    const a = first.generate({ maxNewTokens: 100, ignoreEos: true, onToken });
    await reached;
    const b = second.generate({ maxNewTokens: 300, ignoreEos: true, signal: abort.signal });
    const c = drawn(20);
    const d = second.generate({ n: 2, maxNewTokens: 30, ignoreEos: true, onToken: c.onToken });
    await c.reached;
    abort.abort();
    const [stopped] = await b;
    assert.equal(stopped?.finishReason, "aborted");
    assert.ok((stopped?.tokens.length ?? 0) >= 5, "it has what was drawn before it was stopped");
    assert.deepEqual(tokens(await a), alone);
    assert.deepEqual((await d).map((sample) => sample.tokens.length), [30, 30]);
    const steps = (await model.stats()).decodeSteps - before;
    assert.ok(steps <= 101, `${steps} steps for calls of 100, 30 and some tokens at the same time`);
  });
});

Deno.test("a steered call does not touch those that go on beside it", async () => {
  await withModel({ window: 512 }, async (model) => {
    using prefix = await model.prefill(prompt(20, 1));
    const options = { maxNewTokens: 40, ignoreEos: true };
    const plain = tokens(await prefix.generate(options));
    const vector = new Float32Array(model.hiddenSize).fill(3);
    const steer = [{
      component: "residual",
      layer: 0,
      vector,
      coef: 4,
      mode: "add",
      phase: "response",
    }] as const;
    const steered = tokens(await prefix.generate({ ...options, steer }));
    assert.notDeepEqual(steered, plain);
    const both = await Promise.all([prefix.generate(options), prefix.generate({ ...options, steer })]);
    assert.deepEqual(both.map(tokens), [plain, steered]);
  });
});

Deno.test("topLogprobs gives the likeliest tokens at each step", async () => {
  await withModel({}, async (model) => {
    using prefix = await model.prefill(prompt(9));
    const [sample] = await prefix.generate({ maxNewTokens: 5, ignoreEos: true, topLogprobs: 3 });
    assert.equal(sample?.topLogprobs?.length, 5);
    for (const [i, top] of sample?.topLogprobs?.entries() ?? []) {
      assert.equal(top.length, 3);
      assert.deepEqual(top[0], { token: sample?.tokens[i], logprob: sample?.logprobs?.[i] });
      assert.ok(top.every(({ logprob }, k) => k === 0 || logprob <= (top[k - 1]?.logprob as number)));
    }
    await assert.rejects(
      prefix.generate({ maxNewTokens: 1, topLogprobs: 101 }),
      /InputError: topLogprobs is 101/,
    );
  });
});
