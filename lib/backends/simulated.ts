/**
 * A model whose behaviour is known, for testing the instruments.
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import {
  type Backend,
  BackendError,
  type CallOptions,
  type Completion,
  type ContinueRequest,
  type FailureKind,
  type FinishReason,
  type GenerateRequest,
} from "./backend.ts";
import { refuseSteering } from "./steering.ts";
import { renderPlain, simulatedTokenizer as tokenizer } from "./tokenizers.ts";
import type { AccuracyCurve, SimulatedVariant } from "./variants.ts";

/**
 * The share of right answers of mode `decay`, at an input length in tokens and a depth 0..1:
 *
 *     floor + (top - floor) * 1 / (1 + (length / halfLength) ^ steepness) * (1 - dip * 4 * depth * (1 - depth))
 *
 * It falls with length along a log-logistic curve and sags in the middle of the input by `dip`.
 */
export function simulatedAccuracy(length: number, depth: number, curve: AccuracyCurve): number {
  const { top, floor, halfLength, steepness, dip } = curve;
  const byLength = 1 / (1 + (length / halfLength) ** steepness);
  return floor + (top - floor) * byLength * (1 - dip * 4 * depth * (1 - depth));
}

/** What a refusing model says. */
export const SIMULATED_REFUSAL = "I'm sorry, but I can't help with that request.";
const LOOP = "and then again the same words, ";
const WRONG = ["a purple teapot", "forty-one lanterns", "the old harbour master", "a box of seven keys"];

/** Every kind of failure that mode `err` draws from. */
export const SIMULATED_FAILURES: readonly FailureKind[] = [
  "rate_limit",
  "server",
  "timeout",
  "network",
  "malformed",
  "empty",
  "auth",
  "context_length",
  "bad_request",
];

/**
 * Opens a simulated model. The same request gives the same answer: all chance comes from a hash of the variant's
 * seed and the request (messages, prefix, sampling). The `oracle` of a request is what it may answer from.
 *
 * | mode | what it does |
 * |---|---|
 * | `decay` | right with probability {@linkcode simulatedAccuracy}, else a distractor's answer or another wrong one |
 * | `truncate` | keeps the last `window` tokens and reports so many; right exactly when the evidence is still there |
 * | `loop` | repeats a phrase up to the output cap, finish reason `length` |
 * | `refuse` | refuses |
 * | `pad` | a run of `<pad>`, or no text and a prompt of 0 tokens |
 * | `anchors` | says one of the oracle's `draws`, each with its probability; without any, as `decay` |
 * | `err` | fails a share of tries with every kind of error (another draw at each try), else as `decay` |
 */
export function openSimulated(
  variant: SimulatedVariant,
  options: { readonly clock?: Clock } = {},
): Backend {
  const clock = options.clock ?? systemClock;
  const tries = new Map<string, number>();

  async function answer(request: GenerateRequest, prefix: string | null, call: CallOptions) {
    refuseSteering(request, variant);
    call.signal?.throwIfAborted();
    const { oracle: _, messages, ...sampling } = request;
    const key = sha256(canonicalJson({ messages, sampling, variant: variant.seed } as unknown as Json));
    if (variant.latencyMs > 0) await clock.sleep(variant.latencyMs, call.signal);
    if (variant.mode === "err") failSometimes(key);
    const completion = complete(variant, request, prefix, uniforms(key));
    if (completion.text) call.onText?.(completion.text);
    return completion;
  }

  function failSometimes(key: string): void {
    const attempt = (tries.get(key) ?? 0) + 1;
    tries.set(key, attempt);
    const next = uniforms(sha256(`${key}/${attempt}`));
    if (next() >= variant.errorRate) return;
    const kind = SIMULATED_FAILURES[Math.floor(next() * SIMULATED_FAILURES.length)] as FailureKind;
    const status =
      { rate_limit: 429, server: 500, auth: 401, context_length: 400, bad_request: 400 }[kind as string];
    throw new BackendError(kind, `A simulated failure of kind ${kind}`, {
      ...(status === undefined ? {} : { status }),
      ...(kind === "rate_limit" && next() < 0.5 ? { retryAfterMs: 20 } : {}),
    });
  }

  return {
    variant,
    generate: (request, call = {}) => answer(request, null, call),
    continueFrom: (request, call = {}) => answer(request, request.prefix, call),
    probe: () =>
      Promise.resolve({
        chat: true,
        completions: true,
        continuesPrefix: true,
        logprobs: false,
        reportsUsage: true,
        notes: [`simulated: mode ${variant.mode}, not a model`],
      }),
    tokenizer: () => Promise.resolve(tokenizer),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Up to eight uniform numbers from a hash in hex: 32 bits each. */
function uniforms(hex: string): () => number {
  let at = 0;
  return () => parseInt(hex.slice(at, at += 8), 16) / 2 ** 32;
}

function complete(
  variant: SimulatedVariant,
  request: GenerateRequest | ContinueRequest,
  prefix: string | null,
  next: () => number,
): Completion {
  const prompt = renderPlain(request.messages) + (prefix ?? "");
  const sent = tokenizer.count(prompt);
  const { mode } = variant;
  if (mode === "loop") {
    const phrase = request.oracle?.loop ?? LOOP;
    const length = 3 * request.maxTokens;
    const text = phrase.repeat(Math.ceil(length / phrase.length)).slice(0, length);
    return completion(variant, text, "length", sent, request.maxTokens);
  }
  if (mode === "refuse") return capped(variant, SIMULATED_REFUSAL, sent, request.maxTokens);
  if (mode === "pad") {
    if (next() < 0.5) return completion(variant, "", "stop", 0, 0);
    return capped(variant, "<pad>".repeat(8 + Math.floor(next() * 56)), sent, request.maxTokens);
  }
  if (mode === "truncate") {
    const kept = sent <= variant.window ? prompt : prompt.slice(-3 * variant.window);
    const evidence = request.oracle?.evidence;
    const right = evidence === undefined ? kept === prompt : kept.includes(evidence);
    return capped(variant, words(request, right, next), Math.min(sent, variant.window), request.maxTokens);
  }
  if (mode === "anchors" && request.oracle?.draws !== undefined) {
    return capped(variant, drawn(request.oracle.draws, next()), sent, request.maxTokens);
  }
  const { length, depth } = request.oracle ?? { length: sent };
  const right = next() < simulatedAccuracy(length, depth ?? 0, variant.curve);
  return capped(variant, words(request, right, next), sent, request.maxTokens);
}

/** The text in whose part of 0..1 a number falls; the last one takes what rounding leaves. */
function drawn(draws: readonly (readonly [text: string, share: number])[], at: number): string {
  let below = 0;
  return (draws.find(([, share]) => at < (below += share)) ?? draws.at(-1))?.[0] ?? "";
}

/** A right or a wrong answer; a wrong one never holds the right one. */
function words(request: GenerateRequest, right: boolean, next: () => number): string {
  const { oracle } = request;
  if (!oracle) return right ? "This is a simulated answer." : "This is a wrong simulated answer.";
  if (right) return oracle.answer;
  if (oracle.mistakes !== undefined) {
    return oracle.mistakes[Math.floor(next() * oracle.mistakes.length)] ?? "";
  }
  const distractors = oracle.distractors ?? [];
  if (distractors.length > 0 && next() < 0.5) {
    return distractors[Math.floor(next() * distractors.length)] as string;
  }
  const wrong = WRONG.filter((text) => !text.includes(oracle.answer.toLowerCase()));
  return `It is ${wrong[Math.floor(next() * wrong.length)] ?? "something else"}.`;
}

function capped(variant: SimulatedVariant, text: string, prompt: number, maxTokens: number): Completion {
  const tokens = tokenizer.count(text);
  return tokens <= maxTokens
    ? completion(variant, text, "stop", prompt, tokens)
    : completion(variant, text.slice(0, 3 * maxTokens), "length", prompt, maxTokens);
}

function completion(
  variant: SimulatedVariant,
  text: string,
  finishReason: FinishReason,
  promptTokens: number,
  completionTokens: number,
): Completion {
  return {
    text,
    reasoning: null,
    finishReason,
    usage: { promptTokens, completionTokens, cachedTokens: 0, reasoningTokens: 0 },
    requestId: null,
    model: `simulated:${variant.mode}`,
    logprobs: null,
  };
}
