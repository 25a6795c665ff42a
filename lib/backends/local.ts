/**
 * A checkpoint run in this process, by the engine.
 * @module
 */
import { InputError, messageOf } from "../base/errors.ts";
import type { Decoder, Prefix, Sample, TokenEvent } from "../engine/mod.ts";
import {
  type Backend,
  BackendError,
  type CallOptions,
  type Capabilities,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
  type Tokenizer,
} from "./backend.ts";
import { withAnswer } from "./harmony/completion_reader.ts";
import { type LocalChat, localChat } from "./local_chat.ts";
import {
  loadVariant,
  type LoadVariantOptions,
  roomAfter,
  sampleOptions,
  tokenTexts,
} from "./local_decoding.ts";
import { editsOf, steersOf } from "./local_steering.ts";
import type { Steerable } from "./steerable.ts";
import type { Steering } from "./steering.ts";
import type { LocalVariant } from "./variants.ts";

/**
 * Loads an in-process model, from its folder or from the Hugging Face hub. Prompts that share a beginning with an earlier one reuse its keys and values, and the
 * usage says how many tokens that were. Requests under way at the same time share their decode steps; a sample depends
 * on its own seed alone.
 *
 * With format `harmony` prompts are rendered in Harmony instead of the checkpoint's chat template, and completions are
 * split into reasoning and answer. Stop texts then end the answer, not the reasoning.
 *
 * @throws {InputError} when the checkpoint is missing, incomplete or damaged.
 */
export async function openLocal(
  variant: LocalVariant,
  options: LoadVariantOptions = {},
): Promise<Backend> {
  const decoder = await loadVariant(variant, options);
  try {
    return new LocalBackend(variant, decoder, await localChat(decoder, variant));
  } catch (error) {
    await decoder[Symbol.asyncDispose]();
    throw error;
  }
}

/** What ends a call of the engine. */
type Cancel = { readonly signal?: AbortSignal };

class LocalBackend implements Backend {
  readonly variant: LocalVariant;
  readonly steerable: Steerable;
  readonly #decoder: Decoder;
  readonly #chat: LocalChat;
  readonly #tokenText: (id: number) => string;

  constructor(variant: LocalVariant, decoder: Decoder, chat: LocalChat) {
    this.variant = variant;
    this.#decoder = decoder;
    this.#chat = chat;
    this.steerable = {
      variant,
      decoder,
      promptIds: (messages, prefix = "") => chat.promptIds(messages, prefix),
    };
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
    const ids = this.#chat.promptIds(request.messages, prefix);
    const room = roomAfter(ids.length, decoder, this.variant);
    const cancel = signal ? { signal } : {};
    const reader = this.#chat.newReader?.({ prefix, stop: request.stop, onText });
    const onToken = reader
      ? (event: TokenEvent) => reader.push(event.token)
      : onText && ((event: TokenEvent) => event.text && onText(event.text));
    try {
      const steer = steersOf(request.steering);
      using prompt = await this.#prefill(ids, request.steering, cancel);
      const [sample] = await prompt.generate({
        ...sampleOptions(reader ? withoutStop(request) : request, room, [request.seed ?? 0]),
        ...(onToken ? { onToken } : {}),
        ...(steer.length > 0 ? { steer } : {}),
        ...cancel,
      });
      const completion = this.#completion(sample as Sample, ids.length, prompt.cachedTokens);
      if (!reader) return completion;
      const answer = reader.finish();
      const { reasoningTokens } = answer;
      return withAnswer({ ...completion, usage: { ...completion.usage, reasoningTokens } }, answer);
    } catch (error) {
      if (signal?.aborted) throw new BackendError("aborted", "The generation was stopped", { cause: error });
      if (error instanceof InputError) {
        throw new BackendError("bad_request", messageOf(error), { cause: error });
      }
      throw error;
    }
  }

  /** Computes a prompt; where its cache is steered, that is done before its last token is computed. */
  async #prefill(ids: number[], steering: Steering | undefined, cancel: Cancel): Promise<Prefix> {
    const steer = steersOf(steering);
    const edits = editsOf(steering, this.#decoder, ids.length);
    if (edits === null) return await this.#decoder.prefill(ids, { steer, reuse: true, ...cancel });
    if (ids.length < 2) {
      throw new InputError(
        "A prompt of one token has no token before the last, whose cache could be steered.",
      );
    }
    const before = steer.filter(({ phase }) => phase !== "last_prompt");
    using start = await this.#decoder.prefill(ids.slice(0, -1), { steer: before, reuse: true, ...cancel });
    for (const edit of edits) start.editKV(edit);
    return await start.extend(ids.slice(-1), { steer, ...cancel });
  }

  #completion(sample: Sample, promptTokens: number, cachedTokens: number): Completion {
    const { logprobs, topLogprobs, tokens } = sample;
    const named = ({ token, logprob }: { readonly token: number; readonly logprob: number }) => ({
      token: this.#tokenText(token),
      logprob,
    });
    return {
      text: sample.text,
      reasoning: null,
      finishReason: sample.finishReason,
      usage: { promptTokens, completionTokens: tokens.length, cachedTokens, reasoningTokens: null },
      requestId: null,
      model: this.variant.model,
      logprobs: logprobs
        ? tokens.map((token, i) => ({
          ...named({ token, logprob: logprobs[i] as number }),
          ...(topLogprobs === undefined ? {} : { top: topLogprobs[i]?.map(named) }),
        }))
        : null,
    };
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
      countMessages: (messages) => this.#chat.promptIds(messages, "").length,
      promptIds: (messages, prefix) => this.#chat.promptIds(messages, prefix),
      ...(this.#chat.newReader
        ? {}
        : { render: (messages) => decoder.renderChat(messages, { prefill: "" }) }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#decoder[Symbol.asyncDispose]();
  }
}

/** A request whose stop strings are looked for in the answer rather than in what is generated. */
function withoutStop({ stop: _, ...request }: GenerateRequest): GenerateRequest {
  return request;
}
