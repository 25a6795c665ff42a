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
import { harmonyOpening, harmonyPrompt } from "./harmony/chat.ts";
import { CompletionReader, withAnswer } from "./harmony/completion_reader.ts";
import { loadLocalVocabulary, type LocalVocabulary } from "./harmony/local_vocabulary.ts";
import { HarmonyRenderError } from "./harmony/problems.ts";
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
  if (variant.format !== "harmony") return new LocalBackend(variant, decoder);
  try {
    return new LocalBackend(variant, decoder, await loadLocalVocabulary(decoder, variant.name));
  } catch (error) {
    await decoder[Symbol.asyncDispose]();
    throw error;
  }
}

class LocalBackend implements Backend {
  readonly variant: LocalVariant;
  readonly #decoder: Decoder;
  readonly #harmony: LocalVocabulary | null;
  readonly #tokenText: (id: number) => string;

  constructor(variant: LocalVariant, decoder: Decoder, harmony: LocalVocabulary | null = null) {
    this.variant = variant;
    this.#decoder = decoder;
    this.#harmony = harmony;
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
    const harmony = this.#reader(request, prefix, onText);
    const onToken = onText && harmony
      ? (event: TokenEvent) => harmony.feed.push(event.token)
      : onText && ((event: TokenEvent) => event.text && onText(event.text));
    try {
      using prompt = await decoder.prefill(ids, { reuse: true, ...cancel });
      const [sample] = await prompt.generate({
        ...sampleOptions(harmony ? withoutStop(request) : request, room, [request.seed ?? 0]),
        ...(onToken ? { onToken } : {}),
        ...cancel,
      });
      const completion = this.#completion(sample as Sample, ids.length, prompt.cachedTokens);
      if (!harmony) return completion;
      if (!onToken) { for (const id of (sample as Sample).tokens) harmony.feed.push(id); }
      harmony.feed.end();
      const answer = harmony.reader.finish();
      const { completionTokens } = completion.usage;
      const reasoningTokens = answer.reasoning === null ? 0 : answer.finalAt ?? completionTokens;
      return withAnswer({ ...completion, usage: { ...completion.usage, reasoningTokens } }, answer);
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

  /** What reads the completion of a Harmony prompt; null with other formats. */
  #reader(request: GenerateRequest, prefix: string, onText: CallOptions["onText"]) {
    if (!this.#harmony) return null;
    const { encoding } = this.#harmony;
    const reader = new CompletionReader({
      encoding,
      opening: harmonyOpening(prefix),
      stop: request.stop,
      onText,
    });
    return { reader, feed: this.#harmony.feeder(reader.parser) };
  }

  /** @throws {BackendError} `bad_request` for messages that cannot be written in Harmony. */
  #promptIds(messages: readonly Message[], prefix: string): number[] {
    if (this.#harmony) {
      try {
        return this.#harmony.encode(harmonyPrompt(messages, this.variant.harmony, harmonyOpening(prefix)));
      } catch (error) {
        if (!(error instanceof HarmonyRenderError)) throw error;
        throw new BackendError("bad_request", error.message, { cause: error });
      }
    }
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
      ...(this.#harmony ? {} : { render: (messages) => decoder.renderChat(messages, { prefill: "" }) }),
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
