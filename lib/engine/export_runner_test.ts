import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseConfig } from "./config.ts";
import { exportOnnx } from "./export_onnx.ts";
import { openExport } from "./export_sites.ts";
import { loadLocalDecoder } from "./mod.ts";
import { readOnnx, writeOnnx } from "./onnx_reader.ts";
import { prompt, withCheckpoint, worst } from "./testing/with_checkpoint.ts";
import type { Decoder, Steer } from "./types.ts";

const fixtures = fileURLToPath(new URL("./testing/fixtures/", import.meta.url));

/** A checkpoint of the fixtures, or a tiny one, and its export. */
async function withExport(
  name: string,
  use: (dir: string, out: string) => Promise<void>,
): Promise<void> {
  await withCheckpoint({ config: { model_type: "llama" } }, async (dir) => {
    if (name !== "tiny") {
      await Deno.remove(join(dir, "model.safetensors"));
      for await (const file of Deno.readDir(join(fixtures, name))) {
        await Deno.copyFile(join(fixtures, name, file.name), join(dir, file.name));
      }
    }
    const out = await Deno.makeTempDir();
    try {
      await exportOnnx(dir, out, { cacheDir: join(out, "cache") });
      await use(dir, out);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
}

const ids = prompt(30).map((id) => id % 48);
const vector = (model: Decoder) =>
  Float32Array.from({ length: model.hiddenSize }, (_, i) => Math.sin(3 * i + 1) / 2);

for (const name of ["tiny", "qwen3", "gemma3"]) {
  Deno.test(`an export captures, steers and branches as its checkpoint does: ${name}`, async () => {
    await withExport(name, async (dir, out) => {
      await using ours = await loadLocalDecoder(dir);
      await using theirs = await loadLocalDecoder(out);
      const kinds = ["residual", "resid_mid", "attn_out", "mlp_out", "k", "v"];
      const capture = Array.from({ length: ours.numLayers }, (_, n) => kinds.map((kind) => `${kind}.${n}`))
        .flat();
      const steers: Steer[] = [
        { component: "residual", layer: 0, vector: vector(ours), coef: 2, mode: "add", phase: "all" },
        { component: "attn_out", layer: 1, vector: vector(ours), coef: 1, mode: "ablate", phase: "prompt" },
        { component: "mlp_out", layer: 1, vector: vector(ours), coef: 0.5, mode: "clamp", phase: "response" },
        { component: "residual", layer: 1, vector: vector(ours), coef: 1, mode: "add", phase: "last_prompt" },
      ];
      for (const steer of [[], steers]) {
        const [a, b] = [
          await ours.forward(ids, { capture, steer }),
          await theirs.forward(ids, { capture, steer }),
        ];
        assert.ok(worst(a.logits, b.logits) < 2e-4, "logits");
        for (const site of capture) {
          const off = worst(a.captured[site] as Float32Array, b.captured[site] as Float32Array);
          assert.ok(off < 2e-4, `${site}: ${off}`);
        }
        const texts = [];
        for (const model of [ours, theirs]) {
          using prefix = await model.prefill(ids.slice(0, 20), { steer });
          using longer = await prefix.extend(ids.slice(20), { steer });
          longer.editKV({
            layer: 1,
            slot: -1,
            value: new Float32Array(model.config.numKvHeads * model.config.headDim).fill(0.3),
          });
          const samples = await longer.generate({
            n: 3,
            maxNewTokens: 12,
            temperature: 0.8,
            seeds: [1, 2, 3],
            ignoreEos: true,
            steer,
          });
          texts.push(samples.map(({ tokens }) => tokens));
        }
        assert.deepEqual(texts[0], texts[1]);
      }
      assert.ok((await theirs.selfTest()).length >= 3);
    });
  });
}

Deno.test("an export computes long prompts in chunks", async () => {
  await withCheckpoint({ window: 3000, config: { model_type: "llama" } }, async (dir) => {
    const out = await Deno.makeTempDir();
    await exportOnnx(dir, out);
    await using ours = await loadLocalDecoder(dir);
    await using theirs = await loadLocalDecoder(out);
    const long = prompt(2500);
    const [a, b] = [await ours.prefill(long), await theirs.prefill(long)];
    assert.ok(worst(a.logits, b.logits) < 2e-4);
    await Deno.remove(out, { recursive: true });
  });
});

Deno.test("an export that does not fit is refused with what was expected", async () => {
  await withExport("tiny", async (_, out) => {
    const path = join(out, "onnx", "model.onnx");
    const bytes = await Deno.readFile(path);
    await assert.rejects(
      loadLocalDecoder(out, { dtype: "q4" }),
      /InputError: .*model_q4\.onnx.*it has model\.onnx/,
    );
    await assert.rejects(loadLocalDecoder(out, { lora: out }), /InputError: .*no adapter can be added/);
    const config = await Deno.readTextFile(join(out, "config.json"));
    for (
      const [from, to, message] of [
        ['"num_hidden_layers": 2', '"num_hidden_layers": 3', /has no input past_key_values\.2\.key/],
        ['"num_hidden_layers": 2', '"num_hidden_layers": 1', /wants the input "past_key_values\.1\.key"/],
        [
          '"num_key_value_heads": 2',
          '"num_key_value_heads": 4',
          /\[batch_size,2,past_sequence_length,8\].*\[batch,4,past,8\]/,
        ],
      ] as const
    ) {
      await Deno.writeTextFile(join(out, "config.json"), config.replace(from, to));
      await assert.rejects(loadLocalDecoder(out), message);
    }
    await Deno.writeTextFile(join(out, "config.json"), config);
    for (
      const damaged of [bytes.subarray(0, bytes.length - 9), new Uint8Array(40).fill(255), new Uint8Array()]
    ) {
      await Deno.writeFile(path, damaged);
      await assert.rejects(loadLocalDecoder(out), /InputError: .*not a sound ONNX file/);
    }
    await Deno.writeFile(path, bytes);
    await Deno.truncate(`${path}_data`, 100);
    await assert.rejects(loadLocalDecoder(out), /InputError: onnxruntime refuses/);
    const file = readOnnx(bytes, path);
    const plain = file.nodes.find(({ op }) => op === "SkipSimplifiedLayerNormalization");
    assert.ok(plain);
    assert.deepEqual(readOnnx(writeOnnx(file), path).nodes, file.nodes);
    const other = file.nodes.map((node) => node === plain ? { ...node, op: "SkipLayerNormalization" } : node);
    const shape = parseConfig(JSON.parse(config), "config.json");
    assert.throws(
      () => openExport(writeOnnx({ ...file, nodes: other }), path, shape),
      /InputError: .*does not show its residual stream: it has 3 .* 4 were expected/,
    );
  });
});
