import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportOnnx } from "./export_onnx.ts";
import { loadLocalDecoder } from "./mod.ts";
import { loadPeer } from "./testing/export_check.ts";
import type { TinyCheckpoint } from "./testing/tiny_checkpoint.ts";
import { prompt, withCheckpoint, worst } from "./testing/with_checkpoint.ts";

const tiny: TinyCheckpoint = { hidden: 64, biases: true, config: { model_type: "llama" } };
const fixtures = fileURLToPath(new URL("./testing/fixtures/", import.meta.url));

async function withFolders(
  use: (dir: string, out: string, cacheDir: string) => Promise<void>,
): Promise<void> {
  await withCheckpoint(tiny, async (dir) => {
    const root = await Deno.makeTempDir();
    try {
      await use(dir, join(root, "out"), join(root, "cache"));
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

Deno.test("transformers.js generates from an export what the engine does", async () => {
  await withFolders(async (dir, out, cacheDir) => {
    for (const dtype of ["fp32", "q8", "q4"] as const) {
      const { shared } = await exportOnnx(dir, out, { dtype, cacheDir });
      assert.equal(shared, dtype !== "fp32");
      await using ours = await loadLocalDecoder(dir, { dtype, cacheDir });
      await using peer = await loadPeer(out, dtype);
      const ids = prompt(30);
      const off = worst(await peer.logits(ids), (await ours.forward(ids)).logits);
      assert.ok(off < (dtype === "fp32" ? 1e-4 : 0.02), `${dtype}: ${off}`);
      if (dtype !== "fp32") continue; // near ties may fall otherwise
      const prompts = [ids, prompt(30, 9)];
      const expected = [];
      for (const each of prompts) {
        const prefix = await ours.prefill(each);
        expected.push((await prefix.generate({ maxNewTokens: 40, ignoreEos: true }))[0]?.tokens);
      }
      assert.deepEqual(await peer.greedy(prompts, 40), expected);
    }
    const names = await Array.fromAsync(Deno.readDir(join(out, "onnx")), ({ name }) => name);
    assert.deepEqual(names.sort(), [
      "model.onnx",
      "model.onnx_data",
      "model_q4.onnx",
      "model_q4.onnx_data",
      "model_quantized.onnx",
      "model_quantized.onnx_data",
    ]);
    const config = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
    assert.deepEqual(config["transformers.js_config"].use_external_data_format, {
      "model.onnx": 1,
      "model_q4.onnx": 1,
      "model_quantized.onnx": 1,
    });
  });
});

for (const name of ["llama", "qwen2", "qwen3", "mistral", "smollm3", "gemma3"]) {
  Deno.test(`an export computes what the engine does: ${name}`, async () => {
    await withFolders(async (dir, out) => {
      const base = join(fixtures, name);
      await Deno.remove(join(dir, "model.safetensors"));
      for await (const file of Deno.readDir(base)) {
        await Deno.copyFile(join(base, file.name), join(dir, file.name));
      }
      await exportOnnx(dir, out);
      await using ours = await loadLocalDecoder(dir);
      await using peer = await loadPeer(out, "fp32");
      const ids = prompt(30).map((id) => id % 48);
      const off = worst(await peer.logits(ids), (await ours.forward(ids)).logits);
      assert.ok(off < 1e-4, String(off));
      using prefix = await ours.prefill(ids);
      const [sample] = await prefix.generate({ maxNewTokens: 20, ignoreEos: true });
      assert.deepEqual(await peer.greedy([ids], 20), [sample?.tokens]);
    });
  });
}

Deno.test("exportOnnx() refuses what cannot be exported", async () => {
  await withFolders(async (dir, out) => {
    await assert.rejects(exportOnnx(dir, `${dir}/.`), /InputError: .*is the checkpoint itself/);
    await assert.rejects(exportOnnx(out, dir), /InputError: There is no .*config\.json/);
    await Deno.writeTextFile(out, "");
    await assert.rejects(exportOnnx(dir, out), /InputError: Cannot write .*choose another/);
    for (const file of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(fixtures, "phi3", file), join(dir, file));
    }
    await assert.rejects(exportOnnx(dir, `${out}2`), /InputError: .*LongRoPE/);
  });
});
