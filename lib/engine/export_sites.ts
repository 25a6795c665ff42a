/**
 * Opens a ready-made ONNX export: finds its residual stream, makes it outputs, and lets it be steered.
 *
 * Fused exports (onnxruntime-genai's, ours, most of onnx-community) add to the residual in two
 * SkipSimplifiedLayerNormalization nodes per block, after attention and after the MLP; their inputs and outputs are
 * the sites.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import { OnnxGraph } from "./onnx_graph.ts";
import { addOnnx, addOutput, type OnnxFile, type OnnxNode, readOnnx, writeOnnx } from "./onnx_reader.ts";

/** An export whose sites are outputs, and steered through the inputs that steering.ts feeds. */
export interface OpenedExport {
  /** The changed model. */
  readonly bytes: Uint8Array;
  /** Output names by site. */
  readonly sites: ReadonlyMap<string, string>;
}

/**
 * Opens an export.
 *
 * @param bytes the ONNX file.
 * @param path of the file, for messages.
 * @throws {InputError} when its residual stream cannot be found.
 */
export function openExport(bytes: Uint8Array, path: string, config: DecoderConfig): OpenedExport {
  const file = readOnnx(bytes, path);
  const { numLayers, hiddenSize } = config;
  const adders = file.nodes.filter(({ op }) => op === "SkipSimplifiedLayerNormalization");
  if (adders.length !== 2 * numLayers || adders.some(({ inputs }) => (inputs[3] ?? "") !== "")) {
    throw new InputError(
      `${path} does not show its residual stream: it has ${adders.length} SkipSimplifiedLayerNormalization nodes, ` +
        `and ${
          2 * numLayers
        } were expected. Capture k.N and v.N and edit keys and values, or load the checkpoint ` +
        "that it was made from.",
    );
  }
  const extra = new OnnxGraph();
  const sites = new Map<string, string>();
  const expose = (site: string, name: string) => {
    addOutput(file, name);
    sites.set(site, name);
  };
  for (let layer = 0; layer < numLayers; layer++) {
    const [afterAttention, afterMlp] = [adders[2 * layer], adders[2 * layer + 1]] as [OnnxNode, OnnxNode];
    for (const [component, node] of [["attn_out", afterAttention], ["mlp_out", afterMlp]] as const) {
      const reader = config.postNorms ? producerOf(file, node.inputs[1] as string, path) : node;
      const slot = config.postNorms ? 0 : 1;
      const site = `${component}.${layer}`;
      const { steered } = addSteering(extra, reader.inputs[slot] as string, site, hiddenSize);
      reader.inputs[slot] = steered;
      expose(site, steered);
    }
    expose(`resid_mid.${layer}`, sumOf(afterAttention, `resid_mid.${layer}`));
    // As in our own graphs the norm adds the change itself: a change of zero then changes no bit.
    const site = `residual.${layer}`;
    const sum = extra.node(
      "Add",
      [afterMlp.inputs[0] as string, afterMlp.inputs[1] as string],
      {},
      `${site}.sum`,
    );
    afterMlp.inputs = [sum, addSteering(extra, sum, site, hiddenSize).change, afterMlp.inputs[2] as string];
    expose(site, sumOf(afterMlp, site));
  }
  addOnnx(file, extra.build().bytes);
  return { bytes: writeOnnx(file), sites };
}

/** The node that makes a tensor. */
function producerOf(file: OnnxFile, name: string, path: string): OnnxNode {
  const node = file.nodes.find(({ outputs }) => outputs.includes(name));
  if (node?.op === "SimplifiedLayerNormalization") return node;
  throw new InputError(
    `${path} has no norm where its architecture has one, before ${name}: load the checkpoint instead.`,
  );
}

/** The sum that a node adds up, named when it has no name yet. */
function sumOf(node: OnnxNode, name: string): string {
  while (node.outputs.length < 4) node.outputs.push("");
  node.outputs[3] ||= name;
  return node.outputs[3];
}

/** `x + (add - cut * (x . reads)) vectors`, and what it adds to x. */
function addSteering(graph: OnnxGraph, input: string, site: string, hiddenSize: number) {
  const directions = `directions.${site}`;
  const vectors = graph.input(`steer_vectors.${site}`, "float32", [directions, hiddenSize]);
  const reads = graph.input(`steer_reads.${site}`, "float32", [directions, hiddenSize]);
  const add = graph.input(`steer_add.${site}`, "float32", ["tokens", directions]);
  const cut = graph.input(`steer_cut.${site}`, "float32", ["tokens", directions]);
  const along = graph.node("ms:FusedMatMul", [input, reads], { transB: 1 }, `${site}.along`);
  const part = graph.node("Mul", [cut, along], {}, `${site}.part`);
  const amount = graph.node("Sub", [add, part], {}, `${site}.amount`);
  const change = graph.node("MatMul", [amount, vectors], {}, `${site}.change`);
  return { change, steered: graph.node("Add", [input, change], {}, `${site}.steered`) };
}
