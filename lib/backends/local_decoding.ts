/**
 * From a variant and a request to the engine's words: what the in-process backend and the server have in common.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Decoder, SampleOptions } from "../engine/mod.ts";
import { BackendError, type Sampling } from "./backend.ts";
import type { LocalVariant } from "./variants.ts";

/** Loads a decoder; `loadDecoder` of the engine does. */
export type LoadDecoder = typeof import("../engine/mod.ts").loadDecoder;

/** Options of {@linkcode loadVariant}. */
export interface LoadVariantOptions {
  /** Stops the loading. */
  readonly signal?: AbortSignal;
  /** The engine's own when left out. */
  readonly load?: LoadDecoder;
}

/**
 * Loads the checkpoint of a variant, from its folder or from the Hugging Face hub.
 *
 * @throws {InputError} when it is missing, incomplete or damaged.
 */
export async function loadVariant(variant: LocalVariant, options: LoadVariantOptions = {}): Promise<Decoder> {
  const load = options.load ?? (await import("../engine/mod.ts")).loadDecoder;
  const { folder, model, revision, dtype, device } = variant;
  const lora = variant.loraFolder ?? variant.lora;
  for (const [field, path] of [["model", folder], ["lora", variant.loraFolder]] as const) {
    if (!path || await isFolder(path)) continue;
    throw new InputError(
      `There is no ${
        field === "model" ? "checkpoint" : "adapter"
      } folder ${path} (variant ${variant.name}): put ` +
        `the files of one there, or correct ${JSON.stringify(field)} in models.json.`,
    );
  }
  return await load(folder ?? model, {
    dtype,
    device,
    ...(revision === undefined ? {} : { revision }),
    ...(lora === undefined ? {} : { lora }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** Most tokens of prompt and answer together. */
export function windowOf(decoder: Decoder, variant: LocalVariant): number {
  return Math.min(decoder.contextWindow, variant.contextWindow);
}

/**
 * How many tokens an answer may have after a prompt of `promptTokens`.
 *
 * @throws {BackendError} `context_length` when not one is left.
 */
export function roomAfter(promptTokens: number, decoder: Decoder, variant: LocalVariant): number {
  const window = windowOf(decoder, variant);
  if (promptTokens < window) return window - promptTokens;
  throw new BackendError(
    "context_length",
    `The prompt has ${promptTokens} tokens and the window of ${variant.name} is ${window}`,
  );
}

/** How the engine draws an answer of at most `room` tokens. Temperature is 0 when it is left out. */
export function sampleOptions(
  request: Sampling,
  room: number,
  seeds: readonly (number | string)[],
): SampleOptions {
  return {
    n: seeds.length,
    maxNewTokens: Math.min(request.maxTokens, room),
    temperature: request.temperature ?? 0,
    seeds,
    ...(request.topP === undefined ? {} : { topP: request.topP }),
    ...(request.topK === undefined ? {} : { topK: request.topK }),
    ...(request.stop === undefined ? {} : { stop: request.stop }),
    ...(request.logprobs === undefined ? {} : { logprobs: request.logprobs }),
    ...(request.topLogprobs === undefined ? {} : { topLogprobs: request.topLogprobs }),
  };
}

/** Gives the text of single tokens as it is within a text: some decoders drop the space that a text begins with. */
export function tokenTexts(decoder: Pick<Decoder, "encode" | "decode">): (id: number) => string {
  const known = new Map<number, string>();
  const before = decoder.encode("a");
  const skip = decoder.decode(before).length;
  return (id) => {
    let text = known.get(id);
    if (text === undefined) known.set(id, text = decoder.decode([...before, id]).slice(skip));
    return text;
  };
}
