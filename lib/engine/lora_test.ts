import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadLocalDecoder } from "./mod.ts";
import { readSafetensorsHeader, readTensor } from "./safetensors.ts";
import { writeTinyCheckpoint } from "./testing/tiny_checkpoint.ts";
import { prompt, withCheckpoint, worst } from "./testing/with_checkpoint.ts";
import { encodeSafetensors, type TensorToWrite } from "./write_safetensors.ts";
import type { LoadOptions } from "./types.ts";

const adapters = fileURLToPath(new URL("./testing/adapters/", import.meta.url));
const bases = fileURLToPath(new URL("./testing/fixtures/", import.meta.url));

async function logitsOf(dir: string, ids: readonly number[], options: LoadOptions): Promise<Float32Array> {
  await using model = await loadLocalDecoder(dir, { threads: 1, ...options });
  return Float32Array.from((await model.forward(ids)).logits);
}

/** The base of an adapter, with a tokenizer. */
async function withBase(name: string, use: (dir: string, lora: string) => Promise<void>): Promise<void> {
  const lora = join(adapters, name);
  const json = JSON.parse(await Deno.readTextFile(join(lora, "adapter_config.json")));
  const base = join(
    bases,
    z.object({ base_model_name_or_path: z.string() }).parse(json).base_model_name_or_path,
  );
  await withCheckpoint({}, async (dir) => {
    await Deno.remove(join(dir, "model.safetensors"));
    for await (const { name } of Deno.readDir(base)) await Deno.copyFile(join(base, name), join(dir, name));
    await use(dir, lora);
  });
}

for (const name of ["patterns", "layers", "everything", "fused"]) {
  Deno.test(`an adapter gives the logits of PEFT, beside the weights and merged: ${name}`, async () => {
    await withBase(name, async (dir, lora) => {
      const golden = JSON.parse(await Deno.readTextFile(join(dir, "golden.json")));
      const { ids } = z.object({ ids: z.array(z.int()) }).parse(golden);
      const entry = (await readSafetensorsHeader(join(lora, "golden.safetensors"))).get("logits");
      assert.ok(entry);
      const expected = await readTensor("logits", entry);
      assert.ok(worst(await logitsOf(dir, ids, {}), expected) > 0.1, "the adapter has an effect");
      const beside = worst(await logitsOf(dir, ids, { lora }), expected);
      assert.ok(beside < 3e-4, `beside: ${beside}`);
      const merged = worst(await logitsOf(dir, ids, { lora, mergeLora: true }), expected);
      assert.ok(merged < 3e-4, `merged: ${merged}`);
    });
  });
}

Deno.test("an adapter runs beside quantised weights, and in the decode steps", async () => {
  await withAdapter({}, async (dir, lora, cacheDir) => {
    const ids = prompt(30);
    const far = worst(await logitsOf(dir, ids, {}), await logitsOf(dir, ids, { lora }));
    for (const mergeLora of [false, true]) {
      const options: LoadOptions = { lora, mergeLora, dtype: "q8", cacheDir };
      const off = worst(await logitsOf(dir, ids, options), await logitsOf(dir, ids, { lora }));
      assert.ok(off > 0 && off < far / 10, `${off} of ${far}`);
    }
    const entries = await Array.fromAsync(Deno.readDir(join(cacheDir, "quantized")));
    assert.equal(entries.length, 4, "merged weights have an entry of their own");
    await using model = await loadLocalDecoder(dir, { lora });
    const prefix = await model.prefill(ids);
    const [sample] = await prefix.generate({ maxNewTokens: 8, ignoreEos: true, logprobs: true });
    const all = [...ids, ...sample?.tokens ?? []];
    const { logits } = await model.forward(all);
    sample?.tokens.forEach((token, i) => {
      const row = logits.subarray((ids.length + i - 1) * 260, (ids.length + i) * 260);
      assert.equal(row.indexOf(Math.max(...row)), token);
    });
  });
});

interface Adapter {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly change?: (tensors: Record<string, TensorToWrite>) => void;
}

/** A tiny checkpoint with an adapter for q_proj and down_proj. */
async function withAdapter(
  { config, change }: Adapter,
  use: (dir: string, lora: string, cacheDir: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const [dir, lora] = [join(root, "base"), join(root, "lora")];
  try {
    await Deno.mkdir(dir);
    await Deno.mkdir(lora);
    await writeTinyCheckpoint(dir);
    const settings = {
      peft_type: "LORA",
      r: 2,
      lora_alpha: 4,
      target_modules: ["q_proj", "down_proj"],
      ...config,
    };
    await Deno.writeTextFile(join(lora, "adapter_config.json"), JSON.stringify(settings));
    const tensors: Record<string, TensorToWrite> = {};
    const add = (name: string, shape: number[]) => {
      const data = Float32Array.from(
        { length: shape.reduce((x, y) => x * y) },
        (_, i) => Math.sin(i * 7) / 5,
      );
      tensors[`base_model.model.${name}.weight`] = { dtype: "F32", shape, data };
    };
    for (const layer of [0, 1]) {
      add(`model.layers.${layer}.self_attn.q_proj.lora_A`, [2, 32]);
      add(`model.layers.${layer}.self_attn.q_proj.lora_B`, [32, 2]);
      add(`model.layers.${layer}.mlp.down_proj.lora_A`, [2, 64]);
      add(`model.layers.${layer}.mlp.down_proj.lora_B`, [32, 2]);
    }
    change?.(tensors);
    await Deno.writeFile(join(lora, "adapter_model.safetensors"), encodeSafetensors(tensors));
    await use(dir, lora, join(root, "cache"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("an adapter of another base or kind is refused with the layer and both shapes", async () => {
  const q = "base_model.model.model.layers.1.self_attn.q_proj.lora_";
  const tensor = (...shape: number[]): TensorToWrite => ({
    dtype: "F32",
    shape,
    data: new Float32Array(shape.reduce((x, y) => x * y)),
  });
  const cases: [Adapter, RegExp][] = [
    [
      { change: (t) => t[`${q}A.weight`] = tensor(2, 48) },
      /layers\.1\.self_attn\.q_proj with A \[2,48\].*base has \[32,32\]/,
    ],
    [{ change: (t) => t[`${q}B.weight`] = tensor(64, 2) }, /B \[64,2\], but the base has \[32,32\]/],
    [{ change: (t) => t[`${q}B.weight`] = tensor(32, 3) }, /A \[2,32\] and B \[32,3\]/],
    [
      { change: (t) => delete t[`${q}B.weight`] },
      /only one of lora_A and lora_B for model\.layers\.1\.self_attn\.q_proj/,
    ],
    [{
      change: (t) => {
        delete t[`${q}A.weight`];
        delete t[`${q}B.weight`];
      },
    }, /targets model\.layers\.1\.self_attn\.q_proj \[32,32\].*nothing for it/],
    [{
      change: (t) => {
        for (const half of ["A", "B"]) {
          t[`${q.replace("layers.1", "layers.2")}${half}.weight`] = t[`${q}${half}.weight`] as TensorToWrite;
        }
      },
    }, /model\.layers\.2\.self_attn\.q_proj with A \[2,32\] and B \[32,2\], but the base has no such/],
    [{ config: { r: 3 } }, /rank 2; adapter_config\.json says rank 3/],
    [{ config: { target_modules: ["down_proj"] } }, /q_proj with rank 2; .*says that it does not/],
    [{ config: { layers_to_transform: [0] } }, /layers\.1\..*says that it does not/],
    [{ config: { modules_to_save: ["lm_head"] } }, /replaces whole modules \(modules_to_save\)/],
    [{ config: { use_dora: true } }, /DoRA/],
    [{ config: { bias: "all" } }, /trains biases/],
    [{ config: { peft_type: "IA3" } }, /of the type "IA3"/],
    [{ config: { init_lora_weights: "pissa_niter_4" } }, /changed weights/],
    [{ config: { target_modules: "((" } }, /pattern .* cannot be read/],
    [{ config: { r: 0 } }, /adapter_config\.json is not a LoRA adapter's config/],
    [
      { change: (t) => t["base_model.model.model.embed_tokens.lora_embedding_A"] = tensor(2, 260) },
      /lora_embedding_A/,
    ],
    [
      { change: (t) => t["base_model.model.model.embed_tokens.weight"] = tensor(260, 32) },
      /weights of its own for model\.embed_tokens \[260,32\]/,
    ],
    [{ change: (t) => (t[`${q}A.weight`] as TensorToWrite).data[5] = NaN }, /not finite/],
  ];
  for (const [adapter, message] of cases) {
    await withAdapter(adapter, async (dir, lora) => {
      await assert.rejects(loadLocalDecoder(dir, { lora }), (error: Error) => {
        assert.equal(error.name, "InputError", String(error.stack));
        assert.match(error.message, message);
        return true;
      });
    });
  }
  await withAdapter({}, async (dir) => {
    await assert.rejects(
      loadLocalDecoder(dir, { lora: join(dir, "none") }),
      /InputError: There is no .*adapter_config/,
    );
  });
});

Deno.test("an adapter of a tied output head leaves the embedding alone", async () => {
  const head = (shapes: Record<string, TensorToWrite>) => {
    for (const name of Object.keys(shapes)) delete shapes[name];
    const data = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.cos(i * 5) / 4);
    shapes["base_model.model.lm_head.lora_A.weight"] = { dtype: "F32", shape: [2, 32], data: data(64) };
    shapes["base_model.model.lm_head.lora_B.weight"] = { dtype: "F32", shape: [260, 2], data: data(520) };
  };
  await withAdapter({ config: { target_modules: ["lm_head"] }, change: head }, async (dir, lora) => {
    const capture = ["residual.1"];
    await using plain = await loadLocalDecoder(dir);
    await using adapted = await loadLocalDecoder(dir, { lora });
    const [a, b] = [
      await plain.forward(prompt(9), { capture }),
      await adapted.forward(prompt(9), { capture }),
    ];
    assert.deepEqual(a.captured["residual.1"], b.captured["residual.1"]);
    assert.ok(worst(a.logits, b.logits) > 0.1);
    await assert.rejects(loadLocalDecoder(dir, { lora, mergeLora: true }), /InputError: .*cannot be merged/);
  });
});
