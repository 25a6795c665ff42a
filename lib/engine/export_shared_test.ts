import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { exportOnnx } from "./export_onnx.ts";
import { loadLocalDecoder } from "./mod.ts";
import { loadPeer } from "./testing/export_check.ts";

const folder = fileURLToPath(new URL("../../../shared/fixtures/hf/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no reference results in ${folder}`);

const run = z.looseObject({ ids: z.array(z.int()) });
const goldenSchema = z.looseObject({ prompt: run, greedy: run });

for (const name of ["llama-tied", "llama-tied-bf16", "qwen2"]) {
  Deno.test(
    `transformers.js generates the reference tokens from the export of ${name}`,
    { ignore },
    async () => {
      const dir = join(folder, name);
      const golden = goldenSchema.parse(JSON.parse(await Deno.readTextFile(join(dir, "golden.json"))));
      const out = await Deno.makeTempDir();
      try {
        for (const dtype of ["fp32", "q8", "q4"] as const) {
          const cacheDir = join(out, "cache");
          await exportOnnx(dir, out, { dtype, cacheDir });
          await using peer = await loadPeer(out, dtype);
          await using ours = await loadLocalDecoder(dir, { dtype, cacheDir });
          if (dtype === "fp32") {
            assert.deepEqual(await peer.greedy([golden.prompt.ids], 24), [golden.greedy.ids]);
            using prefix = await ours.prefill(golden.prompt.ids);
            const [sample] = await prefix.generate({ maxNewTokens: 24, ignoreEos: true });
            assert.deepEqual(sample?.tokens, golden.greedy.ids);
          } else { // near ties may fall otherwise: activations are rounded to 8 bits
            const expected = (await ours.forward(golden.prompt.ids)).logits;
            const found = await peer.logits(golden.prompt.ids);
            const off = found.map((x, i) => x - (expected[i] as number));
            const size = (list: Float32Array) => Math.sqrt(list.reduce((sum, x) => sum + x * x, 0));
            assert.ok(size(off) < 0.1 * size(expected), `${dtype}: ${size(off) / size(expected)}`);
          }
        }
      } finally {
        await Deno.remove(out, { recursive: true });
      }
    },
  );
}
