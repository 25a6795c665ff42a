/**
 * config.json of a Hugging Face decoder, read into one form for every architecture.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { ARCHITECTURES, supportedArchitectures } from "./architectures.ts";
import { type ConfigFile, configFileSchema } from "./config_file.ts";
import { parseRopes } from "./rope_config.ts";

export { supportedArchitectures };

/** How rotary position frequencies are made. */
export type RopeScaling =
  | { readonly type: "default" }
  | { readonly type: "linear"; readonly factor: number }
  | {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFreqFactor: number;
    readonly highFreqFactor: number;
    readonly originalWindow: number;
  }
  | {
    /** YaRN (arXiv 2309.00071): high frequencies stay, low ones are divided, between them a ramp. */
    readonly type: "yarn";
    readonly factor: number;
    readonly betaFast: number;
    readonly betaSlow: number;
    /** Whether the ends of the ramp are whole dimensions. */
    readonly truncate: boolean;
    readonly originalWindow: number;
  }
  | {
    /** LongRoPE (arXiv 2402.13753): one divisor per frequency, another set past `originalWindow` tokens. */
    readonly type: "longrope";
    readonly shortFactors: readonly number[];
    readonly longFactors: readonly number[];
    readonly originalWindow: number;
  };

/** Rotary positions of some of the layers. */
export interface Rope {
  /** Base of the frequencies. */
  readonly theta: number;
  /** How they are changed for long contexts. */
  readonly scaling: RopeScaling;
  /** Factor of all cosines and sines. */
  readonly amplitude: number;
}

/** What one block's attention does that another's may not. */
export interface LayerConfig {
  /** How many tokens each token sees, itself included; all before it when null. */
  readonly window: number | null;
  /** Index into {@linkcode DecoderConfig.ropes}; null where positions are not applied. */
  readonly rope: number | null;
}

/** The function between the MLP's gate and its product. */
export type Activation = "silu" | "gelu_pytorch_tanh";

/** Everything the graph builder must know of a decoder. */
export interface DecoderConfig {
  /** As config.json names it: `LlamaForCausalLM`. */
  readonly architecture: string;
  /** Rows of the embedding; some may stand for no token. */
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Width inside the MLP. */
  readonly intermediateSize: number;
  /** Blocks. */
  readonly numLayers: number;
  /** Query heads. */
  readonly numHeads: number;
  /** Key-value heads; each serves `numHeads / numKvHeads` query heads. */
  readonly numKvHeads: number;
  /** Width of one head. */
  readonly headDim: number;
  /** Dimensions at the start of each head that positions are applied to. */
  readonly rotaryDim: number;
  /** Most positions the model may be run at. */
  readonly contextWindow: number;
  /** Added to the mean square in RMS norms. */
  readonly normEpsilon: number;
  /** Norm weights are stored less 1. */
  readonly normOffset: boolean;
  /** The outputs of attention and MLP pass a norm of their own before they are added. */
  readonly postNorms: boolean;
  /** Queries and keys pass a norm per head before positions are applied. */
  readonly headNorms: boolean;
  /** Factor of the attention scores. */
  readonly attentionScale: number;
  /** Between gate and product in the MLP. */
  readonly activation: Activation;
  /** Embeddings are multiplied by the square root of `hiddenSize`, rounded as the embeddings are stored. */
  readonly scaledEmbedding: boolean;
  /** Logits x become `c tanh(x / c)`, where c is not null. */
  readonly logitSoftcap: number | null;
  /** The different rotary positions that layers use; none when no layer has any. */
  readonly ropes: readonly Rope[];
  /** Per block. */
  readonly layers: readonly LayerConfig[];
  /** Queries, keys and values are stored as one matrix, gate and up as another. */
  readonly fused: boolean;
  /** Whether the output head is the embedding matrix. */
  readonly tied: boolean;
  /** Which linear layers have a bias. */
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
}

/** Makes the error for something the engine does not run. */
export type Refuse = (what: string, expected: string) => InputError;

const namedSchema = z.looseObject({ architectures: z.array(z.string()).min(1) });
const nestedSchema = z.looseObject({ text_config: z.looseObject({}) });

/**
 * Checks a parsed config.json and brings it into one form.
 *
 * @param json the parsed file.
 * @param path its path, for messages.
 * @throws {InputError} for malformed configs, and for what the engine cannot run, naming what it can.
 */
export function parseConfig(json: unknown, path: string): DecoderConfig {
  const malformed = (error: z.ZodError) =>
    new InputError(`${path} is not a decoder's config.json: ${z.prettifyError(error)}`, { cause: error });
  const named = namedSchema.safeParse(json);
  if (!named.success) throw malformed(named.error);
  const name = named.data.architectures[0] as string;
  const architecture = Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name] : undefined;
  if (architecture === undefined) {
    throw new InputError(
      `${path} names the architecture ${
        JSON.stringify(name.slice(0, 100))
      }, which the engine does not run. ` +
        `It runs ${supportedArchitectures.join(", ")}.`,
    );
  }
  let text: Readonly<Record<string, unknown>> = named.data;
  if (architecture.nested) {
    const nested = nestedSchema.safeParse(json);
    if (!nested.success) throw malformed(nested.error);
    text = nested.data.text_config;
  }
  const parsed = configFileSchema.safeParse({ ...architecture.defaults, ...text });
  if (!parsed.success) throw malformed(parsed.error);
  const file = parsed.data;
  const refuse: Refuse = (what, expected) =>
    new InputError(`${path} asks for ${what}, which the engine does not run. It runs ${expected}.`);
  checkFeatures(file, named.data["quantization_config"], refuse);

  const numHeads = file.num_attention_heads;
  const numKvHeads = file.num_key_value_heads ?? numHeads;
  const headDim = file.head_dim ?? file.hidden_size / numHeads;
  if (numHeads % numKvHeads !== 0 || headDim % 8 !== 0) {
    throw refuse(
      `${numHeads} heads of ${headDim} sharing ${numKvHeads} key-value heads`,
      "head sizes that 8 divides, and head counts that key-value heads divide",
    );
  }
  const { layers, ropes, rotaryDim } = parseRopes(file, architecture, headDim, refuse);
  return {
    architecture: name,
    vocabSize: file.vocab_size,
    hiddenSize: file.hidden_size,
    intermediateSize: file.intermediate_size,
    numLayers: file.num_hidden_layers,
    numHeads,
    numKvHeads,
    headDim,
    rotaryDim,
    contextWindow: file.max_position_embeddings,
    normEpsilon: file.rms_norm_eps,
    normOffset: architecture.gemma,
    postNorms: architecture.gemma,
    headNorms: architecture.headNorms,
    attentionScale: (architecture.gemma ? file.query_pre_attn_scalar ?? headDim : headDim) ** -0.5,
    activation: parseActivation(architecture.gemma ? file.hidden_activation : file.hidden_act, refuse),
    scaledEmbedding: architecture.gemma,
    logitSoftcap: architecture.gemma ? file.final_logit_softcapping ?? null : null,
    ropes,
    layers,
    fused: architecture.fused,
    tied: (architecture.nested ? named.data["tie_word_embeddings"] : undefined) !== false &&
      (file.tie_word_embeddings ?? false),
    biases: architecture.biases(file),
  };
}

function parseActivation(name: string | null | undefined, refuse: Refuse): Activation {
  if (name === "silu" || name === "gelu_pytorch_tanh") return name;
  throw refuse(`the activation ${JSON.stringify(name?.slice(0, 40))}`, "silu and gelu_pytorch_tanh");
}

/** Refuses what would be run wrongly if it were passed over. */
function checkFeatures(file: ConfigFile, quantization: unknown, refuse: Refuse): void {
  if ((quantization ?? file.quantization_config ?? null) !== null) {
    throw refuse("quantised weights", "F32, F16 and BF16 weights");
  }
  if ((file.attn_logit_softcapping ?? null) !== null) {
    throw refuse("softcapped attention scores", "plain ones (attn_logit_softcapping null)");
  }
  if (file.use_bidirectional_attention) throw refuse("attention to later tokens", "causal attention");
}
