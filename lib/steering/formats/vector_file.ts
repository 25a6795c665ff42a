/**
 * Steering vectors as safetensors files: the tensor `vector`, float32, and the rest as metadata.
 * @module
 */
import { z } from "zod";
import { InputError } from "../../base/errors.ts";
import { writeAtomic } from "../../base/files.ts";
import { readSafetensors, readTensor } from "../../engine/safetensors.ts";
import { encodeSafetensors } from "../../engine/write_safetensors.ts";
import { METHODS } from "../methods.ts";
import { parsePosition, positionText } from "../position.ts";
import { COMPONENTS } from "../site.ts";
import { norm, type SteeringVector } from "../steering_vector.ts";

/** Says that a file is one of ours. */
const FORMAT = "probebook-steering-vector-1";

/** How far the length of a stored vector may be from 1; float32 rounding is far below. */
const UNIT_TOLERANCE = 1e-3;

const number = (text: string) => text.trim() === "" ? NaN : Number(text);
const metadataSchema = z.object({
  format: z.literal(FORMAT),
  component: z.enum(COMPONENTS),
  layer: z.string().transform(number).pipe(z.int().nonnegative()),
  position: z.string(),
  method: z.enum(METHODS),
  scale: z.string().transform(number).pipe(z.number().nonnegative()),
});

/** The bytes of a vector's file. @throws {RangeError} when the metadata has a name that the format uses itself. */
export function encodeVector(vector: SteeringVector): Uint8Array<ArrayBuffer> {
  const { component, layer, position, method, scale, metadata, vector: data } = vector;
  const own = { format: FORMAT, component, layer: `${layer}`, position, method, scale: `${scale}` };
  const taken = Object.keys(metadata).find((key) => Object.hasOwn(own, key));
  if (taken !== undefined) throw new RangeError(`metadata may not be named ${taken}`);
  return encodeSafetensors({ vector: { dtype: "F32", shape: [data.length], data } }, { ...own, ...metadata });
}

/** Writes a vector whole or not at all. @throws {InputError} when the file cannot be written. */
export async function writeVector(path: string, vector: SteeringVector): Promise<void> {
  await writeAtomic(path, encodeVector(vector));
}

/**
 * Reads a vector's file.
 *
 * @throws {InputError} when it is not a sound file of this format.
 */
export async function readVector(path: string): Promise<SteeringVector> {
  const bad = (reason: string, cause?: unknown) =>
    new InputError(`${path} is not a steering vector of ours: ${reason}. Extract it again, or import it.`, {
      cause,
    });
  const { tensors, metadata } = await readSafetensors(path);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success) throw bad("its metadata does not say what it is", parsed.error);
  const entry = tensors.get("vector");
  if (entry === undefined || tensors.size !== 1 || entry.shape.length !== 1 || entry.dtype !== "F32") {
    throw bad('it should hold one tensor, "vector", of F32 numbers in one row');
  }
  const vector = await readTensor("vector", entry);
  const length = norm(vector);
  if (!(Math.abs(length - 1) <= UNIT_TOLERANCE)) throw bad(`its vector has the length ${length} and not 1`);
  const { format: _, position, ...own } = parsed.data;
  const known = new Set(["format", "component", "layer", "position", "method", "scale"]);
  return {
    ...own,
    position: positionText(parsePosition(position)),
    vector,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([key]) => !known.has(key))),
  };
}
