/**
 * Products with the weight matrices of a model, and rows looked up in them, as graph parts: in full precision or
 * quantised, with the side branches of an adapter.
 * @module
 */
import type { WeightReader } from "./checkpoint.ts";
import type { LoraAdapter } from "./lora.ts";
import type { OnnxGraph } from "./onnx_graph.ts";
import type { QuantizedMatrices, StoredMatrix } from "./quantized_matrices.ts";

/** Where weights come from. */
export interface LinearSource {
  /** The checkpoint. */
  readonly weights: WeightReader;
  /** Its matrices, quantised; products are in full precision without. */
  readonly matrices?: QuantizedMatrices | undefined;
  /** An adapter whose products are added to those of the checkpoint. */
  readonly adapter?: LoraAdapter | undefined;
}

/** A linear layer, or several of the same input side by side. */
export interface LinearLayers {
  /** Their names, without `.weight` or `.bias`. */
  readonly modules: readonly string[];
  /** Outputs of each. */
  readonly rows: readonly number[];
  /** Inputs of each. */
  readonly columns: number;
  /** Whether they have biases. */
  readonly bias: boolean;
}

/** onnxruntime quantises activations to 8 bits, block by block: several times faster than products in float32. */
const INT8_ACTIVATIONS = 4;

/**
 * Adds `input W^T + b` and gives its name, `[tokens, sum of rows]`.
 *
 * Quantised products (MatMulNBits) depend in their last digits on how many tokens are computed at once: tokens drawn
 * in batches of different sizes agree exactly in full precision only.
 *
 * @param input `[tokens, columns]`
 * @param name of the output; a fresh one unless given.
 */
export async function addLinear(
  graph: OnnxGraph,
  source: LinearSource,
  input: string,
  layers: LinearLayers,
  name?: string,
): Promise<string> {
  const side = source.adapter?.addBranch(graph, input, layers);
  const product = await addProduct(graph, source, input, layers, side === undefined ? name : undefined);
  return side === undefined ? product : graph.node("Add", [product, side], {}, name);
}

async function addProduct(
  graph: OnnxGraph,
  { weights, matrices }: LinearSource,
  input: string,
  { modules, rows, columns, bias }: LinearLayers,
  name: string | undefined,
): Promise<string> {
  const total = rows.reduce((sum, n) => sum + n, 0);
  const tensors = modules.map((module) => `${module}.weight`);
  const biases = modules.map((module) => `${module}.bias`);
  const vector = bias ? graph.weight(biases.join("|"), [total], await weights.read(biases, rows)) : undefined;
  const quantized = await matrices?.matrix(tensors, rows, columns, "product");
  if (quantized !== undefined) {
    const { bits, blockSize } = quantized.format;
    const blocks = columns / blockSize;
    const parts = addStored(graph, quantized, [total, blocks, blockSize * bits / 8], [total, blocks]);
    const inputs = [input, ...parts, ...(vector === undefined ? [] : ["", vector])];
    return graph.node(
      "ms:MatMulNBits",
      inputs,
      { K: columns, N: total, bits, block_size: blockSize, accuracy_level: INT8_ACTIVATIONS },
      name,
    );
  }
  const matrix = graph.weight(
    tensors.join("|"),
    [total, columns],
    await weights.read(tensors, rows, columns),
  );
  if (vector === undefined) return graph.node("ms:FusedMatMul", [input, matrix], { transB: 1 }, name);
  return graph.node("Gemm", [input, matrix, vector], { transB: 1 }, name);
}

/**
 * Adds the rows of a tensor `[rows, columns]` at `ids` and gives their name, `[tokens, columns]`.
 *
 * @param ids int64 `[tokens]`
 */
export async function addLookup(
  graph: OnnxGraph,
  { weights, matrices }: LinearSource,
  tensor: string,
  rows: number,
  columns: number,
  ids: string,
): Promise<string> {
  const quantized = await matrices?.matrix([tensor], [rows], columns, "lookup");
  if (quantized === undefined) {
    const table = graph.weight(tensor, [rows, columns], await weights.read([tensor], [rows], columns));
    return graph.node("Gather", [table, ids]);
  }
  const { bits, blockSize } = quantized.format;
  const [data, scales, zeros] = addStored(
    graph,
    quantized,
    [rows, columns * bits / 8],
    [rows, columns / blockSize],
    ":lookup",
  );
  return graph.node("ms:GatherBlockQuantized", [data, ids, scales, zeros], {
    bits,
    block_size: blockSize,
    gather_axis: 0,
    quantize_axis: 1,
  });
}

/** Adds the parts of a quantised matrix; a suffix tells another view of the same bytes apart. */
function addStored(
  graph: OnnxGraph,
  { name, format, data, scales, zeros }: StoredMatrix,
  dataDims: readonly number[],
  scaleDims: readonly [rows: number, blocks: number],
  suffix = "",
): [data: string, scales: string, zeros: string] {
  const [rows, blocks] = scaleDims;
  return [
    graph.stored(`${name}.data${suffix}`, "uint8", dataDims, data),
    graph.stored(`${name}.scales${suffix}`, "float32", scaleDims, scales),
    graph.stored(`${name}.zeros${suffix}`, "uint8", [rows, Math.ceil(blocks * format.bits / 8)], zeros),
  ];
}
