/**
 * config.json of a Hugging Face decoder, read into one form for every architecture.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";

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
  };

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
  /** Most positions the model may be run at. */
  readonly contextWindow: number;
  /** Added to the mean square in RMS norms. */
  readonly normEpsilon: number;
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** How the rotary frequencies are changed for long contexts. */
  readonly ropeScaling: RopeScaling;
  /** Whether the output head is the embedding matrix. */
  readonly tied: boolean;
  /** Which linear layers have a bias. */
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
}

const positive = z.int().positive();
const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: positive.optional(),
});

const configSchema = z.looseObject({
  architectures: z.array(z.string()).min(1),
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  max_position_embeddings: positive,
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  hidden_act: z.string().default("silu"),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  use_sliding_window: z.boolean().nullish(),
  partial_rotary_factor: z.number().nullish(),
  quantization_config: z.unknown().optional(),
});

type RawConfig = z.infer<typeof configSchema>;

/** What differs between architectures: one row each. */
interface Architecture {
  readonly biases: (raw: RawConfig) => DecoderConfig["biases"];
  /** `tie_word_embeddings` where config.json leaves it out. */
  readonly tied: boolean;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  LlamaForCausalLM: {
    biases: (raw) => ({
      qkv: raw.attention_bias ?? false,
      output: raw.attention_bias ?? false,
      mlp: raw.mlp_bias ?? false,
    }),
    tied: false,
  },
  Qwen2ForCausalLM: { biases: () => ({ qkv: true, output: false, mlp: false }), tied: false },
};

/** Names of the architectures the engine can run. */
export const supportedArchitectures: readonly string[] = Object.keys(ARCHITECTURES);

/**
 * Checks a parsed config.json and brings it into one form.
 *
 * @param json the parsed file.
 * @param path its path, for messages.
 * @throws {InputError} for malformed configs, and for what the engine cannot run, naming what it can.
 */
export function parseConfig(json: unknown, path: string): DecoderConfig {
  const named = z.looseObject({ architectures: z.array(z.string()).min(1) }).safeParse(json);
  const name = named.success ? named.data.architectures[0] as string : undefined;
  const architecture = name === undefined || !Object.hasOwn(ARCHITECTURES, name)
    ? undefined
    : ARCHITECTURES[name];
  if (name !== undefined && architecture === undefined) {
    throw new InputError(
      `${path} names the architecture ${
        JSON.stringify(name.slice(0, 100))
      }, which the engine does not run. ` +
        `It runs ${supportedArchitectures.join(", ")}.`,
    );
  }
  const parsed = configSchema.safeParse(json);
  if (!parsed.success || name === undefined || architecture === undefined) {
    throw new InputError(
      `${path} is not a decoder's config.json: ${parsed.success ? "" : z.prettifyError(parsed.error)}`,
      { cause: parsed.error },
    );
  }
  const raw = parsed.data;
  const refuse = (what: string, expected: string) =>
    new InputError(`${path} asks for ${what}, which the engine does not run. It runs ${expected}.`);
  if (raw.hidden_act !== "silu") throw refuse(`hidden_act ${raw.hidden_act}`, "silu");
  if (raw.use_sliding_window) throw refuse("a sliding window", "full attention");
  if ((raw.quantization_config ?? null) !== null) {
    throw refuse("quantised weights", "F32, F16 and BF16 weights");
  }
  if ((raw.partial_rotary_factor ?? 1) !== 1) {
    throw refuse("rotary positions on part of a head", "whole heads");
  }
  const numHeads = raw.num_attention_heads;
  const numKvHeads = raw.num_key_value_heads ?? numHeads;
  const headDim = raw.head_dim ?? raw.hidden_size / numHeads;
  if (numHeads % numKvHeads !== 0 || !Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw refuse(
      `${numHeads} heads of ${headDim} sharing ${numKvHeads} key-value heads`,
      "even head sizes, and head counts that key-value heads divide",
    );
  }
  return {
    architecture: name,
    vocabSize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numLayers: raw.num_hidden_layers,
    numHeads,
    numKvHeads,
    headDim,
    contextWindow: raw.max_position_embeddings,
    normEpsilon: raw.rms_norm_eps,
    ropeTheta: raw.rope_theta ?? raw.rope_parameters?.rope_theta ?? raw.rope_scaling?.rope_theta ?? 10_000,
    ropeScaling: parseScaling(raw, refuse),
    tied: raw.tie_word_embeddings ?? architecture.tied,
    biases: architecture.biases(raw),
  };
}

function parseScaling(raw: RawConfig, refuse: (what: string, expected: string) => InputError): RopeScaling {
  const rope = raw.rope_parameters ?? raw.rope_scaling;
  const type = rope?.rope_type ?? rope?.type ?? "default";
  if (!rope || type === "default") return { type: "default" };
  const need = (
    key: "factor" | "low_freq_factor" | "high_freq_factor" | "original_max_position_embeddings",
  ) => {
    const value = rope[key];
    if (value === undefined) throw refuse(`rope scaling ${type} without ${key}`, `${type} with ${key}`);
    return value;
  };
  if (type === "linear") return { type, factor: need("factor") };
  if (type === "llama3") {
    return {
      type,
      factor: need("factor"),
      lowFreqFactor: need("low_freq_factor"),
      highFreqFactor: need("high_freq_factor"),
      originalWindow: need("original_max_position_embeddings"),
    };
  }
  throw refuse(`rope scaling ${JSON.stringify(type.slice(0, 40))}`, "default, linear, llama3");
}
