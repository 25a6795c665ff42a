import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadLocalDecoder } from "./mod.ts";
import { readSafetensorsHeader, readTensor } from "./safetensors.ts";
import { worst } from "./testing/with_checkpoint.ts";

const folder = fileURLToPath(new URL("../../../shared/fixtures/hf/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no reference results in ${folder}`);

async function reference(name: string) {
  const json = JSON.parse(await Deno.readTextFile(join(folder, name, "golden.json")));
  const entry = (await readSafetensorsHeader(join(folder, name, "golden.safetensors"))).get("logits");
  assert.ok(entry);
  return { json, logits: await readTensor("logits", entry) };
}

const promptSchema = z.looseObject({ prompt: z.looseObject({ ids: z.array(z.int()) }) });

Deno.test("the adapter llama-lora gives the logits of the merged reference", { ignore }, async () => {
  const { json, logits } = await reference("llama-lora");
  const base = join(folder, z.looseObject({ base: z.string() }).parse(json).base);
  const { prompt } = promptSchema.parse((await reference("llama-tied")).json);
  for (const mergeLora of [false, true]) {
    await using model = await loadLocalDecoder(base, { lora: join(folder, "llama-lora"), mergeLora });
    const off = worst((await model.forward(prompt.ids)).logits, logits);
    assert.ok(off <= 3e-4, `merged: ${mergeLora}, ${off}`);
    console.log(`llama-lora, merged ${mergeLora}: ${off.toExponential(1)}`);
  }
});

Deno.test("quantised logits of the references stay within their bounds", { ignore }, async () => {
  const cacheDir = await Deno.makeTempDir();
  for (const name of ["llama-tied", "llama-tied-bf16", "qwen2"]) {
    const { json, logits } = await reference(name);
    const { prompt } = promptSchema.parse(json);
    const scale = Math.sqrt(logits.reduce((sum, x) => sum + x * x, 0) / logits.length);
    for (const [dtype, bound] of [["q8", 0.1], ["q4", 0.8]] as const) {
      await using model = await loadLocalDecoder(join(folder, name), { dtype, cacheDir });
      const found = (await model.forward(prompt.ids)).logits;
      const off = found.map((x, i) => x - (logits[i] as number));
      const rms = Math.sqrt(off.reduce((sum, x) => sum + x * x, 0) / off.length) / scale;
      console.log(
        `${name} ${dtype}: rms ${rms.toFixed(4)} of the logits', worst ${worst(found, logits).toFixed(3)}`,
      );
      assert.ok(rms > 0 && rms < bound, `${name} ${dtype}: ${rms}`);
    }
  }
  await Deno.remove(cacheDir, { recursive: true });
});
