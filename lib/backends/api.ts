/**
 * Models behind OpenAI-compatible servers: OpenAI, OpenRouter, Ollama, vLLM, llama.cpp, TGI, the Hugging Face router.
 * @module
 */
import OpenAI from "openai";
import { z } from "zod";
import { type Clock, systemClock } from "../base/clock.ts";
import { InputError } from "../base/errors.ts";
import {
  type Backend,
  BackendError,
  type CallOptions,
  type Capabilities,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
  type ProbeOptions,
  type Tokenizer,
} from "./backend.ts";
import { kindOfStatus, toBackendError } from "./api_errors.ts";
import { probeApi } from "./api_probe.ts";
import { readChat, readCompletions, readErrorBody } from "./api_schema.ts";
import { readStream } from "./api_stream.ts";
import { harmonyPrompt, sendableHarmony } from "./harmony/chat.ts";
import { CompletionReader, cutAtStop, readUnparsed, withAnswer } from "./harmony/completion_reader.ts";
import { loadHarmonyEncoding } from "./harmony/encoding.ts";
import { harmonyIds } from "./harmony/render.ts";
import { hideValues, redact } from "./redact.ts";
import { readResponse, readResponsesStream } from "./responses.ts";
import { refuseSteering } from "./steering.ts";
import { loadO200k, renderPlain } from "./tokenizers.ts";
import { type ApiVariant, type Environment, missingEnvironment, serverUrl } from "./variants.ts";

/** Options of {@linkcode openApi}. */
export interface ApiOptions {
  /** Where the base URL and the key are read from; the process's own when left out. */
  readonly env?: Environment;
  /** Reads the time for Retry-After dates. */
  readonly clock?: Clock;
  /** Most milliseconds one request may take, from sending to the last byte; 10 minutes when left out. */
  readonly timeoutMs?: number;
}

const TEN_MINUTES = 600_000;
/** OpenAI's models that refuse `max_tokens`. */
const NEW_OPENAI = /^(o\d|gpt-5|gpt-[6-9])/;

/**
 * Opens a model behind a server. Nothing is sent until it is asked. The key is read from its environment variable
 * here and appears in no error and no log. Nothing is tried again here: that is the caller's.
 *
 * @throws {InputError} when an environment variable is missing.
 */
export function openApi(variant: ApiVariant, options: ApiOptions = {}): Backend {
  const env = options.env ?? Deno.env;
  const missing = missingEnvironment(variant, env);
  if (missing.length > 0) {
    throw new InputError(
      `Variant ${variant.name} needs ${missing.join(" and ")}: set ${
        missing.length > 1 ? "them" : "it"
      } in the ` +
        `environment or in .env (see .env.example).`,
    );
  }
  return new ApiBackend(variant, env, options.clock ?? systemClock, options.timeoutMs ?? TEN_MINUTES);
}

class ApiBackend implements Backend {
  readonly variant: ApiVariant;
  readonly #client: OpenAI;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #secrets: readonly string[];
  readonly #maxTokensField: "max_tokens" | "max_completion_tokens";

  constructor(variant: ApiVariant, env: Environment, clock: Clock, timeoutMs: number) {
    const baseURL = serverUrl(variant, env) ?? "";
    if (!URL.canParse(baseURL) || !/^https?:$/.test(new URL(baseURL).protocol)) {
      throw new InputError(
        `${variant.baseUrlEnv ?? "baseUrl"} of variant ${variant.name} is not an http(s) address such as ` +
          `http://localhost:11434/v1.`,
      );
    }
    const key = (variant.apiKeyEnv && env.get(variant.apiKeyEnv)) || "none";
    const isOpenAi = new URL(baseURL).hostname === "api.openai.com";
    this.variant = variant;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#secrets = key === "none" ? [] : [key];
    this.#maxTokensField = variant.maxTokensField ??
      (isOpenAi && NEW_OPENAI.test(variant.model) ? "max_completion_tokens" : "max_tokens");
    this.#client = new OpenAI({
      apiKey: key,
      baseURL,
      maxRetries: 0,
      timeout: timeoutMs,
      defaultHeaders: variant.headers,
      logLevel: "off",
      ...(isOpenAi ? {} : { organization: null, project: null }),
    });
  }

  generate(request: GenerateRequest, options: CallOptions = {}): Promise<Completion> {
    refuseSteering(request, this.variant);
    if (this.variant.protocol === "responses") return this.#respond(request, options);
    if (this.variant.protocol === "chat") return this.#chat(request, null, options);
    if (this.variant.format === "harmony") return this.#harmony(request, "", options);
    return this.#complete(request, this.#rawPrompt(request), options);
  }

  /**
   * Goes on from `prefix`. With protocol `completions` the one message, in the variant's `promptTemplate` or rendered
   * already, is followed by the prefix, or with format `harmony` is taken as {@linkcode harmonyOpening} says; with `chat` the prefix is the
   * last message, which the server is asked to continue; with `responses` nothing can be continued.
   */
  continueFrom(request: ContinueRequest, options: CallOptions = {}): Promise<Completion> {
    refuseSteering(request, this.variant);
    if (/\s$/.test(request.prefix)) {
      throw new BackendError(
        "bad_request",
        "A prefix must not end in white space: tokens would be cut differently",
      );
    }
    if (this.variant.protocol === "responses") {
      throw new BackendError("unsupported", "The Responses API continues no begun answer", { sent: false });
    }
    if (this.variant.protocol === "chat") return this.#chat(request, request.prefix, options);
    if (this.variant.format === "harmony") return this.#harmony(request, request.prefix, options);
    return this.#complete(request, this.#rawPrompt(request) + request.prefix, options);
  }

  #rawPrompt({ messages }: GenerateRequest): string {
    const { promptTemplate } = this.variant;
    if (promptTemplate === undefined) return renderPlain(messages);
    const [message, ...more] = messages;
    if (message?.role === "user" && more.length === 0) {
      return promptTemplate.replace("{user}", () => message.content);
    }
    throw new BackendError("bad_request", "promptTemplate writes one message of the user and no other chat", {
      sent: false,
    });
  }

  async #chat(request: GenerateRequest, prefix: string | null, options: CallOptions): Promise<Completion> {
    const messages = request.messages.map(({ role, content }) => ({ role, content }));
    const body = {
      ...this.#sampling(request),
      ...(request.logprobs || request.topLogprobs ? { logprobs: true } : {}),
      ...(request.topLogprobs ? { top_logprobs: request.topLogprobs } : {}),
      messages: prefix === null ? messages : [...messages, { role: "assistant", content: prefix }],
      ...(prefix === null ? {} : { add_generation_prompt: false, continue_final_message: true }),
    };
    const completion = await this.#send("/chat/completions", body, options, readChat);
    return this.variant.format === "harmony" ? readUnparsed(completion) : completion;
  }

  /** Asks the Responses API, which samples without seeds. Stop texts, which it does not know, end the answer here. */
  async #respond(request: GenerateRequest, options: CallOptions): Promise<Completion> {
    if (request.topK !== undefined || request.logprobs || request.topLogprobs) {
      const what = request.logprobs || request.topLogprobs ? "log-probabilities" : "top-k sampling";
      throw new BackendError("unsupported", `The Responses API is not asked for ${what}`, { sent: false });
    }
    const body = {
      model: this.variant.model,
      input: request.messages.map(({ role, content }) => ({ role, content })),
      max_output_tokens: request.maxTokens,
      temperature: request.temperature ?? 0,
      ...(request.topP === undefined ? {} : { top_p: request.topP }),
      store: false,
      ...this.variant.extraBody,
    };
    const completion = await this.#send("/responses", body, options, readResponse);
    const answer = this.variant.format === "harmony" ? readUnparsed(completion) : completion;
    const text = cutAtStop(answer.text, request.stop ?? []);
    return text === answer.text ? answer : { ...answer, text, finishReason: "stop" };
  }

  #complete(
    request: GenerateRequest,
    prompt: string | readonly number[],
    options: CallOptions,
  ): Promise<Completion> {
    const logprobs = request.topLogprobs ?? (request.logprobs ? 1 : 0);
    const body = { ...this.#sampling(request), prompt, ...(logprobs ? { logprobs } : {}) };
    const read = (json: unknown) => {
      const completion = readCompletions(json);
      return completion === null || request.topLogprobs !== undefined ? completion : withoutTop(completion);
    };
    return this.#send("/completions", body, options, read);
  }

  /** Servers are asked to leave special tokens in the answer; where they do not, it is read all the same. */
  async #harmony(request: GenerateRequest, prefix: string, options: CallOptions): Promise<Completion> {
    const { stop, ...rest } = request;
    const { opening, prompt } = await sendableHarmony(request.messages, this.variant.harmony, prefix);
    const reader = new CompletionReader({ opening, stop, onText: options.onText });
    let streamed = false;
    const onText = (delta: string) => {
      streamed = true;
      reader.parser.pushText(delta);
    };
    const completion = await this.#complete(rest, prompt, {
      ...options,
      ...(options.onText ? { onText } : {}),
    });
    if (!streamed) reader.parser.pushText(completion.text);
    return withAnswer(completion, reader.finish());
  }

  #sampling(request: GenerateRequest): Record<string, unknown> {
    const { format, protocol } = this.variant;
    return {
      model: this.variant.model,
      ...(format === "harmony" && protocol === "completions" ? { skip_special_tokens: false } : {}),
      [this.#maxTokensField]: request.maxTokens,
      temperature: request.temperature ?? 0,
      ...(request.topP === undefined ? {} : { top_p: request.topP }),
      ...(request.topK === undefined ? {} : { top_k: request.topK }),
      ...(request.seed === undefined ? {} : { seed: request.seed }),
      ...(request.stop === undefined ? {} : { stop: [...request.stop] }),
      ...this.variant.extraBody,
    };
  }

  /** Sends one request and reads the whole answer within the time limit. @throws {BackendError} */
  async #send(
    path: string,
    body: Record<string, unknown>,
    options: CallOptions,
    read: (json: unknown) => Completion | null,
  ): Promise<Completion> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, limit.signal]) : limit.signal;
    try {
      const { onText } = options;
      const isResponses = path === "/responses";
      const usage = isResponses ? {} : { stream_options: { include_usage: true } };
      const stream = onText ? { stream: true, ...usage } : {};
      const response = await this.#client.post(path, { body: { ...body, ...stream }, signal }).asResponse();
      const id = response.headers.get("x-request-id");
      const streams = response.headers.get("content-type")?.includes("text/event-stream");
      const completion = onText && streams
        ? await (isResponses ? readResponsesStream : readStream)(response, onText)
        : this.#parse(await response.text(), read);
      return this.#withoutKey(id === null ? completion : { ...completion, requestId: id });
    } catch (error) {
      throw toBackendError(error, {
        secrets: this.#secrets,
        timedOut: limit.signal.aborted,
        timeoutMs: this.#timeoutMs,
        aborted: options.signal?.aborted ?? false,
        now: this.#clock.now(),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** An answer in which a server has put our key back. Short stand-ins such as `dummy` are words, and stay. */
  #withoutKey(completion: Completion): Completion {
    const keys = this.#secrets.filter((key) => key.length >= 16);
    const hide = (text: string) => hideValues(text, keys);
    const { text, reasoning, requestId, model } = completion;
    return {
      ...completion,
      text: hide(text),
      reasoning: reasoning && hide(reasoning),
      requestId: requestId && hide(requestId),
      model: model && hide(model),
    };
  }

  #parse(text: string, read: (json: unknown) => Completion | null): Completion {
    if (text.trim() === "") throw new BackendError("empty", "The server answered 200 with an empty body");
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new BackendError("malformed", `The server's answer is not JSON: ${this.#excerpt(text)}`);
    }
    const failure = readErrorBody(json);
    if (failure) {
      const { status, message } = failure;
      throw new BackendError(
        status === null ? "server" : kindOfStatus(status, message),
        `The server answered 200 with an error: ${this.#excerpt(message)}`,
        status === null ? {} : { status },
      );
    }
    const completion = this.#read(json, read);
    if (!completion) throw new BackendError("empty", "The server answered 200 without any choice");
    return completion;
  }

  #read(json: unknown, read: (json: unknown) => Completion | null): Completion | null {
    try {
      return read(json);
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const problem = z.prettifyError(error).replaceAll("\n", "; ");
      throw new BackendError(
        "malformed",
        `The server's answer is not of the known form: ${this.#excerpt(problem)}`,
      );
    }
  }

  #excerpt(text: string): string {
    return redact(text, this.#secrets).slice(0, 300);
  }

  probe(options: ProbeOptions = {}): Promise<Capabilities> {
    return probeApi(this, options);
  }

  async tokenizer(): Promise<Tokenizer> {
    const { format, harmony, protocol, provider } = this.variant;
    const o200k = await loadO200k({ exact: provider === "openai" });
    if (format !== "harmony" || protocol !== "completions") return o200k;
    const encoding = await loadHarmonyEncoding();
    return {
      ...o200k,
      name: "o200k_harmony",
      exact: true,
      decode: (ids) => encoding.decode(ids),
      countMessages: (messages) => harmonyIds(harmonyPrompt(messages, harmony), encoding).length,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** The endpoint gives the likeliest tokens with every log-probability: left out where they were not asked for. */
function withoutTop(completion: Completion): Completion {
  const logprobs = completion.logprobs?.map(({ token, logprob }) => ({ token, logprob })) ?? null;
  return { ...completion, logprobs };
}
