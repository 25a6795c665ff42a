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
import {
  loadVariant,
  type LoadVariantOptions,
  roomAfter,
  sampleOptions,
  tokenTexts,
} from "./local_decoding.ts";
import type { LocalVariant } from "./variants.ts";

/**
 * Loads an in-process model, from its folder or from the Hugging Face hub. Prompts that share a beginning with an earlier one reuse its keys and values, and the
 * usage says how many tokens that were. Requests under way at the same time share their decode steps; a sample depends
 * on its own seed alone.
 *
 * @throws {InputError} when the checkpoint is missing, incomplete or damaged.
 */
export async function openLocal(
  variant: LocalVariant,
  options: LoadVariantOptions = {},
): Promise<Backend> {
  const decoder = await loadVariant(variant, options);
  return new LocalBackend(variant, decoder);
}

class LocalBackend implements Backend {
  readonly variant: LocalVariant;
  readonly #decoder: Decoder;
  readonly #tokenText: (id: number) => string;

  constructor(variant: LocalVariant, decoder: Decoder) {
    this.variant = variant;
    this.#decoder = decoder;
    this.#tokenText = tokenTexts(decoder);
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
    const room = roomAfter(ids.length, decoder, this.variant);
    const cancel = signal ? { signal } : {};
    try {
      using prompt = await decoder.prefill(ids, { reuse: true, ...cancel });
      const [sample] = await prompt.generate({
        ...sampleOptions(request, room, [request.seed ?? 0]),
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
        ? tokens.map((id, i) => ({ token: this.#tokenText(id), logprob: logprobs[i] as number }))
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
