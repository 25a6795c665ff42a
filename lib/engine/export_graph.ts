/**
 * The parts of an exported decoder that differ from those the engine runs itself: the inputs and outputs that
 * onnx-community exports have, batches of sequences, caches in and out.
 * @module
 */
import type { DecoderConfig } from "./config.ts";
import type { AttentionPart, GraphEnds } from "./decoder_graph.ts";
import type { OnnxGraph } from "./onnx_graph.ts";
import { RopeTables } from "./rope_table.ts";

/** Past every end that a slice may have. */
const LAST = 2 ** 31 - 1;

/**
 * Inputs `input_ids` `[batch_size, sequence_length]` and `num_logits_to_keep` (the last so many tokens; 0: all), and
 * logits `[batch_size, kept_length, vocabulary]`.
 */
export function exportEnds(hiddenSize: number): (graph: OnnxGraph) => GraphEnds {
  return (graph) => {
    const ids = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
    const keep = graph.input("num_logits_to_keep", "int64", []);
    const first = graph.reshape(graph.node("Neg", [keep]), [1]);
    return {
      ids: graph.reshape(ids, [-1]),
      select: (input) => {
        const shape = graph.node("Concat", [graph.node("Shape", [ids]), graph.ints([hiddenSize])], {
          axis: 0,
        });
        const batch = graph.node("Reshape", [input, shape]);
        return graph.node("Slice", [batch, first, graph.ints([LAST]), graph.ints([1])]);
      },
      dims: ["batch_size", "kept_length"],
    };
  };
}

/**
 * Attention with the whole cache as input `past_key_values.N.key` and `.value` and output `present.N.key` and
 * `.value`, `[batch_size, kvHeads, length, headDim]`, and inputs `attention_mask` `[batch_size, total length]` and
 * `position_ids` `[batch_size, sequence_length]`. The mask tells lengths: padding is right on the right side only,
 * as in all exports with GroupQueryAttention.
 */
export function exportAttention(config: DecoderConfig): (graph: OnnxGraph) => AttentionPart {
  const { numHeads, numKvHeads, headDim, rotaryDim, attentionScale, contextWindow } = config;
  return (graph) => {
    const mask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
    graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
    const int32 = (name: string) => graph.node("Cast", [name], { to: 6 });
    const lengths = graph.node("ReduceSum", [mask, graph.ints([1])], { keepdims: 0 });
    const lastIndex = int32(graph.node("Sub", [lengths, graph.ints([1])]));
    const total = int32(
      graph.reshape(graph.node("Gather", [graph.node("Shape", [mask]), graph.ints([1])]), []),
    );
    const batch = graph.node("Concat", [graph.node("Shape", ["input_ids"]), graph.ints([-1])], { axis: 0 });
    const tables = new RopeTables(config).feeds(contextWindow);
    for (const [name, { data, dims }] of Object.entries(tables)) {
      graph.weight(name, dims, data as Float32Array);
    }
    const part = rotaryDim === headDim
      ? {}
      : { num_heads: numHeads + numKvHeads, rotary_embedding_dim: rotaryDim };
    const cacheDims = (length: string) => ["batch_size", numKvHeads, length, headDim];
    return (layer, { queryKey, value }) => {
      const rope = config.layers[layer]?.rope ?? null;
      const flat = graph.node("Reshape", [queryKey, batch]);
      const rotated = rope === null
        ? flat
        : graph.node("ms:RotaryEmbedding", [flat, "position_ids", `cos.${rope}`, `sin.${rope}`], part);
      const [query, key] = graph.split(rotated, [numHeads * headDim, numKvHeads * headDim], 2) as [
        string,
        string,
      ];
      const past = ["key", "value"].map((which) =>
        graph.input(`past_key_values.${layer}.${which}`, "float32", cacheDims("past_sequence_length"))
      );
      const present = ["key", "value"].map((which) => `present.${layer}.${which}`);
      graph.nodes(
        "ms:GroupQueryAttention",
        [query, key, graph.node("Reshape", [value, batch]), ...past, lastIndex, total],
        [`heads.${layer}`, ...present],
        {
          num_heads: numHeads,
          kv_num_heads: numKvHeads,
          do_rotary: 0,
          scale: { float: attentionScale },
          local_window_size: config.layers[layer]?.window ?? -1,
        },
      );
      for (const name of present) graph.output(name, "float32", cacheDims("total_sequence_length"));
      return graph.reshape(`heads.${layer}`, [-1, numHeads * headDim]);
    };
  };
}
