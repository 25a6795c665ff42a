/**
 * The quantised weight matrices of a checkpoint: computed once, kept in a cache folder, mapped into memory from there.
 *
 * A cache entry is two files. `KEY.bin` holds the numbers; `KEY.json`, written last, says where they lie and what
 * the SHA-256 of the first file is. Both are renamed into place, so that a reader finds a whole entry or none, and
 * processes that make the same entry at once write the same bytes. KEY is a hash of all weights and of how they are
 * laid out, not of names or times of files.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import { type BlockFormat, formatFor, quantizeBlocks } from "./block_quantization.ts";
import type { WeightReader } from "./checkpoint.ts";
import type { FileRegion } from "./onnx_graph.ts";
import { hashFile, RegionWriter } from "./region_file.ts";

/** Changes when the same weights would be quantised to other bytes. */
const VERSION = 1;

/** Arithmetic of the weight matrices. */
export type QuantizedDtype = "q8" | "q4";

/** What a matrix is for: `product` with activations, or `lookup` of rows by token id. */
export type MatrixUse = "product" | "lookup";

/**
 * Formats by dtype and use. Blocks of 64 take products with several tokens a fifth less time than blocks of 32 and
 * err a tenth more, which 8 bits can afford. The rows looked up are the embedding: few bytes are read a token, so
 * that 8 bits cost no time.
 */
const FORMATS: Readonly<Record<QuantizedDtype, Readonly<Record<MatrixUse, BlockFormat>>>> = {
  q8: { product: { bits: 8, blockSize: 64 }, lookup: { bits: 8, blockSize: 64 } },
  q4: { product: { bits: 4, blockSize: 32 }, lookup: { bits: 8, blockSize: 32 } },
};

/** Where a quantised matrix lies; the parts are those of {@linkcode QuantizedBlocks}. */
export interface StoredMatrix {
  /** Names it apart from the same tensors in another format. */
  readonly name: string;
  /** How it is quantised. */
  readonly format: BlockFormat;
  /** The numbers. */
  readonly data: FileRegion;
  /** The scales, float32. */
  readonly scales: FileRegion;
  /** The zero points. */
  readonly zeros: FileRegion;
}

/** Finds quantised matrices. */
export interface QuantizedMatrices {
  /**
   * Tensors `[rows[i], columns]` of the checkpoint, joined along the first axis and quantised.
   *
   * @returns undefined when no block size divides the columns: the matrix is then used as it is.
   * @throws {InputError} when the checkpoint lacks a tensor, has another shape, or holds numbers that are not finite.
   */
  matrix(
    tensors: readonly string[],
    rows: readonly number[],
    columns: number,
    use: MatrixUse,
  ): Promise<StoredMatrix | undefined>;
}

/** What to quantise, and where to keep it. */
export interface QuantizeOptions {
  /** Bits of the weights. */
  readonly dtype: QuantizedDtype;
  /** Folder for cache entries; made when it does not exist. */
  readonly cacheDir: string;
  /** Whatever else the matrices depend on: the shape of the graph, a merged adapter. */
  readonly layout: Json;
  /** Asks for every matrix that will be wanted, once; used when there is no sound cache entry. */
  readonly visit: (matrices: QuantizedMatrices) => Promise<unknown>;
  /** Stops between matrices. */
  readonly signal?: AbortSignal | undefined;
}

const span = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);
const entrySchema = z.object({
  bits: z.union([z.literal(4), z.literal(8)]),
  blockSize: z.int().positive(),
  data: span,
  scales: span,
  zeros: span,
});
const indexSchema = z.object({
  version: z.literal(VERSION),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  matrices: z.record(z.string(), entrySchema),
  /** Of `matrices`, see {@linkcode checkOf}. */
  check: z.string(),
});
type Index = z.infer<typeof indexSchema>;
type Entry = z.infer<typeof entrySchema>;

/**
 * Opens the quantised matrices of a checkpoint, making them first when the cache has no sound entry.
 *
 * @throws {InputError} for unsound weights, and when the cache folder cannot be written.
 */
export async function openQuantized(
  weights: WeightReader,
  options: QuantizeOptions,
): Promise<QuantizedMatrices> {
  const { dtype, cacheDir, signal } = options;
  const contents: string[] = [];
  for (const file of weights.files) contents.push((await hashFile(file, { signal })).sha256);
  const formats = Object.entries(FORMATS[dtype]).map(([use, { bits, blockSize }]) => [use, bits, blockSize]);
  const key = sha256(canonicalJson({ version: VERSION, formats, contents, layout: options.layout })).slice(
    0,
    32,
  );
  let index = await readIndex(cacheDir, key, signal);
  if (index === undefined) {
    await quantizeCheckpoint(weights, key, options);
    index = await readIndex(cacheDir, key, signal);
  }
  if (index === undefined) {
    throw new InputError(
      `The quantised weights just written to ${cacheDir} read back damaged: check the disk or choose another cacheDir.`,
    );
  }
  const file = `${key}.bin`;
  const { matrices } = index;
  return {
    // deno-lint-ignore require-await
    async matrix(tensors, rows, columns, use) {
      weights.expect(tensors, rows, columns);
      const name = nameOf(tensors, dtype, use, columns);
      if (name === undefined) return undefined;
      const entry = Object.hasOwn(matrices, name) ? matrices[name] : undefined;
      if (entry === undefined) {
        throw new Error(`No matrix ${name} was made when the checkpoint was quantised.`);
      }
      return stored(cacheDir, file, name, entry);
    },
  };
}

function nameOf(
  tensors: readonly string[],
  dtype: QuantizedDtype,
  use: MatrixUse,
  columns: number,
): string | undefined {
  const wanted = FORMATS[dtype][use];
  const format = formatFor(wanted.bits, wanted.blockSize, columns);
  return format && `${tensors.join("|")}:${format.bits}`;
}

function stored(folder: string, file: string, name: string, entry: Entry): StoredMatrix {
  const region = ([offset, bytes]: readonly [number, number]) => ({ folder, file, offset, bytes });
  const { bits, blockSize, data, scales, zeros } = entry;
  return {
    name,
    format: { bits, blockSize },
    data: region(data),
    scales: region(scales),
    zeros: region(zeros),
  };
}

function checkOf(matrices: Index["matrices"]): string {
  return sha256(canonicalJson(matrices));
}

/** The index of a cache entry whose numbers are all there; undefined when there is none. */
async function readIndex(
  cacheDir: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Index | undefined> {
  try {
    const text = await readTextIfExists(join(cacheDir, `${key}.json`));
    if (text === undefined) return undefined;
    const index = indexSchema.parse(JSON.parse(text));
    if (checkOf(index.matrices) !== index.check) return undefined;
    const found = await hashFile(join(cacheDir, `${key}.bin`), { signal });
    return found.bytes === index.bytes && found.sha256 === index.sha256 ? index : undefined;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined; // damaged or half removed: it is made anew
  }
}

/** Quantises every matrix that `visit` asks for, one at a time, into a new cache entry. */
async function quantizeCheckpoint(
  weights: WeightReader,
  key: string,
  options: QuantizeOptions,
): Promise<void> {
  const { dtype, cacheDir, signal } = options;
  const temporary = join(cacheDir, `${key}.${Deno.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.mkdir(cacheDir, { recursive: true });
    const matrices: Record<string, Entry> = {};
    const writer = await RegionWriter.create(temporary);
    try {
      await options.visit({
        async matrix(tensors, rows, columns, use) {
          signal?.throwIfAborted();
          const name = nameOf(tensors, dtype, use, columns);
          const wanted = FORMATS[dtype][use];
          const format = formatFor(wanted.bits, wanted.blockSize, columns);
          if (name === undefined || format === undefined) return undefined;
          const total = rows.reduce((sum, n) => sum + n, 0);
          let entry = matrices[name];
          if (entry === undefined) {
            const matrix = await weights.read(tensors, rows, columns);
            if (!matrix.every(Number.isFinite)) {
              throw new InputError(
                `${tensors.join(", ")} holds numbers that are not finite: the checkpoint is damaged.`,
              );
            }
            const parts = quantizeBlocks(matrix, total, columns, format);
            weights.release();
            entry = {
              ...format,
              data: await writer.append(parts.data),
              scales: await writer.append(new Uint8Array(parts.scales.buffer)),
              zeros: await writer.append(parts.zeros),
            };
            matrices[name] = entry;
          }
          return stored(cacheDir, temporary, name, entry);
        },
      });
    } finally {
      writer[Symbol.dispose]();
    }
    await Deno.rename(temporary, join(cacheDir, `${key}.bin`));
    const index: Index = {
      version: VERSION,
      bytes: writer.size,
      sha256: writer.digest(),
      matrices,
      check: checkOf(matrices),
    };
    await writeAtomic(join(cacheDir, `${key}.json`), JSON.stringify(index));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    if (error instanceof InputError || signal?.aborted) throw error;
    throw new InputError(
      `Cannot keep quantised weights in ${cacheDir}: ${messageOf(error)}. ` +
        "Make the folder writable, free some space, or choose another with cacheDir.",
      { cause: error },
    );
  }
}
