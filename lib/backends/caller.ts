/**
 * The one place where requests are made: response cache, rate limits and concurrency, budget, backend, retries.
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { createRandom, type Random } from "../base/random.ts";
import {
  type Backend,
  BackendError,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
} from "./backend.ts";
import { type Budget, createBudget, type Reservation } from "./budget.ts";
import type { CacheOrigin, ResponseCache } from "./cache.ts";
import { backendIdentity, cacheKey } from "./cache_key.ts";
import { createLimiter, type LimiterState } from "./limits.ts";
import { checkPrice, costOfUsage, mostTokens, type Price, priceOf } from "./prices.ts";
import { DEFAULT_RETRY, retryDelayMs, type RetryPolicy } from "./retry.ts";
import { createUsageTotals, type UsageSnapshot } from "./usage.ts";
import { deploymentOf, type Limits, limitsOf, type Variant } from "./variants.ts";

/** One try at a request. */
export interface TryRecord {
  /** From 1, in this call. */
  readonly attempt: number;
  /** When it was sent. */
  readonly started: Date;
  /** Milliseconds from sending to the answer or the failure; waiting for limits is not counted. */
  readonly latencyMs: number;
  /** The answer, when there was one. */
  readonly completion: Completion | null;
  /** The failure, when there was one. */
  readonly error: BackendError | null;
  /** US dollars billed, or the most that may have been billed for a failed try; null when the price is unknown. */
  readonly costUsd: number | null;
  /** Whether another try follows. */
  readonly willRetry: boolean;
}

/** Options of one call. */
export interface CallerOptions {
  /** Our count of the prompt's tokens. */
  readonly tokens: number;
  /** Ends the call, also while it waits. */
  readonly signal?: AbortSignal;
  /** Hears of every try, before the next one begins; what it throws ends the call. */
  readonly onTry?: (record: TryRecord) => void | Promise<void>;
  /** Tells samples of the same request apart in the response cache. */
  readonly epoch?: number;
  /** Receives text as it is generated, where the backend streams. */
  readonly onText?: (delta: string) => void;
}

/** What a caller is doing, for boards. */
export interface CallerSnapshot extends LimiterState {
  /** Totals of tokens and money. */
  readonly usage: UsageSnapshot;
  /** Requests answered from the response cache. */
  readonly cacheHits: number;
  /** What was, or may have been, billed to the budget. */
  readonly spentUsd: number;
  /** The budget's limit; null when there is none. */
  readonly maxUsd: number | null;
}

/** Makes requests to one backend. Closing it closes the backend. */
export interface Caller extends AsyncDisposable {
  /** The backend's variant. */
  readonly variant: Variant;
  /** The backend that is asked. */
  readonly backend: Backend;
  /** The limits that are kept. */
  readonly limits: Limits;
  /** null when the price is unknown. */
  readonly price: Price | null;
  /**
   * Answers a request; one with a `prefix` is continued from it.
   *
   * @throws {BackendError} the last try's error, when no try is left or worth making.
   * @throws {BudgetError} when the request might pass the budget; it was not sent.
   * @throws the signal's reason when it is aborted.
   */
  call(request: GenerateRequest | ContinueRequest, options: CallerOptions): Promise<Completion>;
  /** What it is doing now. */
  snapshot(): CallerSnapshot;
}

/** Parts of a caller that can be replaced. */
export interface CreateCallerOptions {
  /** Wins over the variant's own limits. */
  readonly limits?: Partial<Limits>;
  /** Wins over {@linkcode DEFAULT_RETRY}. */
  readonly retry?: Partial<RetryPolicy>;
  /** Answers from the response cache where it can; the caller does not close it. */
  readonly cache?: ResponseCache;
  /** Shared by callers that spend from the same purse. */
  readonly budget?: Budget;
  /** The variant's price when left out; null means unknown. */
  readonly price?: Price | null;
  /** Time for waits and records. */
  readonly clock?: Clock;
  /** Draws the jitter of waits; results never depend on it. */
  readonly random?: Random;
}

/** Failures after which a server may have billed what we never received. */
const MAYBE_BILLED: ReadonlySet<string> = new Set([
  "server",
  "timeout",
  "network",
  "malformed",
  "empty",
  "aborted",
]);

/**
 * Makes the caller of a backend.
 *
 * @throws {InputError} when there is a budget and the variant's price is unknown: it could not be kept.
 */
export function createCaller(backend: Backend, options: CreateCallerOptions = {}): Caller {
  const { variant } = backend;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? createRandom(`${variant.name}/${clock.now()}`);
  const limits: Limits = { ...limitsOf(variant), ...options.limits };
  const policy: RetryPolicy = { ...DEFAULT_RETRY, ...options.retry };
  const limiter = createLimiter(limits, clock);
  const budget = options.budget ?? createBudget(null);
  const price = options.price === undefined ? priceOf(variant) : options.price;
  checkPrice(variant, price, budget.maxUsd);
  const identity = options.cache ? backendIdentity(variant) : null;
  const origin: CacheOrigin = { variant: variant.name, backend: variant.backend, model: nameOf(variant) };
  const totals = createUsageTotals(clock);
  const tokenizerIsExact = deploymentOf(variant) === "local" && variant.backend !== "api";
  /** Reported over counted prompt tokens, the most seen: the reservations of later requests grow with it. */
  let ratio = 1;
  let cacheHits = 0;

  async function call(request: GenerateRequest | ContinueRequest, call: CallerOptions): Promise<Completion> {
    call.signal?.throwIfAborted();
    const key = options.cache ? cacheKey(identity, request, call.epoch) : "";
    const hit = options.cache?.get(key);
    if (hit) {
      cacheHits++;
      const completion: Completion = { ...hit, fromCache: true };
      await call.onTry?.(record(1, clock.now(), 0, completion, null, 0, false));
      return completion;
    }
    for (let attempt = 1;; attempt++) {
      const tried = await once(request, attempt, call);
      if (tried.completion) {
        options.cache?.set(key, tried.completion, origin);
        await call.onTry?.(tried);
        return tried.completion;
      }
      const error = tried.error as BackendError;
      const delay = call.signal?.aborted ? null : retryDelayMs(error, attempt, policy, random);
      await call.onTry?.({ ...tried, willRetry: delay !== null });
      call.signal?.throwIfAborted();
      if (delay === null) throw error;
      await clock.sleep(delay, call.signal);
    }
  }

  /** Sends a request once and settles its permit and its money, whatever becomes of it. */
  async function once(
    request: GenerateRequest | ContinueRequest,
    attempt: number,
    call: CallerOptions,
  ): Promise<TryRecord> {
    const promptMost = Math.ceil(mostTokens(call.tokens, tokenizerIsExact) * ratio);
    const reserveTokens = promptMost + request.maxTokens;
    const reserveUsd = price?.cost({ prompt: promptMost, completion: request.maxTokens }) ?? 0;
    const permit = await limiter.acquire(reserveTokens, call.signal);
    let money: Reservation;
    try {
      money = await budget.reserve(reserveUsd, call.signal);
    } catch (error) {
      permit.done("failure", 0);
      throw error;
    }
    const started = clock.now();
    try {
      const options = {
        ...(call.signal ? { signal: call.signal } : {}),
        ...(call.onText ? { onText: call.onText } : {}),
      };
      const completion = "prefix" in request
        ? await backend.continueFrom(request, options)
        : await backend.generate(request, options);
      const { usage } = completion;
      const estimate = { prompt: promptMost, completion: request.maxTokens };
      const cost = costOfUsage(price, usage, estimate);
      if (usage.promptTokens !== null && usage.promptTokens > promptMost) {
        ratio *= usage.promptTokens / promptMost;
      }
      money.settle(cost ?? 0);
      permit.done(
        "success",
        (usage.promptTokens ?? promptMost) + (usage.completionTokens ?? request.maxTokens),
      );
      totals.add(completion, cost);
      return record(attempt, started, clock.now() - started, completion, null, cost, false);
    } catch (thrown) {
      const error = asBackendError(thrown, call.signal);
      if (!error) {
        money.settle(reserveUsd);
        permit.done("failure");
        throw new Error(`A backend failed in a way it should not: ${messageOf(thrown)}`, { cause: thrown });
      }
      const charged = error.sent && MAYBE_BILLED.has(error.kind) ? reserveUsd : 0;
      money.settle(charged);
      permit.done(error.kind === "rate_limit" ? "rate_limit" : "failure");
      if (error.kind === "rate_limit" && error.retryAfterMs !== null) {
        limiter.pause(Math.min(error.retryAfterMs, policy.maxRetryAfterMs));
      }
      totals.addFailure(nameOf(variant), price === null ? null : charged);
      return record(
        attempt,
        started,
        clock.now() - started,
        null,
        error,
        price === null ? null : charged,
        false,
      );
    }
  }

  return {
    variant,
    backend,
    limits,
    price,
    call,
    snapshot: () => ({
      ...limiter.state(),
      usage: totals.snapshot(),
      cacheHits,
      spentUsd: budget.spentUsd,
      maxUsd: budget.maxUsd,
    }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function record(
  attempt: number,
  started: number,
  latencyMs: number,
  completion: Completion | null,
  error: BackendError | null,
  costUsd: number | null,
  willRetry: boolean,
): TryRecord {
  return { attempt, started: new Date(started), latencyMs, completion, error, costUsd, willRetry };
}

/** Null for what is no failure of the model's side but a fault of the program: it must be seen, not tried again. */
function asBackendError(thrown: unknown, signal: AbortSignal | undefined): BackendError | null {
  if (thrown instanceof BackendError) return thrown;
  return signal?.aborted ? new BackendError("aborted", "The request was stopped", { cause: thrown }) : null;
}

function nameOf(variant: Variant): string {
  return variant.backend === "simulated" ? `simulated:${variant.mode}` : variant.model;
}
