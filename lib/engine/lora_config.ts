/**
 * adapter_config.json of a PEFT LoRA adapter (https://github.com/huggingface/peft, LoraConfig): which layers of a
 * model it changes, with what rank and scale.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";

const patterns = z.union([z.string(), z.array(z.string())]);
const schema = z.looseObject({
  peft_type: z.string(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: patterns.nullish(),
  exclude_modules: patterns.nullish(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: z.record(z.string(), z.int().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number().positive()).nullish(),
  layers_to_transform: z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish(),
  layers_pattern: patterns.nullish(),
  bias: z.string().nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

/** Settings that change what an adapter computes, in ways the engine does not run. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  modules_to_save: "replaces whole modules (modules_to_save)",
  use_dora: "is a DoRA adapter (use_dora)",
  lora_bias: "has biases of its own (lora_bias)",
  layer_replication: "repeats layers (layer_replication)",
  trainable_token_indices: "trains single embeddings (trainable_token_indices)",
  target_parameters: "targets parameters that are no linear modules (target_parameters)",
  use_qalora: "is a QALoRA adapter (use_qalora)",
  use_bdlora: "is a block-diagonal adapter (use_bdlora)",
  kasa_config: "is a KaSA adapter (kasa_config)",
  arrow_config: "routes between adapters (arrow_config)",
  alora_invocation_tokens: "acts on part of the tokens (alora_invocation_tokens)",
};

/** Ways of making an adapter that also change the weights of its base. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|lora_ga)/i;

/** How an adapter changes one linear layer. */
export interface LoraTarget {
  /** Rank. */
  readonly rank: number;
  /** Factor of B A. */
  readonly scale: number;
}

/**
 * Checks an adapter_config.json.
 *
 * @param json the parsed file.
 * @param path its path, for messages.
 * @returns what the adapter does to a layer, by the layer's name in the checkpoint; undefined where it does nothing.
 * @throws {InputError} for malformed files and adapters of kinds the engine does not run.
 */
export function parseLoraConfig(
  json: unknown,
  path: string,
): (module: string) => LoraTarget | undefined {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new InputError(`${path} is not a LoRA adapter's config: ${z.prettifyError(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  const raw = parsed.data;
  const refuse = (what: string) =>
    new InputError(
      `The adapter of ${path} ${what}, which the engine does not run. ` +
        "It runs LoRA on linear layers; merge this adapter into its base with PEFT instead.",
    );
  if (raw.peft_type !== "LORA") throw refuse(`is of the type ${JSON.stringify(raw.peft_type.slice(0, 40))}`);
  for (const [key, what] of Object.entries(UNSUPPORTED)) {
    const value = raw[key];
    if (value !== undefined && value !== null && value !== false && !isEmpty(value)) throw refuse(what);
  }
  if ((raw.bias ?? "none") !== "none") throw refuse(`trains biases of the base (bias: ${raw.bias})`);
  const init = raw.init_lora_weights;
  if (typeof init === "string" && CHANGES_BASE.test(init)) {
    throw refuse(`belongs to a base with changed weights (init_lora_weights: ${init.slice(0, 40)})`);
  }
  if (raw.target_modules === undefined || raw.target_modules === null || isEmpty(raw.target_modules)) {
    throw refuse("names no target_modules");
  }
  const targeted = matcher(raw.target_modules, path);
  const excluded = isEmpty(raw.exclude_modules ?? "")
    ? () => false
    : matcher(raw.exclude_modules ?? "", path);
  const layers = raw.layers_to_transform === undefined || raw.layers_to_transform === null
    ? undefined
    : new Set([raw.layers_to_transform].flat());
  const layerOf = layerFinder([raw.layers_pattern ?? []].flat().filter((name) => name !== ""), path);
  const ranks = lookup(raw.rank_pattern ?? {}, raw.r, path);
  const alphas = lookup(raw.alpha_pattern ?? {}, raw.lora_alpha, path);
  return (module) => {
    if (!targeted(module) || excluded(module)) return undefined;
    if (layers !== undefined) {
      const layer = layerOf(module);
      if (layer === undefined || !layers.has(layer)) return undefined;
    }
    const rank = ranks(module);
    return { rank, scale: alphas(module) / (raw.use_rslora ? Math.sqrt(rank) : rank) };
  };
}

function isEmpty(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** A list of names matches a module called so or ending so; a string matches as a regular expression, as a whole. */
function matcher(targets: string | readonly string[], path: string): (module: string) => boolean {
  if (typeof targets !== "string") {
    return (module) => targets.some((name) => module === name || module.endsWith(`.${name}`));
  }
  // All but the output head, which stands outside the blocks.
  if (targets.toLowerCase() === "all-linear") return (module) => !/(^|\.)lm_head$/.test(module);
  const whole = expression(`^(?:${targets})$`, path);
  return (module) => whole.test(module);
}

function layerFinder(names: readonly string[], path: string): (module: string) => number | undefined {
  const patterns = names.length === 0
    ? [/^.*?\.[^.]*\.(\d+)\./]
    : names.map((name) => expression(`^.*?\\.${name}\\.(\\d+)\\.`, path));
  return (module) => {
    for (const pattern of patterns) {
      const layer = pattern.exec(module)?.[1];
      if (layer !== undefined) return Number(layer);
    }
    return undefined;
  };
}

/** The value of the first pattern that a module's name ends with. */
function lookup(
  values: Readonly<Record<string, number>>,
  otherwise: number,
  path: string,
): (module: string) => number {
  const rows = Object.entries(values).map(([key, value]) =>
    [expression(key.startsWith("^") ? `${key}$` : `^(?:.*\\.)?(?:${key})$`, path), value] as const
  );
  return (module) => rows.find(([pattern]) => pattern.test(module))?.[1] ?? otherwise;
}

function expression(source: string, path: string): RegExp {
  try {
    if (source.length > 2000) throw new Error("it is longer than 2000 characters");
    return new RegExp(source, "u");
  } catch (cause) {
    throw new InputError(
      `${path} holds the pattern ${JSON.stringify(source.slice(0, 100))}, which cannot be read.`,
      {
        cause,
      },
    );
  }
}
