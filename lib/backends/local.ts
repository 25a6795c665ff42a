/**
 * A checkpoint run in this process, by the engine.
 * @module
 */
import { InputError, messageOf } from "../base/errors.ts";
import type { Decoder, Sample, TokenEvent } from "../engine/mod.ts";
import {
  type Backend,
  BackendError,
  type CallOptions,
  type Capabilities,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
  type Message,
  type Tokenizer,
} from "./backend.ts";
import type { LocalVariant } from "./variants.ts";

/** Loads a decoder; `loadDecoder` of the engine does. */
export type LoadDecoder = typeof import("../engine/mod.ts").loadDecoder;

/**
 * Loads an in-process model, from its folder or from the Hugging Face hub. Prompts that share a beginning with an earlier one reuse its keys and values, and the
 * usage says how many tokens that were. Requests under way at the same time share their decode steps; a sample depends
 * on its own seed alone.
 *
 * @throws {InputError} when the checkpoint is missing, incomplete or damaged.
 */
export async function openLocal(
  variant: LocalVariant,
  options: { readonly signal?: AbortSignal; readonly load?: LoadDecoder } = {},
): Promise<Backend> {
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
  const decoder = await load(folder ?? model, {
    dtype,
    device,
    ...(revision === undefined ? {} : { revision }),
    ...(lora === undefined ? {} : { lora }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return new LocalBackend(variant, decoder);
}

class LocalBackend implements Backend {
  readonly variant: LocalVariant;
  readonly #decoder: Decoder;

  constructor(variant: LocalVariant, decoder: Decoder) {
    this.variant = variant;
    this.#decoder = decoder;
  }

  generate(request: GenerateRequest, options: CallOptions = {}): Promise<Completion> {
    return this.#answer(request, "", options);
  }

  continueFrom(request: ContinueRequest, options: CallOptions = {}): Promise<Completion> {
    return this.#answer(request, request.prefix, options);
  }

  async #answer(request: GenerateRequest, prefix: string, options: CallOptions): Promise<Completion> {
    const { signal, onText } = options;
    signal?.throwIfAborted();
    const decoder = this.#decoder;
    const ids = this.#promptIds(request.messages, prefix);
    const window = Math.min(decoder.contextWindow, this.variant.contextWindow);
    if (ids.length + 1 > window) {
      throw new BackendError(
        "context_length",
        `The prompt has ${ids.length} tokens and the window of ${this.variant.name} is ${window}`,
      );
    }
    const cancel = signal ? { signal } : {};
    try {
      using prompt = await decoder.prefill(ids, { reuse: true, ...cancel });
      const [sample] = await prompt.generate({
        n: 1,
        maxNewTokens: Math.min(request.maxTokens, window - ids.length),
        temperature: request.temperature ?? 0,
        seeds: [request.seed ?? 0],
        ...(request.topP === undefined ? {} : { topP: request.topP }),
        ...(request.topK === undefined ? {} : { topK: request.topK }),
        ...(request.stop === undefined ? {} : { stop: request.stop }),
        ...(request.logprobs === undefined ? {} : { logprobs: request.logprobs }),
        ...(onText ? { onToken: (event: TokenEvent) => event.text && onText(event.text) } : {}),
        ...cancel,
      });
      return this.#completion(sample as Sample, ids.length, prompt.cachedTokens);
    } catch (error) {
      if (signal?.aborted) throw new BackendError("aborted", "The generation was stopped", { cause: error });
      if (error instanceof InputError) {
        throw new BackendError("bad_request", messageOf(error), { cause: error });
      }
      throw error;
    }
  }

  #completion(sample: Sample, promptTokens: number, cachedTokens: number): Completion {
    const { logprobs, tokens } = sample;
    return {
      text: sample.text,
      reasoning: null,
      finishReason: sample.finishReason,
      usage: { promptTokens, completionTokens: tokens.length, cachedTokens, reasoningTokens: null },
      requestId: null,
      model: this.variant.model,
      logprobs: logprobs
        ? tokens.map((id, i) => ({ token: this.#decoder.decode([id]), logprob: logprobs[i] as number }))
        : null,
    };
  }

  #promptIds(messages: readonly Message[], prefix: string): number[] {
    return this.#decoder.encode(this.#decoder.renderChat(messages, { prefill: prefix }));
  }

  async probe(): Promise<Capabilities> {
    return await Promise.resolve({
      chat: true,
      completions: true,
      continuesPrefix: true,
      logprobs: true,
      reportsUsage: true,
      notes: [],
    });
  }

  tokenizer(): Promise<Tokenizer> {
    const decoder = this.#decoder;
    return Promise.resolve({
      name: this.variant.name,
      exact: true,
      encode: (text) => decoder.encode(text),
      decode: (ids) => decoder.decode(ids),
      count: (text) => decoder.encode(text).length,
      countMessages: (messages) => this.#promptIds(messages, "").length,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#decoder[Symbol.asyncDispose]();
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
