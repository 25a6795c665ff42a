/**
 * The layout of onnx-community's exports: names of files, inputs and outputs.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import type { OnnxFile } from "./onnx_reader.ts";
import type { LoadOptions } from "./types.ts";

const FLOAT32 = 1;

/** The dtypes that exports are made in. */
export type ExportDtype = NonNullable<LoadOptions["dtype"]>;

/** File names by dtype, as @huggingface/transformers looks for them. */
export const EXPORT_FILES: Readonly<Record<ExportDtype, string>> = {
  fp32: "model.onnx",
  q8: "model_quantized.onnx",
  q4: "model_q4.onnx",
};

/**
 * The path of a folder's export, in `onnx/` or in the folder itself.
 *
 * @returns undefined when it has none of any dtype.
 * @throws {InputError} when it has exports, but not of this dtype.
 */
export async function findExport(
  dir: string,
  dtype: ExportDtype = "fp32",
): Promise<string | undefined> {
  const found: string[] = [];
  for (const folder of [join(dir, "onnx"), dir]) {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch((): string[] => []);
    if (names.includes(EXPORT_FILES[dtype])) return join(folder, EXPORT_FILES[dtype]);
    found.push(...names.filter((name) => /^model\w*\.onnx$/.test(name)));
  }
  if (found.length === 0) return undefined;
  throw noExport(dir, dtype, found);
}

/** The error for a folder or repository that has exports, but none of this dtype. */
export function noExport(where: string, dtype: ExportDtype, found: readonly string[]): InputError {
  return new InputError(
    `${where} has no export ${EXPORT_FILES[dtype]} for dtype "${dtype}"; it has ${
      [...found].sort().join(", ")
    }. The engine loads ${Object.values(EXPORT_FILES).join(", ")}.`,
  );
}

/** Checks the inputs and outputs of an export. @throws {InputError} when they are not those of a decoder of this shape. */
export function checkEnds(file: OnnxFile, config: DecoderConfig, path: string): void {
  const { numLayers, numKvHeads, headDim } = config;
  const refuse = (what: string) =>
    new InputError(
      `${path} ${what}: it is not an export of this config.json in the layout of onnx-community.`,
    );
  const caches = (name: string) =>
    Array.from({ length: numLayers }, (_, layer) => [`${name}.${layer}.key`, `${name}.${layer}.value`])
      .flat();
  const taken = new Set([
    "input_ids",
    "attention_mask",
    "position_ids",
    "num_logits_to_keep",
    ...caches("past_key_values"),
  ]);
  const inputs = new Map(file.inputs.map((value) => [value.name, value]));
  const outputs = new Map(file.outputs.map((value) => [value.name, value]));
  const unknown = [...inputs.keys()].find((name) => !taken.has(name));
  if (unknown !== undefined) throw refuse(`wants the input ${JSON.stringify(unknown.slice(0, 100))}`);
  for (const name of ["input_ids", ...caches("past_key_values")]) {
    if (!inputs.has(name)) throw refuse(`has no input ${name}`);
  }
  for (const name of ["logits", ...caches("present")]) {
    const output = outputs.get(name);
    if (output === undefined) throw refuse(`has no output ${name}`);
    if (output.type !== FLOAT32) throw refuse(`gives ${name} in another type than float32`);
  }
  for (const name of caches("past_key_values")) {
    const { type, dims } = inputs.get(name) as { type: number; dims: readonly (number | string)[] };
    if (type !== FLOAT32) throw refuse(`takes ${name} in another type than float32`);
    if (dims.length !== 4 || dims[1] !== numKvHeads || dims[3] !== headDim) {
      throw refuse(
        `takes ${name} as [${dims}], where config.json calls for [batch,${numKvHeads},past,${headDim}]`,
      );
    }
  }
}
