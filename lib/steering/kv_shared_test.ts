/** Keys and activations against what transformers computed. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { openSteerable } from "../backends/steerable.ts";
import { parseVariants, pickVariant } from "../backends/variants.ts";
import { readConfig, rotateKey, unrotateKey } from "../engine/mod.ts";
import { readSafetensorsHeader, readTensor } from "../engine/safetensors.ts";

const folder = fileURLToPath(new URL("../../../shared/fixtures/hf/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no reference results in ${folder}`);

async function arrays(path: string) {
  const header = await readSafetensorsHeader(path);
  return async (name: string) => {
    const entry = header.get(name);
    return entry === undefined ? null : await readTensor(name, entry);
  };
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs((a[i] as number) - (b[i] as number)));
  return worst;
}

for (const name of ["llama-tied", "qwen2"]) {
  Deno.test(
    `unrotateKey() turns the cached keys of ${name} into what its weights give`,
    { ignore },
    async () => {
      const dir = join(folder, name);
      const config = await readConfig(dir);
      const { hiddenSize: d, numKvHeads, headDim, numLayers, normEpsilon } = config;
      const golden = await arrays(join(dir, "golden.safetensors"));
      const weights = await arrays(join(dir, "model.safetensors"));
      const hidden = await golden("hidden_states") ?? assert.fail();
      const cached = await golden("past_keys") ?? assert.fail();
      const width = numKvHeads * headDim;
      const length = hidden.length / d / (numLayers + 1);
      for (let layer = 0; layer < numLayers; layer++) {
        const scale = await weights(`model.layers.${layer}.input_layernorm.weight`) ?? assert.fail();
        const matrix = await weights(`model.layers.${layer}.self_attn.k_proj.weight`) ?? assert.fail();
        const bias = await weights(`model.layers.${layer}.self_attn.k_proj.bias`);
        for (let position = 0; position < length; position++) {
          const x = hidden.subarray((layer * length + position) * d, (layer * length + position + 1) * d);
          const size = Math.sqrt(x.reduce((sum, one) => sum + one * one, 0) / d + normEpsilon);
          const bare = Float32Array.from({ length: width }, (_, row) => {
            let sum = bias?.[row] ?? 0;
            for (let i = 0; i < d; i++) {
              sum += (matrix[row * d + i] as number) * (x[i] as number) / size * (scale[i] as number);
            }
            return sum;
          });
          const key = Float32Array.from({ length: width }, (_, i) => {
            const head = Math.floor(i / headDim);
            return cached[
              ((layer * numKvHeads + head) * length + position) * headDim + i % headDim
            ] as number;
          });
          const place = { layer, position, length };
          assert.ok(
            farthest(unrotateKey(config, key, place), bare) < 1e-4,
            `layer ${layer}, position ${position}`,
          );
          assert.ok(
            farthest(rotateKey(config, bare, place), key) < 1e-4,
            `layer ${layer}, position ${position}`,
          );
        }
      }
    },
  );
}

Deno.test("openSteerable() reads the activations of a variant with a LoRA as the merged model has them", {
  ignore,
}, async () => {
  const spec = {
    backend: "local",
    description: "d",
    model: join(folder, "llama-tied"),
    lora: join(folder, "llama-lora"),
    contextWindow: 256,
  };
  const variant = pickVariant(
    parseVariants(JSON.stringify({ variants: { tuned: spec } }), "m.json"),
    "tuned",
  );
  await using model = await openSteerable(variant);
  const { decoder } = model;
  const { prompt: { ids } } = z.object({ prompt: z.object({ ids: z.array(z.int()) }) })
    .parse(JSON.parse(await Deno.readTextFile(join(folder, "llama-tied", "golden.json"))));
  const golden = await arrays(join(folder, "llama-lora", "golden.safetensors"));
  const capture = Array.from({ length: decoder.numLayers }, (_, layer) => `residual.${layer}`);
  const { logits, captured } = await decoder.forward(ids, { capture });
  assert.ok(farthest(logits, await golden("logits") ?? []) < 3e-4, "logits");
  const hidden = await golden("hidden_states") ?? assert.fail();
  const size = ids.length * decoder.hiddenSize;
  for (let layer = 0; layer < decoder.numLayers - 1; layer++) {
    const expected = hidden.subarray((layer + 1) * size, (layer + 2) * size);
    assert.ok(farthest(captured[`residual.${layer}`] ?? [], expected) < 3e-4, `residual.${layer}`);
  }
  const last = captured[`residual.${decoder.numLayers - 1}`] ?? [];
  assert.ok(farthest(last, await golden("last_block_out") ?? []) < 3e-4, "the last block");
});
