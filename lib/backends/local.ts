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
import type { LocalVariant } from "./variants.ts";

/** Loads a decoder; `loadDecoder` of the engine does. */
export type LoadDecoder = typeof import("../engine/mod.ts").loadDecoder;

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

  constructor(variant: LocalVariant, decoder: Decoder, harmony: LocalVocabulary | null = null) {
    this.variant = variant;
    this.#decoder = decoder;
    this.#harmony = harmony;
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
    const harmony = this.#reader(request, prefix, onText);
    const stop = harmony ? undefined : request.stop;
    const onToken = onText && harmony
      ? (event: TokenEvent) => harmony.feed.push(event.token)
      : onText && ((event: TokenEvent) => event.text && onText(event.text));
    try {
      using prompt = await decoder.prefill(ids, { reuse: true, ...cancel });
      const [sample] = await prompt.generate({
        n: 1,
        maxNewTokens: Math.min(request.maxTokens, window - ids.length),
        temperature: request.temperature ?? 0,
        seeds: [request.seed ?? 0],
        ...(request.topP === undefined ? {} : { topP: request.topP }),
        ...(request.topK === undefined ? {} : { topK: request.topK }),
        ...(stop === undefined ? {} : { stop }),
        ...(request.logprobs === undefined ? {} : { logprobs: request.logprobs }),
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
        ? tokens.map((id, i) => ({ token: this.#decoder.decode([id]), logprob: logprobs[i] as number }))
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
