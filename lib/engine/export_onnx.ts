/**
 * Writes a checkpoint as an ONNX export in onnx-community's layout, which @huggingface/transformers loads.
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { readJson } from "./checkpoint.ts";
import { type DecoderConfig, parseConfig } from "./config.ts";
import { buildDecoderGraph } from "./decoder_graph.ts";
import { EXPORT_FILES } from "./export_files.ts";
import { exportAttention, exportEnds } from "./export_graph.ts";
import type { FileRegion, OnnxModel } from "./onnx_graph.ts";
import { openWeights, type WeightOptions } from "./open_weights.ts";
import type { QuantizedMatrices } from "./quantized_matrices.ts";
import { RegionWriter } from "./region_file.ts";

/** Files that go with the model unchanged, where they exist. */
const COPIED = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "chat_template.jinja",
];

/** Options of {@linkcode exportOnnx}. */
export interface ExportOptions extends Pick<WeightOptions, "dtype" | "lora" | "cacheDir"> {
  /** Stops before the model is in place. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface ExportResult {
  /** Path of the ONNX file. */
  readonly model: string;
  /** Path of its weights. */
  readonly data: string;
  /** Whether the weights are the file of the engine's cache (a hard link), not a copy of it. */
  readonly shared: boolean;
  /** Bytes of the weights. */
  readonly bytes: number;
}

const tableSchema = z.looseObject({ use_external_data_format: z.record(z.string(), z.unknown()).optional() });
const configSchema = z.looseObject({ "transformers.js_config": tableSchema.optional() });

/**
 * Writes `onnx/model*.onnx` with its weights beside it, config.json and the tokenizer's files. Exports of several
 * dtypes can lie in one folder. Quantised weights are those of the engine's cache, hard-linked where the file systems
 * allow it. An adapter is merged.
 *
 * @param dir checkpoint folder.
 * @param out folder for the export; made when it does not exist.
 * @throws {InputError} for checkpoints that the engine does not run, and when `out` cannot be written.
 */
export async function exportOnnx(
  dir: string,
  out: string,
  options: ExportOptions = {},
): Promise<ExportResult> {
  const { dtype = "fp32", signal } = options;
  if (resolve(dir) === resolve(out)) {
    throw new InputError(
      `${out} is the checkpoint itself, whose config.json would be replaced: choose another folder.`,
    );
  }
  const configPath = join(dir, "config.json");
  const json = await readJson(configPath);
  if (json === undefined) {
    throw new InputError(`There is no ${configPath}: give the folder of a Hugging Face decoder checkpoint.`);
  }
  const config = parseConfig(json, configPath);
  if (config.ropes.some(({ scaling }) => scaling.type === "longrope")) {
    throw new InputError(
      `${configPath} has LongRoPE positions, which depend on the length of the text: an export cannot hold them.`,
    );
  }
  const { weights, matrices } = await openWeights(config, dir, { ...options, mergeLora: true });
  const model = join(out, "onnx", EXPORT_FILES[dtype]);
  const data = `${model}_data`;
  const regions: FileRegion[] = [];
  const built = await buildDecoderGraph(config, weights, {
    attention: exportAttention(config),
    ends: exportEnds(config.hiddenSize),
    open: false,
    selectRows: false,
    matrices: matrices && renamed(matrices, basename(data), regions),
    dataFile: basename(data),
  });
  weights.checkAllUsed();
  signal?.throwIfAborted();
  try {
    await Deno.mkdir(dirname(model), { recursive: true });
    const shared = regions[0] !== undefined && await link(join(regions[0].folder, regions[0].file), data);
    if (regions[0] === undefined) await writeData(data, built, signal);
    await writeAtomic(model, built.bytes);
    for (const name of COPIED) await copyIfExists(join(dir, name), join(out, name));
    await writeConfig(json, config, out, basename(model));
    return { model, data, shared, bytes: (await Deno.stat(data)).size };
  } catch (error) {
    if (signal?.aborted || error instanceof InputError) throw error;
    throw new InputError(
      `Cannot write ${out}: ${
        messageOf(error)
      }. Make the folder writable, free some space, or choose another.`,
      { cause: error },
    );
  }
}

/** The same matrices, under the name that their file has in the export; `regions` takes down where they lie. */
function renamed(matrices: QuantizedMatrices, file: string, regions: FileRegion[]): QuantizedMatrices {
  return {
    async matrix(...wanted) {
      const found = await matrices.matrix(...wanted);
      if (found === undefined) return undefined;
      regions.push(found.data);
      const { data, scales, zeros } = found;
      return { ...found, data: { ...data, file }, scales: { ...scales, file }, zeros: { ...zeros, file } };
    },
  };
}

/** Makes `to` the same file as `from`, or a copy of it. @returns whether it is the same. */
async function link(from: string, to: string): Promise<boolean> {
  const temporary = `${to}.${Deno.pid}.tmp`;
  await Deno.remove(temporary).catch(() => {});
  const shared = await Deno.link(from, temporary).then(() => true, () => false);
  if (!shared) await Deno.copyFile(from, temporary);
  await Deno.rename(temporary, to);
  return shared;
}

async function writeData(path: string, model: OnnxModel, signal: AbortSignal | undefined): Promise<void> {
  const temporary = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.remove(temporary).catch(() => {});
    const writer = await RegionWriter.create(temporary);
    try {
      for (const { data } of model.externalData) {
        signal?.throwIfAborted();
        await writer.append(data);
      }
    } finally {
      writer[Symbol.dispose]();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function copyIfExists(from: string, to: string): Promise<void> {
  try {
    await writeAtomic(to, await Deno.readFile(from)); // not with the mode of a file that may be read-only
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Writes config.json with what @huggingface/transformers must know of this export and of those already there. */
async function writeConfig(json: unknown, config: DecoderConfig, out: string, file: string): Promise<void> {
  const path = join(out, "config.json");
  const before = configSchema.safeParse(await readJson(path) ?? {});
  if (!before.success) {
    throw new InputError(`${path} is not an export's config.json: ${messageOf(before.error)}`, {
      cause: before.error,
    });
  }
  const table = before.data["transformers.js_config"];
  const merged = {
    ...configSchema.parse(json),
    head_dim: config.headDim,
    num_key_value_heads: config.numKvHeads,
    "transformers.js_config": {
      ...table,
      use_external_data_format: { ...table?.use_external_data_format, [file]: 1 },
    },
  };
  await writeAtomic(path, JSON.stringify(merged, null, 2) + "\n");
}
