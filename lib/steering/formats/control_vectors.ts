/**
 * Control vectors in GGUF files: one direction for each of several blocks, added to their outputs.
 *
 * All programs name the tensors `direction.N`, but not all mean the same block by N, and no file says which is meant.
 * So whoever reads or writes one says it:
 *
 * - `repeng` (vgel/repeng): direction.N was read from the output of block N and is added there. llama.cpp adds
 *   direction.N to the output of block N too; it refuses direction.0.
 * - `llama.cpp` (llama.cpp's cvector-generator): direction.N was read from the output of block N - 1; llama.cpp then
 *   adds it one block later than it was read. Here it is put back to the block it was read from.
 * - `easysteer` (ZJU-REAL/EasySteer): as repeng, from direction.0 on; llama.cpp does not load such a file.
 * @module
 */
import { z } from "zod";
import { InputError, messageOf } from "../../base/errors.ts";
import { writeAtomic } from "../../base/files.ts";
import { METHODS } from "../methods.ts";
import { fullLength, norm, type SteeringVector, unitVector } from "../steering_vector.ts";
import { type GgufFile, type GgufTensor, type GgufValue, parseGguf } from "./gguf_reader.ts";
import { GgufWriter } from "./gguf_writer.ts";

/** What N of `direction.N` means. */
export const LAYER_CONVENTIONS = ["repeng", "llama.cpp", "easysteer"] as const;
/** What N of `direction.N` means; see the module. */
export type LayerConvention = typeof LAYER_CONVENTIONS[number];

/** What no file says of itself. */
export interface ControlVectorOptions {
  /** What N of `direction.N` means. */
  readonly convention: LayerConvention;
}

/** Options of {@linkcode readControlVectors}. */
export interface ReadControlVectorOptions extends ControlVectorOptions {
  /** Which tokens the directions were read from, where the file is not one of ours: `prompt[-1]`. */
  readonly position: string;
}

/** Options of {@linkcode writeControlVectors}. */
export interface WriteControlVectorOptions extends ControlVectorOptions {
  /** `kept`: each direction at its own length, `scale * vector`. `unit`: at length 1. */
  readonly length: "kept" | "unit";
  /** The model's name, for people; `unknown` unless given. */
  readonly modelHint?: string;
}

/** Most bytes of a file; the largest models' directions take far fewer. */
const MAX_BYTES = 2 ** 30;
const ARCHITECTURE = "controlvector";
const CONVENTION_KEY = "probebook.layer_convention";

/** Whether a block's direction is called by the block's number (0) or the next (1). */
const LATER: Readonly<Record<LayerConvention, number>> = { repeng: 0, "llama.cpp": 1, easysteer: 0 };
/** The lowest N of `direction.N`. */
const FIRST: Readonly<Record<LayerConvention, number>> = { repeng: 1, "llama.cpp": 1, easysteer: 0 };

/**
 * Reads the directions of a file, by block. Directions of zeros say nothing and are left out.
 *
 * @throws {InputError} when the file is not sound, is no control vector, has a direction that the convention does not
 * know, or was written by us under another convention.
 */
export async function readControlVectors(
  path: string,
  options: ReadControlVectorOptions,
): Promise<SteeringVector[]> {
  const bad = (reason: string) => new InputError(`${path} cannot be read as a control vector: ${reason}.`);
  const { metadata, tensors } = await readGgufFile(path);
  const { convention } = options;
  const architecture = metadata.get("general.architecture");
  if (architecture !== ARCHITECTURE) throw bad(`its architecture is ${JSON.stringify(architecture)}`);
  const written = metadata.get(CONVENTION_KEY);
  if (written !== undefined && written !== convention) {
    throw bad(`its layers are counted as ${written} does, not as ${convention}; read it as ${written}`);
  }
  const texts = Object.fromEntries([...metadata].map(([key, value]) => [key, asText(value)]));
  const method = z.enum(METHODS).catch("imported").parse(metadata.get("controlvector.method"));
  const position = z.string().catch(options.position).parse(metadata.get("probebook.position"));
  const vectors: SteeringVector[] = [];
  let width: number | null = null;
  for (const [name, tensor] of tensors) {
    const layer = layerOf(name, convention, bad);
    if (tensor.shape.length !== 1) throw bad(`${name} has the shape [${tensor.shape}] and not one row`);
    width ??= tensor.data.length;
    if (tensor.data.length !== width) {
      throw bad(`${name} is ${tensor.data.length} wide and others are ${width}`);
    }
    if (isZero(tensor)) continue;
    vectors.push(
      unitVector({ component: "residual", layer, position, method, metadata: texts }, tensor.data),
    );
  }
  return vectors.sort((a, b) => a.layer - b.layer);
}

function layerOf(name: string, convention: LayerConvention, bad: (reason: string) => InputError): number {
  const found = /^direction\.(0|[1-9]\d{0,4})$/.exec(name);
  if (found === null) throw bad(`its tensor ${JSON.stringify(name.slice(0, 100))} is not named direction.N`);
  const label = Number(found[1]);
  if (label >= FIRST[convention]) return label - LATER[convention];
  throw bad(`it has ${name}, which ${convention} does not write; easysteer does`);
}

function isZero({ data }: GgufTensor): boolean {
  return norm(data) === 0;
}

function asText(value: GgufValue): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Reads a GGUF file of vectors as it is. @throws {InputError} when it cannot be read, is not sound, or is too large. */
export async function readGgufFile(path: string): Promise<GgufFile> {
  return parseGguf(await readWhole(path), path);
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) throw new InputError(`${path} has ${size} bytes: too many for a control vector.`);
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(
      `Cannot read ${path}: ${messageOf(cause)}. Check that the file exists and can be read.`,
      {
        cause,
      },
    );
  }
}

/**
 * Writes vectors of the residual stream, at most one for each block, as a control vector.
 *
 * @throws {InputError} when there is none, they do not fit together, or the convention has no name for a block.
 */
export async function writeControlVectors(
  path: string,
  vectors: readonly SteeringVector[],
  options: WriteControlVectorOptions,
): Promise<void> {
  await writeAtomic(path, encodeControlVectors(vectors, options));
}

/** The bytes that {@linkcode writeControlVectors} writes. @throws {InputError} */
export function encodeControlVectors(
  vectors: readonly SteeringVector[],
  { convention, length, modelHint = "unknown" }: WriteControlVectorOptions,
): Uint8Array<ArrayBuffer> {
  const bad = (reason: string) => new InputError(`These vectors cannot be one control vector: ${reason}.`);
  const sorted = vectors.toSorted((a, b) => a.layer - b.layer);
  const [first] = sorted;
  if (first === undefined) throw bad("there is none");
  const writer = new GgufWriter();
  writer.string("general.architecture", ARCHITECTURE).string("controlvector.model_hint", modelHint);
  writer.string("controlvector.method", first.method).uint("controlvector.layer_count", sorted.length);
  writer.string(CONVENTION_KEY, convention).string("probebook.position", first.position);
  for (const [i, { component, layer, vector, method, position }] of sorted.entries()) {
    if (component !== "residual") {
      throw bad(`layer ${layer} is of ${component}; only residual vectors are added there`);
    }
    if (layer === sorted[i - 1]?.layer) throw bad(`layer ${layer} has two`);
    if (vector.length !== first.vector.length) throw bad("they are not equally wide");
    if (method !== first.method || position !== first.position) {
      throw bad("their methods or positions differ");
    }
    const label = layer + LATER[convention];
    if (label < FIRST[convention]) {
      throw bad(
        `${convention} has no direction for the output of block ${layer}, and llama.cpp refuses direction.0; leave ` +
          "the block out, or write it as easysteer does",
      );
    }
    writer.tensor(`direction.${label}`, [vector.length], "F32");
  }
  return writer.bytes(sorted.map((one) => () => length === "unit" ? one.vector : fullLength(one)));
}
