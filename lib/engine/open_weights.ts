/**
 * The weights of a model as its graphs use them: a checkpoint, quantised or not, with or without an adapter.
 * @module
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { prefillAttention } from "./attention_graph.ts";
import { Weights } from "./checkpoint.ts";
import type { DecoderConfig } from "./config.ts";
import { buildDecoderGraph } from "./decoder_graph.ts";
import { loadLora, type LoraAdapter } from "./lora.ts";
import { openQuantized, type QuantizedMatrices } from "./quantized_matrices.ts";
import type { LoadOptions } from "./types.ts";

/** Options of {@linkcode openWeights}. */
export interface WeightOptions extends Pick<LoadOptions, "dtype" | "lora" | "mergeLora" | "cacheDir"> {
  /** Stops opening, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Weights, and what stands in for or beside them in a graph. */
export interface OpenWeights {
  /** The checkpoint; an adapter that is merged is in what is read from it. */
  readonly weights: Weights;
  /** Its matrices, when they are quantised. */
  readonly matrices: QuantizedMatrices | undefined;
  /** An adapter that runs beside the weights. */
  readonly adapter: LoraAdapter | undefined;
}

/**
 * Opens a checkpoint folder, and quantises it when asked to and not done before.
 *
 * @throws {InputError} for weights and adapters that are unsound or do not fit.
 */
export async function openWeights(
  config: DecoderConfig,
  dir: string,
  options: WeightOptions = {},
): Promise<OpenWeights> {
  const { dtype = "fp32", lora, mergeLora = false, signal } = options;
  const weights = await Weights.open(dir);
  const adapter = lora === undefined ? undefined : await loadLora(lora, config, weights);
  if (mergeLora) adapter?.mergeInto(weights);
  const matrices = dtype === "fp32" ? undefined : await openQuantized(weights, {
    dtype,
    cacheDir: options.cacheDir === undefined ? defaultFolder() : join(options.cacheDir, "quantized"),
    layout: {
      architecture: config.architecture,
      tied: config.tied,
      adapter: (mergeLora ? adapter?.hash : undefined) ?? null,
    },
    visit: (matrices) =>
      buildDecoderGraph(config, weights, {
        attention: prefillAttention(config),
        open: false,
        selectRows: false,
        matrices,
      }),
    signal,
  });
  return { weights, matrices, adapter: mergeLora ? undefined : adapter };
}

function defaultFolder(): string {
  return join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "probebook", "quantized");
}
