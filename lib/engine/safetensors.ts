/**
 * Reads safetensors files (https://github.com/huggingface/safetensors, format section of its README).
 * The whole header is checked before a byte of tensor data is read or a buffer is made from what it says.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";

/** Bytes per element of the types we can turn into float32. */
const READABLE = { F32: 4, F16: 2, BF16: 2 } as const;

/** Bytes per element of every type the format knows; others are refused. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  ...READABLE,
  F64: 8,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

/** The format's own limit for a header. */
const MAX_HEADER_BYTES = 100_000_000;

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(16),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

const metadataSchema = z.record(z.string(), z.string());

/** Where a tensor lies in a file. */
export interface TensorEntry {
  /** Path of the file that holds it. */
  readonly file: string;
  /** `F32`, `F16`, `BF16`, ... */
  readonly dtype: string;
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly offset: number;
  /** Number of bytes. */
  readonly bytes: number;
}

/** What the header of a file says. */
export interface SafetensorsHeader {
  /** The file's tensors by name. */
  readonly tensors: Map<string, TensorEntry>;
  /** Texts that say what the file is; empty when there are none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks the header of a safetensors file.
 *
 * @returns the file's tensors by name.
 * @throws {InputError} naming the file and what is wrong with it.
 */
export async function readSafetensorsHeader(path: string): Promise<Map<string, TensorEntry>> {
  return (await readSafetensors(path)).tensors;
}

/** As {@linkcode readSafetensorsHeader}, with the file's metadata. @throws {InputError} */
export async function readSafetensors(path: string): Promise<SafetensorsHeader> {
  const bad = (reason: string, cause?: unknown) =>
    new InputError(`${path} is not a sound safetensors file: ${reason}. Fetch or write the file again.`, {
      cause,
    });
  using file = await openFile(path);
  const { size, isFile } = await file.stat();
  if (!isFile) throw bad("it is not a regular file");
  if (size < 10) throw bad(`it has ${size} bytes, too few for a header`);
  const start = await readExactly(file, 0, 8, path);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) throw bad(`it claims a header of ${length} bytes`);
  const headerBytes = Number(length);
  if (headerBytes > size - 8) throw bad(`it claims a header of ${length} bytes but has ${size} bytes in all`);
  let header: unknown;
  try {
    const raw = await readExactly(file, 8, headerBytes, path);
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch (cause) {
    throw bad("its header is not JSON in UTF-8", cause);
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) {
    throw bad("its header is not a JSON object");
  }
  const dataBytes = size - 8 - headerBytes;
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const label = JSON.stringify(name.slice(0, 200));
    const parsed = tensorSchema.safeParse(value);
    if (!parsed.success) throw bad(`its entry ${label} is malformed`, parsed.error);
    const { dtype, shape, data_offsets: [begin, end] } = parsed.data;
    const elementBytes = ELEMENT_BYTES[dtype];
    if (elementBytes === undefined) throw bad(`tensor ${label} has the unknown dtype ${dtype.slice(0, 40)}`);
    if (begin > end || end > dataBytes) {
      throw bad(
        `tensor ${label} claims bytes ${begin} to ${end} of ${dataBytes} (cut short, or a false offset)`,
      );
    }
    const claimed = shape.reduce((product, dim) => product * dim, elementBytes);
    if (claimed !== end - begin) {
      throw bad(`tensor ${label} of ${dtype} [${shape}] takes ${claimed} bytes but ${end - begin} are given`);
    }
    entries.set(name, { file: path, dtype, shape, offset: 8 + headerBytes + begin, bytes: end - begin });
  }
  let at = 8 + headerBytes;
  for (const entry of [...entries.values()].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (entry.offset !== at) throw bad(`its tensors overlap or leave a gap at byte ${at}`);
    at += entry.bytes;
  }
  if (at !== size) throw bad(`${size - at} bytes at its end belong to no tensor`);
  const metadata = metadataSchema.safeParse(
    Object.hasOwn(header, "__metadata__") ? Reflect.get(header, "__metadata__") : {},
  );
  return { tensors: entries, metadata: metadata.success ? metadata.data : {} };
}

/**
 * Reads a tensor as float32; F16 and BF16 are widened exactly.
 *
 * @throws {InputError} for other element types, or when the file has changed since its header was read.
 */
export async function readTensor(name: string, entry: TensorEntry): Promise<Float32Array> {
  if (!(entry.dtype in READABLE)) {
    throw new InputError(
      `Tensor ${name} of ${entry.file} is ${entry.dtype}; the engine reads ${
        Object.keys(READABLE).join(", ")
      }. ` +
        "Save the checkpoint in one of these.",
    );
  }
  using file = await openFile(entry.file);
  const { buffer } = await readExactly(file, entry.offset, entry.bytes, entry.file);
  if (entry.dtype === "F32") return new Float32Array(buffer);
  if (entry.dtype === "F16") return new Float32Array(new Float16Array(buffer));
  return fromBfloat16(new Uint16Array(buffer));
}

/** Numbers stored as bfloat16, exactly. */
export function fromBfloat16(words: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) out[i] = (words[i] as number) << 16;
  return new Float32Array(out.buffer);
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (cause) {
    throw new InputError(`Cannot open ${path}: check that the file exists and can be read.`, { cause });
  }
}

async function readExactly(
  file: Deno.FsFile,
  offset: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(offset, Deno.SeekMode.Start);
  const out = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(out.subarray(filled));
    if (count === null) throw new InputError(`${path} ends after ${offset + filled} bytes: fetch it again.`);
    filled += count;
  }
  return out;
}
