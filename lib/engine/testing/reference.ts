/**
 * Checkpoints with results computed by Hugging Face transformers; `fixtures/make_fixtures.py` writes them.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadLocalDecoder } from "../local_decoder.ts";
import { readSafetensorsHeader, readTensor } from "../safetensors.ts";
import type { Decoder } from "../types.ts";
import { withCheckpoint, worst } from "./with_checkpoint.ts";

const goldenSchema = z.object({
  transformers: z.string(),
  seed: z.int(),
  ids: z.array(z.int()),
  at: z.array(z.int()),
  greedy: z.array(z.int()),
  min_margin: z.number(),
});

/** The sites whose values a reference holds. */
export const SITES = ["residual", "attn_out", "mlp_out", "k", "v"] as const;

/** What transformers computed. */
export interface Reference {
  /** The prompt. */
  readonly ids: readonly number[];
  /** Positions of the prompt that the sites' values are of. */
  readonly at: readonly number[];
  /** Tokens that argmax decoding appends to the prompt. */
  readonly greedy: readonly number[];
  /** `logits` `[tokens, vocabSize]`, and each site `[layers, positions, width]`. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
}

/**
 * Loads a reference checkpoint into this thread and runs `use` on it.
 *
 * @param name of its folder.
 * @param change entries of config.json to override, to see what they do.
 * @param folder where it lies; beside this file unless given.
 */
export async function withReference(
  name: string,
  use: (model: Decoder, reference: Reference) => Promise<void>,
  change: (config: Record<string, unknown>) => void = () => {},
  folder: string = fileURLToPath(new URL("./fixtures/", import.meta.url)),
): Promise<void> {
  const from = join(folder, name);
  const golden = goldenSchema.parse(JSON.parse(await Deno.readTextFile(join(from, "golden.json"))));
  const file = join(from, "golden.safetensors");
  const arrays: Record<string, Float32Array> = {};
  for (const [key, entry] of await readSafetensorsHeader(file)) arrays[key] = await readTensor(key, entry);
  await withCheckpoint({}, async (dir) => { // for its tokenizer
    await Deno.remove(join(dir, "model.safetensors"));
    for await (const { name } of Deno.readDir(from)) await Deno.copyFile(join(from, name), join(dir, name));
    const config = JSON.parse(await Deno.readTextFile(join(dir, "config.json")));
    change(config);
    await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
    await using model = await loadLocalDecoder(dir);
    await use(model, { ...golden, arrays });
  });
}

/** The largest difference of the model's logits and of each site's values from the reference. */
export async function differences(model: Decoder, reference: Reference): Promise<Record<string, number>> {
  const { ids, at, arrays } = reference;
  const { numLayers, hiddenSize: d, config: { numKvHeads, headDim } } = model;
  const capture = Array.from({ length: numLayers }, (_, layer) => SITES.map((site) => `${site}.${layer}`))
    .flat();
  const { logits, captured } = await model.forward(ids, { capture });
  const plain = await model.forward(ids);
  const found: Record<string, number> = {
    logits: worst(plain.logits, arrays["logits"] as Float32Array),
    "open logits": worst(logits, arrays["logits"] as Float32Array),
  };
  for (const site of SITES) {
    const width = site === "k" || site === "v" ? numKvHeads * headDim : d;
    const values = new Float32Array(numLayers * at.length * width);
    for (let row = 0; row < numLayers * at.length; row++) {
      const position = at[row % at.length] as number;
      const layer = captured[`${site}.${Math.floor(row / at.length)}`] as Float32Array;
      values.set(layer.subarray(position * width, (position + 1) * width), row * width);
    }
    found[site] = worst(values, arrays[site] as Float32Array);
  }
  return found;
}
