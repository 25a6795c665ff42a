import assert from "node:assert/strict";
import { join } from "node:path";
import { createRandom, type Random } from "../base/random.ts";
import { loadLocalDecoder } from "./mod.ts";
import { mutateBytes, mutateJson, mutateSafetensors } from "./testing/mutate.ts";
import { withCheckpoint } from "./testing/with_checkpoint.ts";

/** PROBEBOOK_FUZZ=10000 tries as many files. */
const FILES = Number(Deno.env.get("PROBEBOOK_FUZZ") ?? 300);
const MOST_MS = 10_000;
const MOST_GROWTH = 300 * 2 ** 20;

const TARGETS = [
  "model-1-of-2.safetensors",
  "model.safetensors.index.json",
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
];

function mutated(name: string, sound: Uint8Array, random: Random): Uint8Array {
  if (random.next() < 0.25) return mutateBytes(sound, random);
  if (name.endsWith(".safetensors")) return mutateSafetensors(sound, random);
  const json: unknown = JSON.parse(new TextDecoder().decode(sound));
  return new TextEncoder().encode(JSON.stringify(mutateJson(json, random)));
}

Deno.test(`loadLocalDecoder() loads or refuses ${FILES} damaged checkpoints, and never fails otherwise`, async () => {
  await withCheckpoint(
    { shards: 2, layers: 1, hidden: 16, heads: 2, kvHeads: 1, window: 32 },
    async (dir) => {
      const sound = new Map<string, Uint8Array>();
      for (const name of TARGETS) sound.set(name, await Deno.readFile(join(dir, name)));
      await (await loadLocalDecoder(dir, { threads: 1 }))[Symbol.asyncDispose]();
      let refused = 0;
      let most = Deno.memoryUsage().rss;
      const first = most;
      for (let i = 0; i < FILES; i++) {
        const random = createRandom(`hostile/${i}`);
        const name = random.pick(TARGETS);
        const original = sound.get(name) as Uint8Array;
        await Deno.writeFile(join(dir, name), mutated(name, original, random));
        const begun = performance.now();
        try {
          await using model = await loadLocalDecoder(dir, { threads: 1 });
          if (model.contextWindow >= 3) {
            await model.forward(
              [0, 1, 0].map((id) => id % model.config.vocabSize),
            );
          }
        } catch (error) {
          refused++;
          if ((error as Error).name !== "InputError") {
            await Deno.copyFile(join(dir, name), `${await Deno.makeTempDir()}/${name}`);
            throw new Error(`file ${i} (${name}) was not refused by an InputError`, { cause: error });
          }
        }
        const ms = performance.now() - begun;
        assert.ok(ms < MOST_MS, `file ${i} (${name}) took ${ms} ms`);
        most = Math.max(most, Deno.memoryUsage().rss);
        await Deno.writeFile(join(dir, name), original);
      }
      console.log(`${FILES} damaged files: ${refused} refused, ${FILES - refused} loaded`);
      assert.ok(refused > FILES / 3 && refused < FILES, `${refused} of ${FILES} were refused`);
      assert.ok(most - first < MOST_GROWTH, `memory grew by ${(most - first) / 2 ** 20} MiB`);
    },
  );
});
