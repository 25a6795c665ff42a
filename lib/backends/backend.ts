/**
 * The one interface of everything that turns a prompt into text.
 * @module
 */
import type { Variant } from "./variants.ts";

/** Who speaks in a message. */
export type Role = "system" | "developer" | "user" | "assistant" | "tool";

/** One message of a chat. */
export interface Message {
  readonly role: Role;
  readonly content: string;
}

/** How text is sampled. Temperature 0 (the default) is greedy. */
export interface Sampling {
  /** Most tokens to generate. */
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** Also give the log-probability (natural log) of each generated token. */
  readonly logprobs?: boolean;
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
  /** Input length in tokens and relative depth 0..1 of the evidence: where the known decay is read. */
  readonly length: number;
  readonly depth?: number;
}

/** A chat to be answered. */
export interface GenerateRequest extends Sampling {
  readonly messages: readonly Message[];
  readonly oracle?: Oracle;
}

/** A chat whose assistant turn has begun: the text goes on exactly where `prefix` ends. */
export interface ContinueRequest extends GenerateRequest {
  readonly prefix: string;
}

/** Why generation ended. `unknown` when a server gave no reason. */
export type FinishReason = "stop" | "length" | "content_filter" | "aborted" | "unknown";

/** Tokens as the backend reports them; null where it does not. */
export interface Usage {
  readonly promptTokens: number | null;
  /** All generated tokens, reasoning included. */
  readonly completionTokens: number | null;
  /** Prompt tokens served from a prefix cache. */
  readonly cachedTokens: number | null;
  readonly reasoningTokens: number | null;
}

/** A generated token and its log-probability (natural log). */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
}

/** What came back. */
export interface Completion {
  readonly text: string;
  /** Reasoning text, where the backend gives it apart from the answer. */
  readonly reasoning: string | null;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly requestId: string | null;
  /** The model name the backend answered with. */
  readonly model: string | null;
  readonly logprobs: readonly TokenLogprob[] | null;
  /** True when it came from the response cache and nothing was sent. */
  readonly fromCache?: boolean;
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Receives text as it is generated, where the backend streams. */
  readonly onText?: (delta: string) => void;
}

/** What a backend was found to be able to do, and how it was found. */
export interface Capabilities {
  readonly chat: boolean;
  readonly completions: boolean;
  /** Whether `continueFrom` truly continues (probed with a canary cut mid-word). */
  readonly continuesPrefix: boolean;
  readonly logprobs: boolean;
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
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  count(text: string): number;
  /** Tokens of the whole prompt, with the chat template where it is known. */
  countMessages(messages: readonly Message[]): number;
}

/** Turns prompts into text. Made by `openBackend(variant)`; closed by `await using`. */
export interface Backend extends AsyncDisposable {
  readonly variant: Variant;
  /** Answers a chat. @throws {BackendError} */
  generate(request: GenerateRequest, options?: CallOptions): Promise<Completion>;
  /** Goes on from a begun assistant turn. @throws {BackendError} also when the backend cannot. */
  continueFrom(request: ContinueRequest, options?: CallOptions): Promise<Completion>;
  /** Finds out what the backend can do, with a few small requests. */
  probe(options?: CallOptions): Promise<Capabilities>;
  /** The tokenizer that counts this variant's prompts. */
  tokenizer(): Promise<Tokenizer>;
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
  override readonly name = "BackendError";
  readonly kind: FailureKind;
  readonly status: number | null;
  /** From Retry-After, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** False when the request certainly never reached the model's side, so that nothing can have been billed. */
  readonly sent: boolean;
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
