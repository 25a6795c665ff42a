import assert from "node:assert/strict";
import { differences, withReference } from "./testing/reference.ts";
import { logProbability } from "./sampling.ts";
import { prompt, withModel, worst } from "./testing/with_checkpoint.ts";

/** What an independent fp32 implementation should keep to: see the README of the shared reference results. */
const TOLERANCE = 3e-4;

const names = ["llama", "qwen2", "qwen3", "mistral", "phi3", "smollm3", "gemma3", "gemma3-multimodal"];

for (const name of names) {
  Deno.test(`forward() agrees with transformers on ${name}`, async () => {
    await withReference(name, async (model, reference) => {
      for (const [what, difference] of Object.entries(await differences(model, reference))) {
        assert.ok(difference <= TOLERANCE, `${what} differs by ${difference}`);
      }
    });
  });

  Deno.test(`generate() continues as transformers does on ${name}`, async () => {
    await withReference(name, async (model, { ids, greedy }) => {
      using prefix = await model.prefill(ids);
      for (const n of [1, 2]) {
        const samples = await prefix.generate({ n, maxNewTokens: greedy.length, ignoreEos: true });
        for (const { tokens } of samples) assert.deepEqual(tokens, greedy);
      }
    });
  });

  Deno.test(`prefill() gives the same on ${name} however the prompt is cut`, async () => {
    await withReference(name, async (model, { ids, greedy, arrays }) => {
      const expected = (arrays["logits"] as Float32Array).slice(-model.config.vocabSize);
      using start = await model.prefill(ids.slice(0, 7));
      using middle = await start.extend(ids.slice(7, 29));
      using whole = await middle.extend(ids.slice(29));
      await model.prefill(ids.slice(0, 31), { reuse: true });
      using reused = await model.prefill(ids, { reuse: true });
      assert.equal(reused.cachedTokens, 31);
      for (const prefix of [whole, reused]) {
        assert.ok(worst(prefix.logits, expected) <= TOLERANCE);
        const [sample] = await prefix.generate({ maxNewTokens: greedy.length, ignoreEos: true });
        assert.deepEqual(sample?.tokens, greedy);
      }
    });
  });
}

Deno.test("windows hold across the chunks of a prefill, and while decoding", async () => {
  const architecture = { architectures: ["MistralForCausalLM"], sliding_window: 700 };
  const ids = prompt(2300);
  const logits: Float32Array[] = [];
  for (const config of [architecture, { ...architecture, sliding_window: null }]) {
    await withModel({ window: 2400, config }, async (model) => {
      using whole = await model.prefill(ids);
      using start = await model.prefill(ids.slice(0, 650));
      using middle = await start.extend(ids.slice(650, 1500));
      using end = await middle.extend(ids.slice(1500));
      assert.ok(worst(end.logits, whole.logits) < 1e-4);
      logits.push(whole.logits);
      // The same tokens, decoded one by one from the beginning of the window's reach.
      const [sample] = await middle.generate({ maxNewTokens: 60, ignoreEos: true, logprobs: true });
      const { tokens = [], logprobs = [] } = sample ?? {};
      const all = (await model.forward([...ids.slice(0, 1500), ...tokens])).logits;
      for (const [i, token] of tokens.entries()) {
        const v = model.config.vocabSize;
        const row = all.subarray((1499 + i) * v, (1500 + i) * v);
        assert.ok(Math.abs(logProbability(row, token) - (logprobs[i] as number)) < 1e-4);
      }
    });
  }
  assert.ok(worst(logits[0] as Float32Array, logits[1] as Float32Array) > 0.01, "the window matters");
});

Deno.test("sequences that grow past longrope's original window are computed again with its long factors", async () => {
  await withReference("phi3", async (model, { ids, greedy }) => {
    const original = 56;
    const until = (length: number) => [...ids, ...greedy.slice(0, length - ids.length)];
    const rest = (length: number) => greedy.slice(length - ids.length);
    using short = await model.prefill(until(original), { reuse: true });
    for (const [length, cachedTokens] of [[57, 0], [60, 57], [65, 60]] as const) {
      using long = await model.prefill(until(length), { reuse: true });
      assert.equal(long.cachedTokens, cachedTokens);
      const how = { maxNewTokens: rest(length).length, ignoreEos: true };
      using other = await model.prefill(ids);
      const [[continued] = [], [beside, sampled] = []] = await model.generateMany([
        { prefix: long, ...how },
        { prefix: other, n: 2, maxNewTokens: 24, ignoreEos: true },
      ]);
      assert.deepEqual(continued?.tokens, rest(length));
      assert.deepEqual(beside?.tokens, greedy.slice(0, 24));
      assert.deepEqual(sampled?.tokens, greedy.slice(0, 24));
    }
    using extended = await short.extend(until(59).slice(original));
    const [sample] = await extended.generate({ maxNewTokens: rest(59).length, ignoreEos: true });
    assert.deepEqual(sample?.tokens, rest(59));
    const [again] = await short.generate({ maxNewTokens: rest(original).length, ignoreEos: true });
    assert.deepEqual(again?.tokens, rest(original));
  });
});

Deno.test("prefixes that were edited or steered end at longrope's original window", async () => {
  await withReference("phi3", async (model, { ids }) => {
    const { hiddenSize, config: { numKvHeads, headDim } } = model;
    const vector = new Float32Array(hiddenSize).fill(1);
    const steer = [{
      component: "residual",
      layer: 0,
      vector,
      coef: 1,
      mode: "add",
      phase: "prompt",
    }] as const;
    using steered = await model.prefill(ids, { steer });
    using edited = await model.prefill(ids);
    edited.editKV({ layer: 0, slot: 3, value: new Float32Array(numKvHeads * headDim).fill(1) });
    for (const prefix of [steered, edited]) {
      const [sample] = await prefix.generate({ maxNewTokens: 30, ignoreEos: true });
      assert.equal(sample?.finishReason, "length");
      assert.equal(sample?.tokens.length, 56 - ids.length);
      await assert.rejects(prefix.extend(ids), /InputError: .*extended to 80: past 56 tokens/);
    }
    using plain = await model.prefill(ids);
    await assert.rejects(plain.extend(ids, { steer }), /InputError: .*Extend it first/);
  });
});

/** Entries of config.json that matter, and by what they are to be misread. */
const misread: Record<string, Record<string, unknown>> = {
  llama: { rms_norm_eps: 3e-5, "rope_parameters.rope_theta": 10_100, "rope_parameters.factor": 7 },
  qwen2: { sliding_window: 13, max_window_layers: 2, rope_theta: 1.1e6, "rope_scaling.factor": 5 },
  qwen3: {
    rms_norm_eps: 3e-5,
    sliding_window: 11,
    layer_types: undefined,
    "rope_parameters.rope_theta": 1.1e6,
  },
  mistral: { rms_norm_eps: 3e-5, sliding_window: 13, rope_theta: 10_100 },
  phi3: { sliding_window: 25, rope_theta: 10_100, max_position_embeddings: 120 },
  smollm3: { no_rope_layer_interval: 3, no_rope_layers: [1, 1, 1], "rope_parameters.factor": 3 },
  gemma3: {
    rms_norm_eps: 1e-4,
    sliding_window: 11,
    sliding_window_pattern: 3,
    rope_theta: 1.1e6,
    rope_local_base_freq: 10_100,
    query_pre_attn_scalar: 13,
    final_logit_softcapping: undefined,
  },
};

for (const [name, changes] of Object.entries(misread)) {
  Deno.test(`forward() on ${name} leaves transformers as soon as config.json is misread`, async () => {
    for (const [path, value] of Object.entries(changes)) {
      await withReference(name, async (model, { ids, arrays }) => {
        const { logits } = await model.forward(ids);
        const difference = worst(logits, arrays["logits"] as Float32Array);
        assert.ok(difference > 2 * TOLERANCE, `${path} = ${value} moves the logits by only ${difference}`);
      }, (config) => {
        const keys = path.split(".");
        const parent = keys.length === 1 ? config : config[keys[0] as string] as Record<string, unknown>;
        parent[keys.at(-1) as string] = value;
      });
    }
  });
}
