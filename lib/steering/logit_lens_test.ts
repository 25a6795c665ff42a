import assert from "node:assert/strict";
import { join } from "node:path";
import { createRandom } from "../base/random.ts";
import { loadLocalDecoder } from "../engine/local_decoder.ts";
import { readSafetensorsHeader, readTensor } from "../engine/safetensors.ts";
import { withCheckpoint } from "../engine/testing/with_checkpoint.ts";
import { gaussian } from "./extract_vector.ts";
import { logitLens } from "./logit_lens.ts";
import { dot, norm } from "./steering_vector.ts";

Deno.test("logitLens() gives the tokens whose unembedding lies along the normed vector, and against it", async () => {
  await withCheckpoint({ hidden: 32 }, async (dir) => {
    const header = await readSafetensorsHeader(join(dir, "model.safetensors"));
    const tensor = async (name: string) => await readTensor(name, header.get(name)!);
    const [embedding, gain] = [await tensor("model.embed_tokens.weight"), await tensor("model.norm.weight")];
    await using model = await loadLocalDecoder(dir);
    for (const times of [1e-3, 1, 40]) {
      const vector = Float32Array.from(gaussian(32, createRandom(4)), (x) => times * x);
      const normed = vector.map((x, j) => x / norm(vector) * Math.sqrt(32) * (gain[j] as number));
      const logits = Array.from(
        { length: embedding.length / 32 },
        (_, t) => dot(embedding.subarray(32 * t, 32 * t + 32), normed),
      );
      const mean = logits.reduce((a, b) => a + b) / logits.length;
      const order = logits.map((_, t) => t).sort((a, b) => logits[b]! - logits[a]!);
      const { toward, away } = await logitLens(model, vector, { tokens: 5 });
      assert.deepEqual(toward.map(({ token }) => token), order.slice(0, 5));
      assert.deepEqual(away.map(({ token }) => token), order.slice(-5).reverse());
      for (const { token, logit } of [...toward, ...away]) {
        assert.ok(
          Math.abs(logit - (logits[token]! - mean)) < 1e-3,
          `${logit} is not ${logits[token]! - mean}`,
        );
      }
    }
  });
});
