/**
 * What config.json of a decoder may hold, as far as the engine reads it.
 * @module
 */
import { z } from "zod";

const positive = z.int().positive();
const factors = z.array(z.number().positive());

/** Rotary settings, under `rope_scaling` or `rope_parameters`; older files call `rope_type` `type`. */
export const ropeFileSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  factor: z.number().positive().nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  original_max_position_embeddings: positive.nullish(),
  attention_factor: z.number().nonnegative().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
  short_factor: factors.nullish(),
  long_factor: factors.nullish(),
});

/** Rotary settings as a file holds them. */
export type RopeFile = z.infer<typeof ropeFileSchema>;

/** The file, or its part for text; what is missing has been filled in from the architecture's defaults. */
export const configFileSchema = z.looseObject({
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive.max(1000),
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  max_position_embeddings: positive,
  original_max_position_embeddings: positive.nullish(),
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  rope_scaling: ropeFileSchema.nullish(),
  /** One set for all layers, or one per layer type. */
  rope_parameters: ropeFileSchema.extend({
    full_attention: ropeFileSchema.nullish(),
    sliding_attention: ropeFileSchema.nullish(),
  }).nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  hidden_act: z.string().nullish(),
  hidden_activation: z.string().nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  use_sliding_window: z.boolean().nullish(),
  sliding_window: positive.nullish(),
  sliding_window_pattern: positive.nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.string()).nullish(),
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1), z.boolean()])).nullish(),
  no_rope_layer_interval: positive.nullish(),
  query_pre_attn_scalar: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  quantization_config: z.unknown().optional(),
});

/** The file as read. */
export type ConfigFile = z.infer<typeof configFileSchema>;
