import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadDecoder, loadTokenizer } from "./mod.ts";
import { readSafetensorsHeader, readTensor } from "./safetensors.ts";

const folder = fileURLToPath(new URL("../../../shared/fixtures/hf/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no reference results in ${folder}`);

const ids = z.array(z.int());
const greedy = z.looseObject({ ids });
const goldenSchema = z.looseObject({
  prompt: z.looseObject({ ids }),
  greedy: z.looseObject({ ids, logprobs: z.array(z.number()), text: z.string() }),
  batch: z.array(z.looseObject({ prompt_text: z.string(), prompt_ids: ids, ids })),
  steer: z.looseObject({
    layer: z.int(),
    coef: z.number(),
    all_positions: z.looseObject({ greedy }),
    last_prompt_position: z.looseObject({ greedy }),
  }),
  kv_steer: z.looseObject({ layers: ids, c_k: z.number(), c_v: z.number(), ids }),
  chat: z.array(z.looseObject({
    messages: z.array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() })),
    template_kwargs: z.record(z.string(), z.unknown()),
    text: z.string().optional(),
    text_no_generation_prompt: z.string().optional(),
    ids: ids.optional(),
    error: z.string().optional(),
  })),
  tokenizer_cases: z.array(z.looseObject({
    text: z.string(),
    ids,
    ids_with_special: ids,
    decoded: z.string(),
    decoded_skip_special: z.string(),
  })),
});

async function reference(name: string) {
  const dir = folder + name;
  const golden = goldenSchema.parse(JSON.parse(await Deno.readTextFile(`${dir}/golden.json`)));
  const header = await readSafetensorsHeader(`${dir}/golden.safetensors`);
  const array = async (key: string) => {
    const entry = header.get(key);
    assert.ok(entry, `golden.safetensors holds ${key}`);
    return await readTensor(key, entry);
  };
  return { dir, golden, array };
}

function assertClose(
  actual: Float32Array | undefined,
  expected: Float32Array,
  tolerance: number,
  what: string,
) {
  assert.equal(actual?.length, expected.length, what);
  let worst = 0;
  for (const [i, x] of expected.entries()) worst = Math.max(worst, Math.abs(x - (actual[i] as number)));
  assert.ok(worst <= tolerance, `${what} differs by ${worst}, more than ${tolerance}`);
}

for (const name of ["llama-tied", "llama-tied-bf16", "qwen2"]) {
  Deno.test(`forward() agrees with transformers on ${name}`, { ignore }, async () => {
    const { dir, golden, array } = await reference(name);
    await using model = await loadDecoder(dir);
    const { numLayers: layers, hiddenSize: d, config: { numKvHeads, headDim } } = model;
    const tokens = golden.prompt.ids.length;
    const kinds = ["residual", "resid_mid", "attn_out", "mlp_out", "k", "v"];
    const capture = Array.from({ length: layers }, (_, n) => kinds.map((kind) => `${kind}.${n}`)).flat();
    const plain = await model.forward(golden.prompt.ids);
    const { logits, captured } = await model.forward(golden.prompt.ids, { capture });
    assertClose(plain.logits, await array("logits"), 3e-4, "logits");
    assertClose(logits, await array("logits"), 3e-4, "logits of the open graph");
    const hidden = await array("hidden_states");
    const last = await array("last_block_out");
    const layerOf = (all: Float32Array, n: number) => all.subarray(n * tokens * d, (n + 1) * tokens * d);
    const [attention, mlp] = [await array("attn_out"), await array("mlp_out")];
    const caches = { k: await array("past_keys"), v: await array("past_values") };
    for (let n = 0; n < layers; n++) {
      assertClose(
        captured[`residual.${n}`],
        n === layers - 1 ? last : layerOf(hidden, n + 1),
        3e-4,
        `residual.${n}`,
      );
      assertClose(captured[`attn_out.${n}`], layerOf(attention, n), 3e-4, `attn_out.${n}`);
      assertClose(captured[`mlp_out.${n}`], layerOf(mlp, n), 3e-4, `mlp_out.${n}`);
      const middle = layerOf(hidden, n).map((x, i) => x + (layerOf(attention, n)[i] as number));
      assertClose(captured[`resid_mid.${n}`], middle, 3e-4, `resid_mid.${n}`);
      for (const [which, cache] of Object.entries(caches)) {
        const size = numKvHeads * tokens * headDim;
        const layer = cache.subarray(n * size, (n + 1) * size); // [kvHeads, tokens, headDim]
        const rows = Float32Array.from({ length: size }, (_, i) => {
          const [t, h, x] = [
            Math.floor(i / (numKvHeads * headDim)),
            Math.floor(i / headDim) % numKvHeads,
            i % headDim,
          ];
          return layer[(h * tokens + t) * headDim + x] as number;
        });
        assertClose(captured[`${which}.${n}`], rows, 1e-4, `${which}.${n}`);
      }
    }
  });

  Deno.test(`generate() gives the tokens of transformers on ${name}`, { ignore }, async () => {
    const { dir, golden } = await reference(name);
    await using model = await loadDecoder(dir);
    using prefix = await model.prefill(golden.prompt.ids);
    const maxNewTokens = golden.greedy.ids.length;
    for (const n of [1, 3]) {
      const samples = await prefix.generate({ n, maxNewTokens, ignoreEos: true, logprobs: true });
      for (const { tokens, text, logprobs = [] } of samples) {
        assert.deepEqual(tokens, golden.greedy.ids);
        assert.equal(text, golden.greedy.text);
        assertClose(Float32Array.from(logprobs), Float32Array.from(golden.greedy.logprobs), 3e-4, "logprobs");
      }
    }
    for (const { prompt_text, prompt_ids, ids } of golden.batch) {
      assert.deepEqual(model.encode(prompt_text, { addSpecialTokens: true }), prompt_ids);
      using other = await model.prefill(prompt_ids);
      const [sample] = await other.generate({ maxNewTokens: ids.length, ignoreEos: true });
      assert.deepEqual(sample?.tokens, ids);
    }
  });

  Deno.test(`steer() and editKV() move ${name} as transformers does`, { ignore }, async () => {
    const { dir, golden: { prompt, steer, kv_steer }, array } = await reference(name);
    await using model = await loadDecoder(dir);
    const vector = await array("steer_v");
    const phases = [
      ["all", "steer_all_logits", steer.all_positions],
      ["last_prompt", "steer_last_logits", steer.last_prompt_position],
    ] as const;
    for (const [phase, logits, expected] of phases) {
      using _handle = model.steer({
        component: "residual",
        layer: steer.layer,
        vector,
        coef: steer.coef,
        mode: "add",
        phase,
      });
      assertClose((await model.forward(prompt.ids)).logits, await array(logits), 3e-4, logits);
      using prefix = await model.prefill(prompt.ids);
      const [sample] = await prefix.generate({ maxNewTokens: expected.greedy.ids.length, ignoreEos: true });
      assert.deepEqual(sample?.tokens, expected.greedy.ids, phase);
    }
    assertClose(
      (await model.forward(prompt.ids)).logits,
      await array("logits"),
      3e-4,
      "logits after the handle",
    );

    using start = await model.prefill(prompt.ids.slice(0, -1));
    const { numKvHeads, headDim } = model.config;
    const width = numKvHeads * headDim;
    const [keys, values] = [await array("kv_steer_k"), await array("kv_steer_v")];
    for (const [j, layer] of kv_steer.layers.entries()) {
      start.editKV({
        layer,
        slot: -1,
        key: keys.slice(j * width, (j + 1) * width),
        value: values.slice(j * width, (j + 1) * width),
        scaleK: kv_steer.c_k,
        scaleV: kv_steer.c_v,
      });
    }
    using prefix = await start.extend(prompt.ids.slice(-1));
    const expected = await array("kv_steer_logits");
    assertClose(prefix.logits, expected.subarray(0, prefix.logits.length), 3e-4, "KV-steered logits");
    const [sample] = await prefix.generate({ maxNewTokens: kv_steer.ids.length, ignoreEos: true });
    assert.deepEqual(sample?.tokens, kv_steer.ids);
  });

  Deno.test(
    `loadTokenizer() encodes, decodes and renders chats as transformers does on ${name}`,
    { ignore },
    async () => {
      const { dir, golden } = await reference(name);
      const tokenizer = await loadTokenizer(dir);
      for (const { text, ids, ids_with_special, decoded, decoded_skip_special } of golden.tokenizer_cases) {
        assert.deepEqual(tokenizer.encode(text), ids, text);
        assert.deepEqual(tokenizer.encode(text, { addSpecialTokens: true }), ids_with_special, text);
        assert.equal(tokenizer.decode(ids), decoded);
        assert.equal(tokenizer.decode(ids, { skipSpecialTokens: true }), decoded_skip_special);
      }
      for (const chat of golden.chat) {
        const render = (addGenerationPrompt: boolean) =>
          tokenizer.renderChat(chat.messages, { addGenerationPrompt, variables: chat.template_kwargs });
        if (chat.error !== undefined) {
          assert.throws(() => render(true), { name: "InputError" });
          continue;
        }
        assert.equal(render(true), chat.text);
        assert.equal(render(false), chat.text_no_generation_prompt);
        assert.deepEqual(tokenizer.encode(render(true)), chat.ids);
      }
    },
  );
}

Deno.test(
  "captures of a model with llama-lora agree with the reference, and steering it by zero changes no bit",
  { ignore },
  async () => {
    const { golden } = await reference("llama-tied");
    const header = await readSafetensorsHeader(`${folder}llama-lora/golden.safetensors`);
    const array = async (key: string) => await readTensor(key, header.get(key) ?? assert.fail(key));
    const ids = golden.prompt.ids;
    for (const mergeLora of [false, true]) {
      await using model = await loadDecoder(`${folder}llama-tied`, {
        lora: `${folder}llama-lora`,
        mergeLora,
      });
      const { numLayers: layers, hiddenSize: d } = model;
      const capture = Array.from({ length: layers }, (_, n) => `residual.${n}`);
      const { logits, captured } = await model.forward(ids, { capture });
      const hidden = await array("hidden_states");
      for (let n = 0; n < layers - 1; n++) {
        const expected = hidden.subarray((n + 1) * ids.length * d, (n + 2) * ids.length * d);
        assertClose(captured[`residual.${n}`], expected, 3e-4, `residual.${n}, merged ${mergeLora}`);
      }
      assertClose(captured[`residual.${layers - 1}`], await array("last_block_out"), 3e-4, "the last block");
      const vector = new Float32Array(d).fill(1);
      const steer = [{
        component: "residual",
        layer: 1,
        vector,
        coef: 0,
        mode: "add",
        phase: "all",
      }] as const;
      assert.deepEqual((await model.forward(ids, { capture, steer })).logits, logits);
      assert.equal((await model.selfTest()).length, 4);
    }
  },
);
