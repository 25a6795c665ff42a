/**
 * The one interface of everything that turns a prompt into text.
 * @module
 */
import type { Steerable } from "./steerable.ts";
import type { Steering } from "./steering.ts";
import type { Variant } from "./variants.ts";

/** Who speaks in a message. */
export type Role = "system" | "developer" | "user" | "assistant" | "tool";

/** One message of a chat. */
export interface Message {
  /** Who speaks. */
  readonly role: Role;
  /** What is said. */
  readonly content: string;
}

/** How text is sampled. Temperature 0 (the default) is greedy. */
export interface Sampling {
  /** Most tokens to generate. */
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature?: number;
  /** Share of probability that is sampled from, in (0, 1]. */
  readonly topP?: number;
  /** How many of the likeliest tokens are sampled from. */
  readonly topK?: number;
  /** Equal seeds give equal samples, where the backend can promise it. */
  readonly seed?: number;
  /** Texts that end the answer; none of them is part of it. */
  readonly stop?: readonly string[];
  /** Also give the log-probability (natural log) of each generated token. */
  readonly logprobs?: boolean;
  /** Also give, in place of each generated token, this many of the likeliest; at most 20. Asks for `logprobs` too. */
  readonly topLogprobs?: number;
}

/**
 * What a simulated backend may know of a request, so that it can answer right or wrong on purpose.
 * Real backends never read it and it is never sent.
 */
export interface Oracle {
  /** The right answer. */
  readonly answer: string;
  /** Text that must still be in the prompt for the answer to be findable. */
  readonly evidence?: string;
  /** Wrong answers that a distractor suggests. */
  readonly distractors?: readonly string[];
  /** Every wrong answer there is, for tasks whose mistakes look like the right answer; stock ones when left out. */
  readonly mistakes?: readonly string[];
  /** Texts that may be said with their probabilities, which sum to 1: mode `anchors` says one of them. */
  readonly draws?: readonly (readonly [text: string, share: number])[];
  /** What a model that loops says again and again; a stock phrase when left out. */
  readonly loop?: string;
  /** Input length in tokens and relative depth 0..1 of the evidence: where the known decay is read. */
  readonly length: number;
  /** 0..1, where the evidence has a depth. */
  readonly depth?: number;
}

/** A chat to be answered. */
export interface GenerateRequest extends Sampling {
  /** The chat so far, oldest first. */
  readonly messages: readonly Message[];
  /** Read by simulated backends alone. */
  readonly oracle?: Oracle;
  /** What is done to the model's activations; backends that cannot refuse it as `unsupported`. */
  readonly steering?: Steering;
}

/**
 * A chat whose assistant turn has begun: the text goes on exactly where `prefix` ends. Without a message, in-process
 * models go on from `prefix` as a bare text, outside any chat.
 */
export interface ContinueRequest extends GenerateRequest {
  /** How the assistant turn begins. */
  readonly prefix: string;
}

/** Why generation ended. `unknown` when a server gave no reason. */
export type FinishReason = "stop" | "length" | "content_filter" | "aborted" | "unknown";

/** Tokens as the backend reports them; null where it does not. */
export interface Usage {
  /** All tokens of the prompt, cached ones included. */
  readonly promptTokens: number | null;
  /** All generated tokens, reasoning included. */
  readonly completionTokens: number | null;
  /** Prompt tokens served from a prefix cache. */
  readonly cachedTokens: number | null;
  /** Generated tokens that were reasoning. */
  readonly reasoningTokens: number | null;
}

/** A generated token and its log-probability (natural log). */
export interface TokenLogprob {
  /** Its text. */
  readonly token: string;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
  /** The likeliest tokens in its place, where they were asked for and given. */
  readonly top?: readonly { readonly token: string; readonly logprob: number }[] | undefined;
}

/** What came back. */
export interface Completion {
  /** The answer. */
  readonly text: string;
  /** Reasoning text, where the backend gives it apart from the answer. */
  readonly reasoning: string | null;
  /** Why it ended. */
  readonly finishReason: FinishReason;
  /** What it took. */
  readonly usage: Usage;
  /** The server's name for the request, to quote in a report to it. */
  readonly requestId: string | null;
  /** The model name the backend answered with. */
  readonly model: string | null;
  /** One for each generated token, when asked for and given. */
  readonly logprobs: readonly TokenLogprob[] | null;
  /** What had to be put right to read the answer, by name; see `answerOf` of the Harmony format. */
  readonly recoveries?: readonly string[] | undefined;
  /** True when it came from the response cache and nothing was sent. */
  readonly fromCache?: boolean;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call. */
  readonly signal?: AbortSignal;
  /** Receives text as it is generated, where the backend streams. */
  readonly onText?: (delta: string) => void;
}

/** Options of {@linkcode Backend.probe}. */
export interface ProbeOptions extends CallOptions {
  /** What an assistant's turn that is to be continued begins with, such as `<think>` and a line break. */
  readonly opening?: string;
}

/** What a backend was found to be able to do, and how it was found. */
export interface Capabilities {
  /** Answers chats. */
  readonly chat: boolean;
  /** Continues raw prompts. */
  readonly completions: boolean;
  /** Whether `continueFrom` truly continues (probed with a canary cut mid-word). */
  readonly continuesPrefix: boolean;
  /** Gives log-probabilities. */
  readonly logprobs: boolean;
  /** Counts tokens. */
  readonly reportsUsage: boolean;
  /** One line for people for each thing that is missing or odd. */
  readonly notes: readonly string[];
}

/** Counts and cuts text in tokens. */
export interface Tokenizer {
  /** Recorded with every count: `o200k_base`, or the model's own name. */
  readonly name: string;
  /** Whether the model itself counts with this tokenizer, so that sent and reported counts can be compared. */
  readonly exact: boolean;
  /** Token ids of a text; special tokens in it are text. */
  encode(text: string): number[];
  /** The text of token ids. */
  decode(ids: readonly number[]): string;
  /** How many tokens a text has. */
  count(text: string): number;
  /** Tokens of the whole prompt, with the chat template where it is known. */
  countMessages(messages: readonly Message[]): number;
  /** The prompt as the model reads it, template and all; left out where only a server knows it. */
  render?(messages: readonly Message[]): string;
  /**
   * Token ids of the prompt of a chat whose last turn, the assistant's, begins with `prefix` (nothing when empty), as
   * the model reads them; left out where only a server knows them.
   */
  promptIds?(messages: readonly Message[], prefix: string): number[];
}

/** Turns prompts into text. Made by `openBackend(variant)`; closed by `await using`. */
export interface Backend extends AsyncDisposable {
  /** What was opened. */
  readonly variant: Variant;
  /** Answers a chat. @throws {BackendError} */
  generate(request: GenerateRequest, options?: CallOptions): Promise<Completion>;
  /** Goes on from a begun assistant turn. @throws {BackendError} also when the backend cannot. */
  continueFrom(request: ContinueRequest, options?: CallOptions): Promise<Completion>;
  /** Finds out what the backend can do, with a few small requests. */
  probe(options?: ProbeOptions): Promise<Capabilities>;
  /** The tokenizer that counts this variant's prompts. */
  tokenizer(): Promise<Tokenizer>;
  /** The model itself, to read activations from; left out where it runs elsewhere. It is closed with the backend. */
  readonly steerable?: Steerable;
}

/** The kinds of failure, which decide whether a request is tried again. */
export type FailureKind =
  | "rate_limit" // 429
  | "server" // 5xx
  | "timeout"
  | "network" // refused, reset mid-body, DNS
  | "malformed" // not JSON, or not the schema
  | "empty" // a 200 without an answer in it
  | "auth" // 401, 403
  | "context_length" // the prompt does not fit
  | "bad_request" // other 4xx
  | "unsupported" // the backend cannot do this
  | "aborted";

/** A failed call. The message never holds a key. */
export class BackendError extends Error {
  /** Tells it from other errors. */
  override readonly name = "BackendError";
  /** What went wrong. */
  readonly kind: FailureKind;
  /** HTTP status, where there was one. */
  readonly status: number | null;
  /** From Retry-After, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** False when the request certainly never reached the model's side, so that nothing can have been billed. */
  readonly sent: boolean;
  /** Makes the error of a failed call; the message must hold no key. */
  constructor(
    kind: FailureKind,
    message: string,
    options: { status?: number; retryAfterMs?: number; sent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.sent = options.sent ?? true;
  }
  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return ["rate_limit", "server", "timeout", "network", "malformed", "empty"].includes(this.kind);
  }
}
