/**
 * What differs between the decoder architectures the engine runs: one row of facts each.
 * The facts are those of Hugging Face transformers 5, its defaults for missing entries included.
 * @module
 */
import type { DecoderConfig, RopeScaling } from "./config.ts";
import type { ConfigFile } from "./config_file.ts";

/** How a config.json says which layers see only a window of tokens. */
export type WindowRule =
  /** No layer does. */
  | "none"
  /** All do, when `sliding_window` is set. */
  | "all"
  /** Those from `max_window_layers` on, when `use_sliding_window` is set. */
  | "upper"
  /** Those without positions, when `use_sliding_window` is set. */
  | "unrotated"
  /** All but every `sliding_window_pattern`-th. */
  | "pattern";

/** One architecture. */
export interface Architecture {
  /** Entries of config.json as they are where it leaves them out. */
  readonly defaults: Readonly<Partial<ConfigFile>>;
  /** Which linear layers have a bias. */
  readonly biases: (file: ConfigFile) => DecoderConfig["biases"];
  /** Which layers see a window; `layer_types` goes before every rule but `none` and `all`. */
  readonly windows: WindowRule;
  /** Ways of scaling rotary positions. */
  readonly ropeTypes: readonly RopeScaling["type"][];
  /** Positions may be applied to a part of each head. */
  readonly partialRotary: boolean;
  /** Some layers apply no positions: `no_rope_layers`, or every `no_rope_layer_interval`-th. */
  readonly unrotatedLayers: boolean;
  /** Norms of queries and keys, per head. */
  readonly headNorms: boolean;
  /** Queries, keys and values are one matrix, gate and up another. */
  readonly fused: boolean;
  /**
   * What Gemma does its own way: norms around attention and MLP with weights stored less 1, scaled embeddings,
   * scores scaled by `query_pre_attn_scalar`, softcapped logits, `hidden_activation`, local rotary positions.
   */
  readonly gemma: boolean;
  /** The decoder's entries lie under `text_config`. */
  readonly nested: boolean;
}

const LLAMA: Architecture = {
  defaults: { rms_norm_eps: 1e-6, rope_theta: 10_000, hidden_act: "silu", tie_word_embeddings: false },
  biases: (file) => ({
    qkv: file.attention_bias ?? false,
    output: file.attention_bias ?? false,
    mlp: file.mlp_bias ?? false,
  }),
  windows: "none",
  ropeTypes: ["default", "linear", "llama3", "yarn"],
  partialRotary: false,
  unrotatedLayers: false,
  headNorms: false,
  fused: false,
  gemma: false,
  nested: false,
};

const QWEN_WINDOW = { use_sliding_window: false, sliding_window: 4096, max_window_layers: 28 };
const noBiases = () => ({ qkv: false, output: false, mlp: false });

const GEMMA3: Architecture = {
  ...LLAMA,
  defaults: {
    vocab_size: 262_208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131_072,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    rope_local_base_freq: 10_000,
    hidden_activation: "gelu_pytorch_tanh",
    tie_word_embeddings: true,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    sliding_window_pattern: 6,
  },
  biases: (file) => ({
    qkv: file.attention_bias ?? false,
    output: file.attention_bias ?? false,
    mlp: false,
  }),
  windows: "pattern",
  headNorms: true,
  gemma: true,
};

/** Rows by the name in `architectures`. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  LlamaForCausalLM: LLAMA,
  Qwen2ForCausalLM: {
    ...LLAMA,
    defaults: { ...LLAMA.defaults, ...QWEN_WINDOW },
    biases: () => ({ qkv: true, output: false, mlp: false }),
    windows: "upper",
  },
  Qwen3ForCausalLM: {
    ...LLAMA,
    defaults: { ...LLAMA.defaults, ...QWEN_WINDOW, head_dim: 128 },
    biases: (file) => ({
      qkv: file.attention_bias ?? false,
      output: file.attention_bias ?? false,
      mlp: false,
    }),
    windows: "upper",
    headNorms: true,
  },
  MistralForCausalLM: {
    ...LLAMA,
    defaults: { ...LLAMA.defaults, num_key_value_heads: 8, sliding_window: 4096 },
    biases: noBiases,
    windows: "all",
  },
  Phi3ForCausalLM: {
    ...LLAMA,
    defaults: { ...LLAMA.defaults, rms_norm_eps: 1e-5, original_max_position_embeddings: 4096 },
    biases: noBiases,
    windows: "all",
    ropeTypes: ["default", "longrope"],
    partialRotary: true,
    fused: true,
  },
  SmolLM3ForCausalLM: {
    ...LLAMA,
    defaults: {
      ...LLAMA.defaults,
      num_key_value_heads: 4,
      rope_theta: 2e6,
      tie_word_embeddings: true,
      use_sliding_window: false,
      no_rope_layer_interval: 4,
    },
    windows: "unrotated",
    unrotatedLayers: true,
  },
  Gemma3ForCausalLM: GEMMA3,
  Gemma3ForConditionalGeneration: { ...GEMMA3, nested: true },
};

/** Names of the architectures the engine can run. */
export const supportedArchitectures: readonly string[] = Object.keys(ARCHITECTURES);
