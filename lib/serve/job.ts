/**
 * What is to be drawn for a request, in the engine's words.
 * @module
 */
import type { Sampling } from "../backends/backend.ts";
import type { LocalChat, SampleReader, SampleReaderOptions } from "../backends/local_chat.ts";
import { roomAfter, sampleOptions, windowOf } from "../backends/local_decoding.ts";
import type { LocalVariant } from "../backends/variants.ts";
import type { Decoder, SampleOptions } from "../engine/mod.ts";
import { ApiError } from "./api_error.ts";
import type { ChatBody, CompletionsBody } from "./request_fields.ts";
import type { TokenInfo } from "./token_info.ts";

/** The model that is served. */
export interface Served {
  /** Its entry of models.json; its name is the model's name in requests. */
  readonly variant: LocalVariant;
  /** Loaded. */
  readonly decoder: Decoder;
  /** How it is spoken to. */
  readonly chat: LocalChat;
  /** What single tokens are. */
  readonly token: (id: number) => TokenInfo;
}

/** A prompt, and how it is continued. */
export interface Prompt {
  /** Its tokens. */
  readonly ids: readonly number[];
  /** Its text, where the answer is to begin with it. */
  readonly echo: string | null;
  /** Null when nothing is to be drawn. */
  readonly options: SampleOptions | null;
}

/** What is to be drawn. Choice number `p * n + s` is sample `s` of prompt `p`. */
export interface Job {
  /** In the order asked for. */
  readonly prompts: readonly Prompt[];
  /** Reads a sample, where its text is not the answer. */
  readonly newReader:
    | ((on: Required<Pick<SampleReaderOptions, "onText" | "onReasoning">>) => SampleReader)
    | null;
  /** Samples of each prompt. */
  readonly n: number;
  /** Likeliest tokens to tell for each token; null when no log-probabilities are wanted. */
  readonly logprobs: number | null;
  /** Whether tokens are sent as they are drawn. */
  readonly stream: boolean;
  /** Whether a stream ends with the usage. */
  readonly includeUsage: boolean;
}

/** Seeds of `n` samples. The first is the seed itself, so that one sample is what the in-process backend draws. */
function seedsOf(seed: number | string, n: number): (number | string)[] {
  return Array.from({ length: n }, (_, i) => i === 0 ? seed : `${seed}/${i}`);
}

function samplingOf(body: ChatBody | CompletionsBody, maxTokens: number): Sampling {
  return {
    maxTokens,
    temperature: body.temperature,
    topP: Math.max(body.top_p, Number.EPSILON), // 0 asks for the likeliest token alone
    topK: Math.max(body.top_k, 0),
    stop: body.stop,
  };
}

function jobOf(
  body: ChatBody | CompletionsBody,
  prompts: readonly { readonly ids: readonly number[]; readonly echo: string | null }[],
  maxTokens: number,
  logprobs: number | null,
  { served: { decoder, variant }, freshSeed }: JobContext,
): Job {
  const seeds = body.seed === undefined ? null : seedsOf(body.seed, body.n);
  const sampling = { ...samplingOf(body, maxTokens), logprobs: logprobs !== null };
  return {
    prompts: prompts.map((prompt) => {
      // A prompt that fills the window is fine where nothing is to be drawn.
      if (maxTokens > 0 || prompt.ids.length > windowOf(decoder, variant)) {
        roomAfter(prompt.ids.length, decoder, variant);
      }
      const room = windowOf(decoder, variant) - prompt.ids.length;
      return {
        ...prompt,
        options: maxTokens === 0 ? null : {
          ...sampleOptions(sampling, room, seeds ?? seedsOf(freshSeed(), body.n)),
          ...(logprobs ? { topLogprobs: logprobs } : {}),
        },
      };
    }),
    newReader: null,
    n: body.n,
    logprobs,
    stream: body.stream,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

/** What a job is made with. */
export interface JobContext {
  /** What is to draw. */
  readonly served: Served;
  /** A seed for a prompt whose request has none. */
  readonly freshSeed: () => string;
}

/**
 * The job of a chat.
 *
 * @throws {ApiError} @throws {BackendError} `context_length` @throws {InputError} when the template refuses the chat.
 */
export function chatJob(body: ChatBody, context: JobContext): Job {
  const { decoder, variant, chat } = context.served;
  const { messages, continue_final_message: continues, add_generation_prompt: begins = true } = body;
  const prefix = continues ? messages.at(-1)?.content ?? "" : "";
  refuseFarTooLong(
    messages.map(({ content }) => content).join("\n"),
    context.served,
    (text) => decoder.encode(text),
  );
  if (!begins && !continues && chat.newReader) {
    throw new ApiError(400, "add_generation_prompt must be true: Harmony has no prompt without it.", {
      param: "add_generation_prompt",
      code: "unsupported_value",
    });
  }
  const ids = begins || continues
    ? chat.promptIds(continues ? messages.slice(0, -1) : messages, prefix)
    : decoder.encode(decoder.renderChat(messages, { addGenerationPrompt: false }));
  const maxTokens = body.max_completion_tokens ?? body.max_tokens ?? variant.maxOutputTokens;
  const logprobs = body.logprobs ? body.top_logprobs ?? 0 : null;
  const { newReader } = chat;
  if (!newReader) return jobOf(body, [{ ids, echo: null }], maxTokens, logprobs, context);
  const { stop } = body;
  return {
    ...jobOf({ ...body, stop: [] }, [{ ids, echo: null }], maxTokens, logprobs, context),
    newReader: (on) => newReader({ prefix, stop, ...on }),
  };
}

/**
 * The job of raw prompts.
 *
 * @throws {ApiError} @throws {BackendError} `context_length`
 */
export function completionsJob(body: CompletionsBody, context: JobContext): Job {
  const { decoder } = context.served;
  const prompts = body.prompt.map((prompt) => {
    const ids = typeof prompt === "string"
      ? encodeWithin(prompt, context.served)
      : checkedIds(prompt, context.served);
    if (ids.length === 0) {
      throw new ApiError(400, "prompt is empty: give at least one token.", { param: "prompt" });
    }
    const echo = !body.echo ? null : typeof prompt === "string" ? prompt : decoder.decode(ids);
    return { ids, echo };
  });
  return jobOf(body, prompts, body.max_tokens, body.logprobs ?? null, context);
}

/** A text with the tokens that the model wants at the beginning, unless it begins with them already. */
function encodeRaw(text: string, decoder: Decoder): number[] {
  const ids = decoder.encode(text, { addSpecialTokens: true });
  return ids.length > 1 && ids[0] === ids[1] ? decoder.encode(text) : ids;
}

function checkedIds(ids: readonly number[], { decoder, variant }: Served): readonly number[] {
  const { vocabSize } = decoder.config;
  const wrong = ids.find((id) => id >= vocabSize);
  if (wrong !== undefined) {
    const text = `Token id ${wrong} does not exist: ${variant.name} has ids 0 to ${vocabSize - 1}.`;
    throw new ApiError(400, text, { param: "prompt", code: "invalid_value" });
  }
  return ids;
}

/** How much more than the window the beginning of a text must have before the rest is not looked at. */
const SURE = 1.1;

function encodeWithin(text: string, served: Served): number[] {
  const encode = (part: string) => encodeRaw(part, served.decoder);
  refuseFarTooLong(text, served, encode);
  return encode(text);
}

/**
 * Refuses a text that is far too long, by its beginning: to encode all of it would keep everybody waiting.
 *
 * @throws {ApiError} 400
 */
function refuseFarTooLong(
  text: string,
  { decoder, variant }: Served,
  encode: (text: string) => number[],
): void {
  const window = windowOf(decoder, variant);
  for (let length = 4 * window + 256; length < text.length; length *= 2) {
    const count = encode(text.slice(0, length)).length;
    if (count <= SURE * window + 64) continue;
    const message =
      `The prompt has more than ${count} tokens and the window of ${variant.name} is ${window} ` +
      "(context length): shorten the prompt.";
    throw new ApiError(400, message, { code: "context_length_exceeded" });
  }
}
