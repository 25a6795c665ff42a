/**
 * Attention as graph parts: over a whole chunk (prefill), and one token per branch (decode).
 * The layouts were chosen by measuring with onnxruntime-node: it copies every output, so caches are never outputs.
 * @module
 */
import type { DecoderConfig } from "./config.ts";
import type { AttentionPart } from "./decoder_graph.ts";
import type { OnnxGraph } from "./onnx_graph.ts";

/** Name of the decode graph's mask for layers that see `window` tokens. */
export function maskName(window: number | null): string {
  return window === null ? "mask" : `mask.${window}`;
}

/** The different windows of a model's layers. */
export function windowsOf(config: DecoderConfig): (number | null)[] {
  return [...new Set(config.layers.map(({ window }) => window))];
}

/**
 * Attention of a chunk of one sequence over its past and itself.
 *
 * Inputs: `cos.R`, `sin.R` `[positions, rotaryDim / 2]`, `position_ids` `[1, tokens]`, `prefix_k.N`, `prefix_v.N`
 * `[past, kvHeads, headDim]`, `seqlens_k` (past + tokens - 1) and `total_length` (past + tokens).
 * Outputs: the chunk's own `k.N`, `v.N` `[tokens, kvHeads, headDim]`.
 */
export function prefillAttention(config: DecoderConfig): (graph: OnnxGraph) => AttentionPart {
  const { numHeads, numKvHeads, headDim, attentionScale } = config;
  return (graph) => {
    const rotate = rotaryPart(graph, config);
    graph.input("position_ids", "int64", ["sequences", "positions_each"]);
    graph.input("seqlens_k", "int32", [1]);
    graph.input("total_length", "int32", []);
    const past = (name: string) => {
      graph.input(name, "float32", ["past", numKvHeads, headDim]);
      return graph.node("Unsqueeze", [graph.node("Transpose", [name], { perm: [1, 0, 2] }), graph.ints([0])]);
    };
    const rows = (flat: string, name: string) => {
      graph.reshape(flat, [-1, numKvHeads, headDim], name);
      graph.output(name, "float32", ["tokens", numKvHeads, headDim]);
    };
    return (layer, { queryKey, value }) => {
      const flat = graph.reshape(queryKey, [1, -1, (numHeads + numKvHeads) * headDim]);
      const [query, key] = graph.split(
        rotate(flat, layer),
        [numHeads * headDim, numKvHeads * headDim],
        2,
      ) as [
        string,
        string,
      ];
      const values = graph.reshape(value, [1, -1, numKvHeads * headDim]);
      rows(key, `k.${layer}`);
      rows(values, `v.${layer}`);
      const heads = `heads.${layer}`;
      graph.nodes(
        "ms:GroupQueryAttention",
        [
          query,
          key,
          values,
          past(`prefix_k.${layer}`),
          past(`prefix_v.${layer}`),
          "seqlens_k",
          "total_length",
        ],
        [heads, `present_k.${layer}`, `present_v.${layer}`],
        {
          num_heads: numHeads,
          kv_num_heads: numKvHeads,
          do_rotary: 0,
          scale: { float: attentionScale },
          local_window_size: config.layers[layer]?.window ?? -1,
        },
      );
      return graph.reshape(heads, [-1, numHeads * headDim]);
    };
  };
}

/**
 * Attention of one new token in each of B branches that share a prefix.
 *
 * Inputs: `cos.R`, `sin.R`, `position_ids` `[B, 1]`; `prefix_k.N`, `prefix_v.N` `[past, kvHeads, headDim]`, held
 * once; `suffix_k.N`, `suffix_v.N` `[steps, kvHeads, B, headDim]`, the branches' own tokens; a mask
 * `[B, 1, past + steps + 1]` for each window of the layers ({@linkcode maskName}), added to the scores; and the
 * shapes that depend on these: `split` (past, steps, 1), `scores_shape` (kvHeads, B, group, past), `weights_shape`
 * (kvHeads, B * group, past).
 * `past` and `steps` must be at least 1: FusedMatMul ends the process on empty tensors.
 * Outputs: the new token's `k.N`, `v.N` `[kvHeads, B, headDim]`.
 *
 * Queries are laid out `[kvHeads, B * group, headDim]`, so that one matrix product per key-value head serves all
 * branches and no key or value is repeated.
 */
export function decodeAttention(config: DecoderConfig): (graph: OnnxGraph) => AttentionPart {
  const { numHeads, numKvHeads, headDim } = config;
  const group = numHeads / numKvHeads;
  const scale = { float: config.attentionScale };
  return (graph) => {
    const rotate = rotaryPart(graph, config);
    graph.input("position_ids", "int64", ["sequences", "positions_each"]);
    for (const window of windowsOf(config)) {
      graph.input(maskName(window), "float32", ["tokens", 1, "length"]);
    }
    graph.input("split", "int64", [3]);
    graph.input("scores_shape", "int64", [4]);
    graph.input("weights_shape", "int64", [3]);
    const score = (query: string, keys: string) =>
      graph.node("ms:FusedMatMul", [query, keys], { transB: 1, transBatchB: 1, alpha: scale });
    const mix = (weights: string, values: string) =>
      graph.node("ms:FusedMatMul", [weights, values], { transBatchB: 1 });
    /** `[B, 1, kvHeads * headDim]` to an output `[kvHeads, B, headDim]`, and the same as one suffix step. */
    const step = (flat: string, name: string) => {
      graph.node("Transpose", [graph.reshape(flat, [-1, numKvHeads, headDim])], { perm: [1, 0, 2] }, name);
      graph.output(name, "float32", [numKvHeads, "tokens", headDim]);
      return graph.node("Unsqueeze", [name, graph.ints([0])]);
    };
    return (layer, { queryKey, value }) => {
      const prefix = (which: string) =>
        graph.input(`prefix_${which}.${layer}`, "float32", ["past", numKvHeads, headDim]);
      const suffix = (which: string) =>
        graph.input(`suffix_${which}.${layer}`, "float32", ["steps", numKvHeads, "tokens", headDim]);
      const flat = graph.reshape(queryKey, [-1, 1, (numHeads + numKvHeads) * headDim]);
      const [query, key] = graph.split(
        rotate(flat, layer),
        [numHeads * headDim, numKvHeads * headDim],
        2,
      ) as [
        string,
        string,
      ];
      const ownKey = step(key, `k.${layer}`);
      const ownValue = step(value, `v.${layer}`);
      const perBranch = graph.node(
        "Transpose",
        [graph.reshape(query, [-1, numKvHeads, group, headDim])],
        { perm: [1, 0, 2, 3] },
      );
      const merged = graph.reshape(perBranch, [numKvHeads, -1, headDim]);
      const prefixScores = graph.node("Reshape", [score(merged, prefix("k")), "scores_shape"]);
      const scores = graph.node(
        "Concat",
        [prefixScores, score(perBranch, suffix("k")), score(perBranch, ownKey)],
        { axis: 3 },
      );
      const weights = graph.node("Softmax", [
        graph.node("Add", [scores, maskName(config.layers[layer]?.window ?? null)]),
      ], { axis: -1 });
      const [onPrefix, onSuffix, onOwn] = ["prefix", "suffix", "own"].map((name) =>
        `weights_${name}.${layer}`
      ) as [
        string,
        string,
        string,
      ];
      graph.nodes("Split", [weights, "split"], [onPrefix, onSuffix, onOwn], { axis: 3 });
      const fromPrefix = graph.reshape(
        mix(graph.node("Reshape", [onPrefix, "weights_shape"]), prefix("v")),
        [numKvHeads, -1, group, headDim],
      );
      const heads = graph.node("Sum", [fromPrefix, mix(onSuffix, suffix("v")), mix(onOwn, ownValue)]);
      return graph.reshape(graph.node("Transpose", [heads], { perm: [1, 0, 2, 3] }), [
        -1,
        numHeads * headDim,
      ]);
    };
  };
}

/**
 * Both of the above in one graph, so that they share one copy of the weights: the input `decoding` says which runs.
 * What only the other reads must be fed too, and may hold anything.
 */
export function eitherAttention(config: DecoderConfig): (graph: OnnxGraph) => AttentionPart {
  return (graph) => {
    graph.input("decoding", "bool", []);
    return (layer, projections) => {
      const own = [`k.${layer}`, `v.${layer}`];
      const build = (mark: string, attention: (graph: OnnxGraph) => AttentionPart) => {
        const branch = graph.branch(`${mark}.${layer}.`);
        const heads = attention(branch)(layer, projections); // declares the outputs k.N and v.N
        branch.output(heads, "float32", ["tokens", config.numHeads * config.headDim]);
        return branch;
      };
      const heads = `heads.${layer}`;
      graph.either("decoding", [
        build("decode", decodeAttention(config)),
        build("prefill", prefillAttention(config)),
      ], [...own, heads]);
      for (const name of own) graph.output(name, "float32", ["outer", "inner", config.headDim]);
      return heads;
    };
  };
}

/** Declares the tables of positions and gives the part that applies a layer's own. */
function rotaryPart(graph: OnnxGraph, config: DecoderConfig): (input: string, layer: number) => string {
  const { ropes, layers, rotaryDim, headDim, numHeads, numKvHeads } = config;
  for (const r of ropes.keys()) {
    for (const table of ["cos", "sin"]) graph.input(`${table}.${r}`, "float32", ["positions", rotaryDim / 2]);
  }
  const part = rotaryDim === headDim
    ? {}
    : { num_heads: numHeads + numKvHeads, rotary_embedding_dim: rotaryDim };
  return (input, layer) => {
    const rope = layers[layer]?.rope ?? null;
    if (rope === null) return input;
    return graph.node("ms:RotaryEmbedding", [input, "position_ids", `cos.${rope}`, `sin.${rope}`], part);
  };
}
