/**
 * Vectors for keys and values of several layers, as one safetensors file: the tensors `layers.N.key` and
 * `layers.N.value`, `[kvHeads, headDim]` in float32, and the rest as metadata.
 * @module
 */
import { z } from "zod";
import type { KvSteer } from "../backends/steering.ts";
import { Direction } from "../backends/steering.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { createRandom } from "../base/random.ts";
import { readSafetensors, readTensor } from "../engine/safetensors.ts";
import { encodeSafetensors, type TensorToWrite } from "../engine/write_safetensors.ts";
import { norm } from "./steering_vector.ts";

/** Says that a file is one of ours. */
const FORMAT = "probebook-kv-vectors-1";

/** The vectors of one layer. */
export interface KvLayer {
  /** 0-based block. */
  readonly layer: number;
  /** `[kvHeads * headDim]` */
  readonly key: Float32Array;
  /** `[kvHeads * headDim]` */
  readonly value: Float32Array;
}

/** Vectors for keys and values: what is added to the cache to move a model. */
export interface KvVectors {
  /** By layer, ascending. */
  readonly layers: readonly KvLayer[];
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Numbers in a head. */
  readonly headDim: number;
  /** `unrotated`: keys are without a position and are given one where they are added. `raw`: as they were cached. */
  readonly keys: "unrotated" | "raw";
  /** Where they come from: style, model, pairs, site, and what was found out about them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How many times keys and values are added. */
export interface KvStrength {
  /** c_k: how many times the key is added. */
  readonly keys: number;
  /** c_v: how many times the value is added. */
  readonly values: number;
}

/** What a request is steered with, for vectors whose directions were made once. */
export type KvDirections = readonly Omit<KvSteer, "scaleK" | "scaleV">[];

/** Makes the directions of vectors. */
export function kvDirections({ layers, keys }: Pick<KvVectors, "layers" | "keys">): KvDirections {
  return layers.map(({ layer, key, value }) => ({
    layer,
    key: new Direction(key),
    value: new Direction(value),
    unrotated: keys === "unrotated",
  }));
}

/** The cache steering of a request with these directions. */
export function kvSteering(directions: KvDirections, { keys, values }: KvStrength): KvSteer[] {
  return directions.map((direction) => ({ ...direction, scaleK: keys, scaleV: values }));
}

/** Random vectors, each of the length of the one it stands for: a control for what any push of that size does. */
export function randomKv<V extends Pick<KvVectors, "layers">>(vectors: V, seed: number | string): V {
  const random = createRandom(`random kv/${seed}`);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const like = (vector: Float32Array) => {
    const drawn = Float64Array.from(vector, normal);
    const scale = norm(vector) / norm(drawn);
    return Float32Array.from(drawn, (x) => x * scale);
  };
  return {
    ...vectors,
    layers: vectors.layers.map(({ layer, key, value }) => ({ layer, key: like(key), value: like(value) })),
  };
}

const OWN = ["format", "layers", "kv_heads", "head_dim", "keys"] as const;
const count = z.string().regex(/^\d{1,6}$/).transform(Number);
const metadataSchema = z.object({
  format: z.literal(FORMAT),
  layers: z.string().regex(/^\d{1,4}(,\d{1,4})*$/).transform((text) => text.split(",").map(Number))
    .refine((layers) => new Set(layers).size === layers.length),
  kv_heads: count,
  head_dim: count,
  keys: z.enum(["unrotated", "raw"]),
});

/** The bytes of a file of vectors; equal vectors have equal bytes. */
export function encodeKvVectors(vectors: KvVectors): Uint8Array<ArrayBuffer> {
  const { layers, kvHeads, headDim, keys, metadata } = vectors;
  const taken = OWN.find((key) => Object.hasOwn(metadata, key));
  if (taken !== undefined) throw new RangeError(`metadata may not be named ${taken}`);
  const tensors: Record<string, TensorToWrite> = {};
  for (const { layer, key, value } of layers) {
    const shape = [kvHeads, headDim];
    tensors[`layers.${layer}.key`] = { dtype: "F32", shape, data: key };
    tensors[`layers.${layer}.value`] = { dtype: "F32", shape, data: value };
  }
  const own = {
    format: FORMAT,
    layers: layers.map(({ layer }) => layer).join(),
    kv_heads: `${kvHeads}`,
    head_dim: `${headDim}`,
    keys,
  };
  return encodeSafetensors(tensors, { ...own, ...metadata });
}

/** Writes vectors whole or not at all. @throws {InputError} when the file cannot be written. */
export async function writeKvVectors(path: string, vectors: KvVectors): Promise<void> {
  await writeAtomic(path, encodeKvVectors(vectors));
}

/** Reads a file of vectors. @throws {InputError} when it is not a sound file of this format. */
export async function readKvVectors(path: string): Promise<KvVectors> {
  const bad = (reason: string, cause?: unknown) =>
    new InputError(`${path} does not hold key and value vectors of ours: ${reason}. Extract them again.`, {
      cause,
    });
  const { tensors, metadata } = await readSafetensors(path);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) throw bad("its metadata does not say what it is", parsed.error);
  const { layers: numbers, kv_heads: kvHeads, head_dim: headDim, keys } = parsed.data;
  const sound = tensors.size === 2 * numbers.length;
  const read = async (name: string) => {
    const entry = tensors.get(name);
    if (
      entry?.dtype !== "F32" || entry.shape.length !== 2 || entry.shape[0] !== kvHeads ||
      entry.shape[1] !== headDim
    ) {
      throw bad(`it should hold ${name}, F32 [${kvHeads}, ${headDim}]`);
    }
    const data = await readTensor(name, entry);
    if (!data.every(Number.isFinite)) throw bad(`${name} holds numbers that are not finite`);
    return data;
  };
  if (!sound) throw bad(`it holds ${tensors.size} tensors for ${numbers.length} layers`);
  const layers: KvLayer[] = [];
  for (const layer of numbers) {
    layers.push({
      layer,
      key: await read(`layers.${layer}.key`),
      value: await read(`layers.${layer}.value`),
    });
  }
  const own = new Set<string>(OWN);
  return {
    layers,
    kvHeads,
    headDim,
    keys,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !own.has(key))),
  };
}
