/**
 * The decoder as an ONNX graph: everything but attention, which differs between prefill and decode.
 * Activations are `[tokens, width]` throughout.
 * @module
 */
import type { WeightReader } from "./checkpoint.ts";
import type { DecoderConfig } from "./config.ts";
import { addLinear, addLookup, type LinearSource } from "./linear.ts";
import type { LoraAdapter } from "./lora.ts";
import { type Dimension, OnnxGraph, type OnnxModel } from "./onnx_graph.ts";
import type { QuantizedMatrices } from "./quantized_matrices.ts";

/** Queries, keys and values of one layer, `[tokens, heads * headDim]`, positions not yet applied. */
export interface Projections {
  /** Queries then keys, side by side: `[tokens, (heads + kvHeads) * headDim]`. */
  readonly queryKey: string;
  /** `[tokens, kvHeads * headDim]`. */
  readonly value: string;
}

/** Adds the attention of one layer and gives its output, `[tokens, heads * headDim]`. */
export type AttentionPart = (layer: number, projections: Projections) => string;

/** How tokens come in and which go out. */
export interface GraphEnds {
  /** The token ids, int64 `[tokens]`. */
  readonly ids: string;
  /** Keeps the tokens that logits are wanted of, `[tokens, hiddenSize]` in. */
  readonly select: (input: string) => string;
  /** Dimensions of the logits, before the vocabulary. */
  readonly dims: readonly Dimension[];
}

/** What to build. */
export interface GraphOptions {
  /** Declares the inputs of attention and gives the part that builds it. */
  readonly attention: (graph: OnnxGraph) => AttentionPart;
  /**
   * Opens the residual stream: `residual.N`, `resid_mid.N`, `attn_out.N`, `mlp_out.N` become outputs, and all but
   * `resid_mid.N` pass through the inputs `steer_vectors.SITE`, `steer_reads.SITE`, `steer_add.SITE` and
   * `steer_cut.SITE` (see steering.ts).
   */
  readonly open: boolean;
  /** Whether the input `rows` picks the tokens that logits are wanted of; all tokens otherwise. */
  readonly selectRows: boolean;
  /**
   * Adds the output `probabilities` `[drawn, vocabulary]`: the softmax of the rows `drawn` (int64) of the logits, each
   * times its `cooling` `[drawn, 1]`, the inverse of a temperature.
   */
  readonly probabilities?: boolean;
  /** The weight matrices, quantised; in full precision without. */
  readonly matrices?: QuantizedMatrices | undefined;
  /** An adapter, run beside the weights. */
  readonly adapter?: LoraAdapter | undefined;
  /** Other ends than the inputs `ids` and `rows`. */
  readonly ends?: (graph: OnnxGraph) => GraphEnds;
  /** Name of the one file that all weights in full precision are to lie in, for a model that is written to disk. */
  readonly dataFile?: string;
}

/** Builds the model's graph: inputs `ids` and what attention declares, output `logits` `[rows, vocabulary]`. */
export async function buildDecoderGraph(
  config: DecoderConfig,
  weights: WeightReader,
  options: GraphOptions,
): Promise<OnnxModel> {
  const graph = new OnnxGraph(options.dataFile);
  const parts = new Parts(graph, config, weights, options);
  const { hiddenSize: d, numLayers } = config;
  const expose = (name: string) => {
    if (options.open) graph.output(name, "float32", ["tokens", d]);
  };
  /** Steers and exposes what `build` gives when the graph is open; names it otherwise. */
  const site = async (name: string, build: (name?: string) => Promise<string>) => {
    if (!options.open) return await build(name);
    const { steered } = parts.steer(await build(), name);
    expose(name);
    return steered;
  };
  const ends = (options.ends ?? flatEnds(options.selectRows))(graph);
  const attention = options.attention(graph);

  let residual = await parts.embedded(ends.ids);
  let pending: string | undefined; // what the last block adds to the residual, where it is not added yet
  for (let layer = 0; layer < numLayers; layer++) {
    const prefix = `model.layers.${layer}`;
    const afterAttention = `${prefix}.post_attention_layernorm.weight`;
    const entry = await parts.norm(residual, pending, `${prefix}.input_layernorm.weight`);
    const heads = attention(layer, await parts.projections(entry.normed, layer));
    const attentionOut = await site(
      `attn_out.${layer}`,
      (name) =>
        parts.linear(
          heads,
          [`${prefix}.self_attn.o_proj`],
          [d],
          config.numHeads * config.headDim,
          config.biases.output,
          name,
        ),
    );
    const middle = await parts.norm(
      entry.sum,
      config.postNorms ? await parts.normOf(attentionOut, afterAttention) : attentionOut,
      config.postNorms ? `${prefix}.pre_feedforward_layernorm.weight` : afterAttention,
      `resid_mid.${layer}`,
    );
    expose(`resid_mid.${layer}`);
    const mlpOut = await site(`mlp_out.${layer}`, (name) => parts.mlp(middle.normed, layer, name));
    const contribution = config.postNorms
      ? await parts.normOf(mlpOut, `${prefix}.post_feedforward_layernorm.weight`)
      : mlpOut;
    if (options.open) {
      // The next norm adds the change itself, so that it computes as in the closed graph, to the bit.
      residual = graph.node("Add", [middle.sum, contribution]);
      pending = parts.steer(residual, `residual.${layer}`).change;
      expose(`residual.${layer}`);
    } else {
      residual = middle.sum;
      pending = contribution;
    }
  }
  const final = await parts.norm(residual, pending, "model.norm.weight");
  await parts.head(ends.select(final.normed));
  graph.output("logits", "float32", [...ends.dims, config.vocabSize]);
  if (options.probabilities) {
    const drawn = graph.node("Gather", ["logits", graph.input("drawn", "int64", ["drawn"])]);
    const cooled = graph.node("Mul", [drawn, graph.input("cooling", "float32", ["drawn", 1])]);
    graph.node("Softmax", [cooled], { axis: -1 }, "probabilities");
    graph.output("probabilities", "float32", ["drawn", config.vocabSize]);
  }
  return graph.build();
}

/** A list of tokens `ids`, and the `rows` of it that logits are wanted of, or all. */
function flatEnds(selectRows: boolean): (graph: OnnxGraph) => GraphEnds {
  return (graph) => {
    graph.input("ids", "int64", ["tokens"]);
    if (!selectRows) return { ids: "ids", select: (input) => input, dims: ["tokens"] };
    graph.input("rows", "int64", ["rows"]);
    return { ids: "ids", select: (input) => graph.node("Gather", [input, "rows"]), dims: ["rows"] };
  };
}

/** The pieces a block is made of. */
class Parts implements LinearSource {
  readonly matrices: QuantizedMatrices | undefined;
  readonly adapter: LoraAdapter | undefined;

  constructor(
    readonly graph: OnnxGraph,
    readonly config: DecoderConfig,
    readonly weights: WeightReader,
    options: GraphOptions,
  ) {
    this.matrices = options.matrices;
    this.adapter = options.adapter;
  }

  /** Embeddings of the tokens. */
  async embedded(ids: string): Promise<string> {
    const { vocabSize, hiddenSize, scaledEmbedding } = this.config;
    const name = "model.embed_tokens.weight";
    const rows = await addLookup(this.graph, this, name, vocabSize, hiddenSize, ids);
    if (!scaledEmbedding) return rows;
    const scale = Float32Array.of(this.weights.rounded(name, Math.sqrt(hiddenSize)));
    return this.graph.node("Mul", [rows, this.graph.weight("embedding_scale", [1], scale)]);
  }

  /** A norm's weights as they act. */
  async gains(name: string, width: number): Promise<Float32Array> {
    const stored = await this.weights.read([name], [width]);
    return this.config.normOffset ? stored.map((x) => 1 + x) : stored;
  }

  /** RMS norm of `input`. */
  async normOf(input: string, weight: string): Promise<string> {
    const { hiddenSize, normEpsilon } = this.config;
    const gain = this.graph.weight(weight, [hiddenSize], await this.gains(weight, hiddenSize));
    const epsilon = { float: normEpsilon };
    return this.graph.node("SimplifiedLayerNormalization", [input, gain], { axis: -1, epsilon });
  }

  /** RMS norm of `residual + added`, and that sum. */
  async norm(residual: string, added: string | undefined, weight: string, sumName?: string) {
    if (added === undefined) return { normed: await this.normOf(residual, weight), sum: residual };
    const { hiddenSize, normEpsilon } = this.config;
    const gain = this.graph.weight(weight, [hiddenSize], await this.gains(weight, hiddenSize));
    const sum = sumName ?? `${weight}.sum`;
    const normed = `${weight}.out`;
    this.graph.nodes(
      "ms:SkipSimplifiedLayerNormalization",
      [residual, added, gain],
      [normed, "", "", sum],
      { epsilon: { float: normEpsilon } },
    );
    return { normed, sum };
  }

  /**
   * A linear layer, or several of the same input side by side. Weights stay `[out, in]` as they are stored.
   * Every product with a weight matrix of the model goes through here, the output head included.
   *
   * @param input `[tokens, columns]`
   * @param modules names of the layers, without `.weight` or `.bias`.
   * @param rows outputs of each layer.
   * @param columns inputs of each layer.
   * @param bias whether the layers have one.
   * @param name of the output `[tokens, sum of rows]`; a fresh one unless given.
   */
  async linear(
    input: string,
    modules: readonly string[],
    rows: readonly number[],
    columns: number,
    bias: boolean,
    name?: string,
  ): Promise<string> {
    return await addLinear(this.graph, this, input, { modules, rows, columns, bias }, name);
  }

  async projections(input: string, layer: number): Promise<Projections> {
    const { numHeads, numKvHeads, headDim, hiddenSize, biases, fused } = this.config;
    const prefix = `model.layers.${layer}.self_attn`;
    const all = await this.linear(
      input,
      fused ? [`${prefix}.qkv_proj`] : ["q", "k", "v"].map((which) => `${prefix}.${which}_proj`),
      fused
        ? [(numHeads + 2 * numKvHeads) * headDim]
        : [numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim],
      hiddenSize,
      biases.qkv,
    );
    const [queryKey, value] = this.graph.split(
      all,
      [(numHeads + numKvHeads) * headDim, numKvHeads * headDim],
      1,
    ) as [string, string];
    return { queryKey: this.config.headNorms ? await this.headNorms(queryKey, prefix) : queryKey, value };
  }

  /** RMS norms of the single heads of queries and keys. */
  async headNorms(queryKey: string, prefix: string): Promise<string> {
    const { numHeads, numKvHeads, headDim, normEpsilon } = this.config;
    const heads = numHeads + numKvHeads;
    const gains = new Float32Array(heads * headDim);
    const names = { query: `${prefix}.q_norm.weight`, key: `${prefix}.k_norm.weight` };
    const [query, key] = [await this.gains(names.query, headDim), await this.gains(names.key, headDim)];
    for (let head = 0; head < heads; head++) gains.set(head < numHeads ? query : key, head * headDim);
    const normed = this.graph.node("SimplifiedLayerNormalization", [
      this.graph.reshape(queryKey, [-1, heads, headDim]),
      this.graph.weight("head_ones", [headDim], new Float32Array(headDim).fill(1)),
    ], { axis: -1, epsilon: { float: normEpsilon } });
    const gained = this.graph.node("Mul", [
      normed,
      this.graph.weight(`${names.query}|${names.key}`, [heads, headDim], gains),
    ]);
    return this.graph.reshape(gained, [-1, heads * headDim]);
  }

  async mlp(input: string, layer: number, name?: string): Promise<string> {
    const { hiddenSize, intermediateSize, biases, fused } = this.config;
    const prefix = `model.layers.${layer}.mlp`;
    const both = await this.linear(
      input,
      fused ? [`${prefix}.gate_up_proj`] : [`${prefix}.gate_proj`, `${prefix}.up_proj`],
      fused ? [2 * intermediateSize] : [intermediateSize, intermediateSize],
      hiddenSize,
      biases.mlp,
    );
    const [gate, up] = this.graph.split(both, [intermediateSize, intermediateSize], 1) as [string, string];
    // QuickGelu with alpha 1 is x * sigmoid(x): SiLU. FastGelu is the tanh form of GELU.
    const active = this.config.activation === "silu"
      ? this.graph.node("ms:QuickGelu", [gate], { alpha: { float: 1 } })
      : this.graph.node("ms:FastGelu", [gate]);
    const product = this.graph.node("Mul", [active, up]);
    return this.linear(
      product,
      [`${prefix}.down_proj`],
      [hiddenSize],
      intermediateSize,
      biases.mlp,
      name,
    );
  }

  /** `x + (add - cut * (x . reads)) vectors`, per token, under the site's name; and what it adds to x. */
  steer(input: string, site: string): { readonly steered: string; readonly change: string } {
    const { graph } = this;
    const directions = `directions.${site}`; // their number differs from site to site
    const vectors = graph.input(`steer_vectors.${site}`, "float32", [directions, this.config.hiddenSize]);
    const reads = graph.input(`steer_reads.${site}`, "float32", [directions, this.config.hiddenSize]);
    const add = graph.input(`steer_add.${site}`, "float32", ["tokens", directions]);
    const cut = graph.input(`steer_cut.${site}`, "float32", ["tokens", directions]);
    const along = graph.node("ms:FusedMatMul", [input, reads], { transB: 1 });
    const amount = graph.node("Sub", [add, graph.node("Mul", [cut, along])]);
    const change = graph.node("MatMul", [amount, vectors]);
    return { steered: graph.node("Add", [input, change], {}, site), change };
  }

  async head(input: string): Promise<void> {
    const { vocabSize, hiddenSize, tied, logitSoftcap } = this.config;
    const module = tied ? "model.embed_tokens" : "lm_head";
    const head = (name?: string) => this.linear(input, [module], [vocabSize], hiddenSize, false, name);
    if (logitSoftcap === null) {
      await head("logits");
      return;
    }
    const cap = this.graph.weight("logit_softcap", [1], Float32Array.of(logitSoftcap));
    const bent = this.graph.node("Tanh", [this.graph.node("Div", [await head(), cap])]);
    this.graph.node("Mul", [bent, cap], {}, "logits");
  }
}
