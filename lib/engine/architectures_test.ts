import assert from "node:assert/strict";
import { lengthLimit } from "./rope_table.ts";
import { differences, withReference } from "./testing/reference.ts";
import { worst } from "./testing/with_checkpoint.ts";

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
    await withReference(name, async (model, { ids, greedy: all }) => {
      using prefix = await model.prefill(ids);
      const greedy = all.slice(0, lengthLimit(model.config, ids.length) - ids.length);
      for (const n of [1, 2]) {
        const samples = await prefix.generate({ n, maxNewTokens: greedy.length, ignoreEos: true });
        for (const { tokens } of samples) assert.deepEqual(tokens, greedy);
      }
    });
  });

  Deno.test(`prefill() gives the same on ${name} however the prompt is cut`, async () => {
    await withReference(name, async (model, { ids, greedy: all, arrays }) => {
      const greedy = all.slice(0, lengthLimit(model.config, ids.length) - ids.length);
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

Deno.test("sequences past longrope's original window have its long factors, and are not mixed with others", async () => {
  await withReference("phi3", async (model, { ids, greedy }) => {
    const original = 56;
    const start = [...ids, ...greedy.slice(0, original - ids.length)];
    using short = await model.prefill(start, { reuse: true });
    const [only] = await short.generate({ maxNewTokens: 10, ignoreEos: true });
    assert.equal(only?.finishReason, "length");
    assert.deepEqual(only?.tokens, greedy.slice(original - ids.length).slice(0, 1));
    await assert.rejects(short.extend([1]), /InputError: .*57: past 56 tokens.*Prefill the whole prompt/);
    for (const length of [17, 20, 25]) {
      using long = await model.prefill([...ids, ...greedy.slice(0, length)], { reuse: true });
      assert.equal(long.cachedTokens, length === 17 ? 0 : ids.length + (length === 20 ? 17 : 20));
      const rest = { maxNewTokens: greedy.length - length, ignoreEos: true };
      using other = await model.prefill(ids);
      const [[continued] = [], [beside] = []] = await model.generateMany([
        { prefix: long, ...rest },
        { prefix: other, maxNewTokens: 5, ignoreEos: true },
      ]);
      assert.deepEqual(continued?.tokens, greedy.slice(length));
      assert.deepEqual(beside?.tokens, greedy.slice(0, 5));
    }
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
