/**
 * @module
 */
import type { LinearLayers } from "./linear.ts";
import type { OnnxGraph } from "./onnx_graph.ts";
/** x */
export interface LoraAdapter {
  /** x */
  addBranch(graph: OnnxGraph, input: string, layers: LinearLayers): string | undefined;
}
