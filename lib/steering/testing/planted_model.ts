/**
 * A tiny model whose weights contain a known direction: the embeddings of some tokens lie along it, those of others
 * against it, and the blocks add little of their own.
 * @module
 */
import { join } from "node:path";
import { createRandom } from "../../base/random.ts";
import { readSafetensorsHeader, readTensor } from "../../engine/safetensors.ts";
import { loadLocalDecoder } from "../../engine/local_decoder.ts";
import { withCheckpoint } from "../../engine/testing/with_checkpoint.ts";
import type { Decoder } from "../../engine/types.ts";
import { encodeSafetensors, type TensorToWrite } from "../../engine/write_safetensors.ts";
import { gaussian } from "../extract_vector.ts";
import { norm } from "../steering_vector.ts";

/** Width of the model. */
const WIDTH = 32;
/** Letters whose embeddings lie along the direction, and against it. */
const ALONG = "ABCD", AGAINST = "WXYZ";

/** A text with the planted trait, and the same text without it. */
export interface PlantedPair {
  /** Token ids. */
  readonly positive: readonly number[];
  /** Token ids. */
  readonly negative: readonly number[];
}

/** Runs `use` on a folder with such a model and the direction in it, `[width]` of length 1. */
export async function withPlantedCheckpoint(
  use: (dir: string, direction: Float64Array) => Promise<void>,
): Promise<void> {
  await withCheckpoint({ hidden: WIDTH, seed: 12 }, async (dir) => {
    const path = join(dir, "model.safetensors");
    const raw = gaussian(WIDTH, createRandom("planted"));
    const direction = raw.map((x) => x / norm(raw));
    const tensors: Record<string, TensorToWrite> = {};
    for (const [name, entry] of await readSafetensorsHeader(path)) {
      const data = await readTensor(name, entry);
      if (name === "model.embed_tokens.weight") {
        for (let i = 0; i < ALONG.length; i++) {
          // Both letters are the same but for the direction.
          const [along, against] = [WIDTH * ALONG.charCodeAt(i), WIDTH * AGAINST.charCodeAt(i)];
          for (let j = 0; j < WIDTH; j++) {
            const [x, push] = [data[along + j] as number, 3 * (direction[j] as number)];
            [data[along + j], data[against + j]] = [x + push, x - push];
          }
        }
      }
      const output = /o_proj|down_proj/.test(name);
      tensors[name] = { dtype: "F32", shape: entry.shape, data: output ? data.map((x) => 0.1 * x) : data };
    }
    await Deno.writeFile(path, encodeSafetensors(tensors));
    await use(dir, direction);
  });
}

/** Runs `use` on such a model, loaded into this thread. */
export async function withPlantedModel(
  use: (model: Decoder, direction: Float64Array) => Promise<void>,
): Promise<void> {
  await withPlantedCheckpoint(async (dir, direction) => {
    await using model = await loadLocalDecoder(dir);
    await use(model, direction);
  });
}

/** Pairs of texts that differ in the planted letters alone. */
export function plantedPairs(count: number, seed: number): PlantedPair[] {
  const random = createRandom(seed);
  const small = "abcdefghijklmnopqrstuvwxyz ";
  return Array.from({ length: count }, () => {
    const positive: number[] = [], negative: number[] = [];
    for (let i = 0; i < 24; i++) {
      const planted = random.next() < 0.4;
      const letters = planted
        ? [random.pick([...ALONG]), random.pick([...AGAINST])]
        : Array(2).fill(random.pick([...small]));
      positive.push((letters[0] as string).charCodeAt(0));
      negative.push((letters[1] as string).charCodeAt(0));
    }
    return { positive, negative };
  });
}
