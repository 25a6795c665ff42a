/**
 * Sends the rows of a plan and writes down what comes back.
 * @module
 */
import {
  BackendError,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
  type TokenLogprob,
} from "../backends/backend.ts";
import type { Sampling } from "../backends/backend.ts";
import { steeringJson } from "../backends/steering.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import type { AttemptStore } from "./attempts.ts";
import type { Attempt, Prompt, Row } from "./experiment.ts";
import type { StopReason } from "./run_snapshot.ts";

/** One try of a call, as the caller reports it. */
export interface CallTry {
  /** When it was sent. */
  readonly started: Date;
  /** Milliseconds from sending to the answer or the failure. */
  readonly latencyMs: number;
  /** The answer, or null when the try failed. */
  readonly completion: Completion | null;
  /** The failure, or null. */
  readonly error: BackendError | null;
  /** US dollars, or null when the price is unknown. */
  readonly costUsd: number | null;
}

/** What the runner needs of the `Caller` of lib/backends: limits, cache, retries and money are its business. */
export interface RowCaller {
  /** Most requests at once. */
  readonly limits: { readonly maxConcurrency: number };
  /** Makes a request; hears of every try before the next. @throws the last failure. */
  call(
    request: GenerateRequest | ContinueRequest,
    options: {
      readonly tokens: number;
      readonly signal?: AbortSignal;
      readonly epoch?: number;
      readonly onTry?: (t: CallTry) => void | Promise<void>;
    },
  ): Promise<Completion>;
}

/** What {@linkcode startRun} needs. */
export interface RunOptions<R extends Row> {
  /** In sending order. */
  readonly rows: readonly R[];
  /** Builds a row's prompt. */
  prompt(row: R): Prompt | Promise<Prompt>;
  /** How answers are sampled. */
  readonly sampling: Omit<Sampling, "maxTokens">;
  /** Makes the requests. */
  readonly caller: RowCaller;
  /** Name of the tokenizer that counts the prompts. */
  readonly tokenizer: string;
  /** Where every try is written. */
  readonly store: AttemptStore;
  /** How long requests in flight may go on after a stop before they are broken off. Default 5 s. */
  readonly graceMs?: number;
  /** The machine's clock when left out. */
  readonly clock?: Clock;
  /** Called after every attempt is written; the run waits for nothing it does. */
  readonly onAttempt?: (row: R, attempt: Attempt) => void;
  /** Stops the run, like `stop()`. */
  readonly signal?: AbortSignal;
}

/** How the rows of a run stand. The four numbers sum to the plan's rows. */
export interface RowCounts {
  /** Rows that are done. */
  readonly done: number;
  /** Rows whose last try failed. */
  readonly errors: number;
  /** Rows that are not sent. */
  readonly skipped: number;
  /** Rows not yet tried. */
  readonly pending: number;
}

/** How a run ended. */
export interface RunSummary extends RowCounts {
  /** Null when every row was tried. */
  readonly stoppedBy: StopReason | null;
  /** What stopped it, when it was not the user. */
  readonly error: Error | null;
}

/** A run that is going on. */
export interface Run {
  /** Resolves when the run has ended, however it ended; never rejects. */
  readonly done: Promise<RunSummary>;
  /** Sends nothing more; requests in flight may finish for the grace period. Resolves with `done`. */
  stop(): Promise<RunSummary>;
  /** How the rows stand now. */
  counts(): RowCounts;
  /** Rows whose request is being made or waited for. */
  inFlight(): number;
}

/** Failures that every row would meet: the run stops at the first. */
const FATAL_KINDS: ReadonlySet<string> = new Set(["auth", "unsupported"]);

/** The SHA-256 by which an attempt names the prompt that was sent. */
export function promptSha256(prompt: Pick<Prompt, "messages" | "prefix" | "steering">): string {
  const { messages, prefix, steering } = prompt;
  const whole = {
    messages,
    ...(prefix === undefined ? {} : { prefix }),
    ...(steering === undefined ? {} : { steering: steeringJson(steering) }),
  };
  return sha256(canonicalJson(whole as unknown as Json));
}

/** The request of a row, as it is sent and as the response cache knows it. */
export function requestOf(
  row: Pick<Row, "maxTokens">,
  prompt: Prompt,
  sampling: Omit<Sampling, "maxTokens">,
): GenerateRequest | ContinueRequest {
  return {
    ...sampling,
    ...(prompt.seed === undefined ? {} : { seed: prompt.seed }),
    maxTokens: row.maxTokens,
    messages: prompt.messages,
    ...(prompt.prefix === undefined ? {} : { prefix: prompt.prefix }),
    ...(prompt.oracle === undefined ? {} : { oracle: prompt.oracle }),
    ...(prompt.steering === undefined ? {} : { steering: prompt.steering }),
  };
}

/**
 * Sends, in the plan's order, every row that is neither done nor skipped: rows with errors are tried again, rows that
 * are done are never sent. Prompts are built when their turn comes, one per slot. Every try is in the store before
 * anything else is done about it.
 */
export function startRun<R extends Row>(options: RunOptions<R>): Run {
  const { rows, store, caller, clock = systemClock, graceMs = 5000 } = options;
  const abort = new AbortController();
  const counts = countRows(rows, store);
  let stoppedBy: StopReason | null = null;
  let failure: Error | null = null;
  let inFlight = 0;
  let next = 0;

  const halt = (reason: StopReason, error: Error | null) => {
    if (stoppedBy !== null) return;
    stoppedBy = reason;
    failure = error;
    const finished = new AbortController();
    running.finally(() => finished.abort());
    clock.sleep(graceMs, finished.signal).then(
      () => abort.abort(new BackendError("aborted", "The run was stopped.")),
      () => {},
    );
  };

  const record = (row: R, tried: CallTry, tokens: number, promptHash: string) => {
    if (tried.error?.kind === "aborted") return;
    const before = store.state(row.id)?.status;
    const attempt = store.append(attemptOf(row.id, tried, tokens, options.tokenizer, promptHash));
    counts[before === undefined ? "pending" : "errors"]--;
    counts[attempt.status === "done" ? "done" : "errors"]++;
    options.onAttempt?.(row, attempt);
  };

  const sendRow = async (row: R) => {
    const prompt = await options.prompt(row);
    const promptHash = promptSha256(prompt);
    await caller.call(requestOf(row, prompt, options.sampling), {
      tokens: prompt.tokens,
      signal: abort.signal,
      ...(prompt.epoch === undefined ? {} : { epoch: prompt.epoch }),
      onTry(tried) {
        try {
          record(row, tried, prompt.tokens, promptHash);
        } catch (error) {
          halt("error", asError(error));
          throw error;
        }
      },
    });
  };

  const work = async () => {
    while (stoppedBy === null && next < rows.length) {
      const row = rows[next++] as R;
      if (row.skip !== null || store.state(row.id)?.status === "done") continue;
      inFlight++;
      try {
        await sendRow(row);
      } catch (error) {
        const failed = asError(error);
        if (failed.name === "BudgetError") halt("budget", failed);
        else if (!(failed instanceof BackendError) || FATAL_KINDS.has(failed.kind)) halt("error", failed);
      } finally {
        inFlight--;
      }
    }
  };

  const onSignal = () => halt("user", null);
  const workers = Math.max(1, Math.min(caller.limits.maxConcurrency, rows.length));
  // The first row is sent after the caller of startRun has the handle.
  const running = Promise.resolve().then(() => Promise.all(Array.from({ length: workers }, work)));
  const done = running.then((): RunSummary => {
    options.signal?.removeEventListener("abort", onSignal);
    return { ...counts, stoppedBy, error: failure };
  });
  if (options.signal?.aborted) onSignal();
  else options.signal?.addEventListener("abort", onSignal, { once: true });

  return {
    done,
    stop() {
      halt("user", null);
      return done;
    },
    counts: () => ({ ...counts }),
    inFlight: () => inFlight,
  };
}

/** How the rows of a plan stand in a store. */
export function countRows(
  rows: readonly Row[],
  store: Pick<AttemptStore, "state">,
): { done: number; errors: number; skipped: number; pending: number } {
  const counts = { done: 0, errors: 0, skipped: 0, pending: 0 };
  for (const row of rows) {
    const status = row.skip === null ? store.state(row.id)?.status : "skip";
    counts[
      status === "skip" ? "skipped" : status === "done" ? "done" : status === "error" ? "errors" : "pending"
    ]++;
  }
  return counts;
}

function attemptOf(
  id: string,
  tried: CallTry,
  tokens: number,
  tokenizer: string,
  promptHash: string,
): Omit<Attempt, "attempt"> {
  const { completion, error } = tried;
  return {
    id,
    started: tried.started.toISOString(),
    status: completion ? "done" : "error",
    output: completion?.text ?? "",
    reasoning: completion?.reasoning ?? null,
    ...(completion?.recoveries ? { recoveries: completion.recoveries } : {}),
    ...logprobsOf(completion),
    finish_reason: completion?.finishReason ?? null,
    token_count: tokens,
    tokenizer,
    prompt_tokens_reported: completion?.usage.promptTokens ?? null,
    completion_tokens: completion?.usage.completionTokens ?? null,
    cached_tokens: completion?.usage.cachedTokens ?? null,
    reasoning_tokens: completion?.usage.reasoningTokens ?? null,
    latency_ms: Math.round(tried.latencyMs),
    cost_usd: tried.costUsd,
    request_id: completion?.requestId ?? null,
    from_cache: completion?.fromCache ?? false,
    prompt_sha256: promptHash,
    error: completion ? null : { kind: error?.kind ?? "unknown", message: error ? messageOf(error) : "" },
  };
}

/** Log-probabilities to 6 decimals; none at all where one of them is no number. */
function logprobsOf(completion: Completion | null): Pick<Attempt, "logprobs" | "top_logprobs"> {
  const given = completion?.logprobs ?? null;
  if (given === null || !given.every(({ logprob }) => Number.isFinite(logprob))) return {};
  const rounded = (all: readonly Pick<TokenLogprob, "token" | "logprob">[]) =>
    all.map(({ token, logprob }) => [token, Number(logprob.toFixed(6))] as const);
  const top = given.flatMap((each) => each.top === undefined ? [] : [each.top.filter(isFinite)]);
  return {
    logprobs: rounded(given),
    ...(top.length === given.length && top.length > 0 ? { top_logprobs: top.map(rounded) } : {}),
  };
}

const isFinite = ({ logprob }: Pick<TokenLogprob, "logprob">) => Number.isFinite(logprob);

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
