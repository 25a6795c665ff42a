/**
 * Mean activations of pairs on disk: one safetensors file for each layer, and metadata.json, written last.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { readSafetensorsHeader, readTensor } from "../engine/safetensors.ts";
import { encodeSafetensors, type TensorToWrite } from "../engine/write_safetensors.ts";
import type { TwoSides } from "./extract_vector.ts";
import { TRAIT_SIDES } from "./traits.ts";

/** What a folder of activations says of itself; further fields are kept. */
export interface ActivationMetadata {
  /** Hash of everything that the activations depend on. */
  readonly inputs: string;
  /** The layers that are there. */
  readonly layers: readonly number[];
  /** The lines of the trait that the rows are of. */
  readonly pairs: readonly number[];
  /** Whatever else is known. */
  readonly [key: string]: unknown;
}

const count = z.int().nonnegative();
const metadataSchema: z.ZodType<ActivationMetadata> = z.looseObject({
  inputs: z.string(),
  layers: z.array(count),
  pairs: z.array(count),
});

/** Activations of pairs, by layer. */
export interface StoredActivations {
  /** What the folder says of itself. */
  readonly metadata: ActivationMetadata;
  /** By layer; row i of each side is of pair `metadata.pairs[i]`. */
  readonly layers: ReadonlyMap<number, TwoSides>;
}

/** Writes activations. A folder without metadata.json is not whole. @throws {InputError} when it cannot be written. */
export async function writeActivations(
  folder: string,
  { metadata, layers }: StoredActivations,
): Promise<void> {
  const path = join(folder, "metadata.json");
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  for (const [layer, sides] of layers) {
    const tensors: Record<string, TensorToWrite> = {};
    for (const side of TRAIT_SIDES) {
      const rows = sides[side];
      const width = rows[0]?.length ?? 0;
      const data = new Float32Array(rows.length * width);
      rows.forEach((row, i) => data.set(row, i * width));
      tensors[side] = { dtype: "F32", shape: [rows.length, width], data };
    }
    await writeAtomic(join(folder, `layer${layer}.safetensors`), encodeSafetensors(tensors));
  }
  await writeAtomic(path, JSON.stringify(metadata, null, 2) + "\n");
}

/**
 * Reads activations that were made from the same inputs.
 *
 * @returns null when there are none, they are of other inputs, a layer is missing, or a file is damaged.
 */
export async function readActivations(
  folder: string,
  inputs: string,
  layers: readonly number[],
): Promise<StoredActivations | null> {
  const text = await readTextIfExists(join(folder, "metadata.json"));
  if (text === undefined) return null;
  try {
    const metadata = metadataSchema.parse(JSON.parse(text));
    if (metadata.inputs !== inputs || layers.some((layer) => !metadata.layers.includes(layer))) return null;
    const read = new Map<number, TwoSides>();
    for (const layer of layers) {
      const header = await readSafetensorsHeader(join(folder, `layer${layer}.safetensors`));
      const sides: Record<string, Float32Array[]> = {};
      for (const side of TRAIT_SIDES) {
        const entry = header.get(side);
        const [count, width] = entry?.shape ?? [];
        if (entry === undefined || count !== metadata.pairs.length || width === undefined) return null;
        const data = await readTensor(side, entry);
        sides[side] = Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
      }
      read.set(layer, { positive: sides["positive"] ?? [], negative: sides["negative"] ?? [] });
    }
    return { metadata, layers: read };
  } catch (error) {
    if (error instanceof InputError || error instanceof SyntaxError || error instanceof z.ZodError) {
      return null;
    }
    throw error;
  }
}
