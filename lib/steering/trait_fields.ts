/**
 * Settings that experiments on traits share.
 * @module
 */
import { z } from "zod";

/** What can be steered: the output of a block, of its attention or of its MLP. */
export const STEERED_COMPONENTS = ["residual", "attn_out", "mlp_out"] as const;
/** What is steered. */
export type SteeredComponent = typeof STEERED_COMPONENTS[number];

/** Fields that say whose traits are looked at, and where they lie. */
export const traitFields = {
  /** The experiment: `data/experiments/{experiment}`, `results/{experiment}`. */
  experiment: z.string().min(1).default("styles"),
  /** Traits, separated by commas; null for all of the experiment. */
  traits: z.string().min(1).nullable().default(null),
  /** The folder of traits; null for the one that ships. */
  traitsFolder: z.string().min(1).nullable().default(null),
  /** The folder of experiments; null for the one that ships. */
  experiments: z.string().min(1).nullable().default(null),
  /** The variant that is steered, or variants that are read; null for the experiment's default. */
  modelVariant: z.string().min(1).nullable().default(null),
  /** The variant whose vectors are used; null for the experiment's default. */
  vectorsFrom: z.string().min(1).nullable().default(null),
};

/** Fields that say where vectors were read. */
export const vectorFields = {
  /** Which tokens: frame[slice]. */
  position: z.string().min(1).default("response[:]"),
  /** What of a block. */
  component: z.enum(STEERED_COMPONENTS).default("residual"),
};
