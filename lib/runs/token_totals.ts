/**
 * What attempts add up to: calls, tokens, money.
 * @module
 */
import type { Attempt } from "./experiment.ts";

/** Sums over attempts. Requests answered by the response cache are counted apart: nothing was sent for them. */
export interface TokenTotals {
  /** Requests really sent, failed ones included. */
  calls: number;
  /** Requests that failed. */
  errors: number;
  /** Rows answered by the response cache. */
  cacheHits: number;
  /** Prompt tokens as the server counted them, or as we did where it does not say. */
  inputTokens: number;
  /** Generated tokens, reasoning included. */
  outputTokens: number;
  /** Prompt tokens served from a prefix cache. */
  cachedTokens: number;
  /** Generated tokens that were reasoning. */
  reasoningTokens: number;
  /** US dollars over the calls whose price is known. */
  costUsd: number;
  /** Answered calls whose price is unknown. */
  unpricedCalls: number;
}

/** Totals of nothing. */
export function emptyTotals(): TokenTotals {
  return {
    calls: 0,
    errors: 0,
    cacheHits: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedTokens: 0,
    reasoningTokens: 0,
    costUsd: 0,
    unpricedCalls: 0,
  };
}

/** Adds one attempt to the totals, in place. */
export function addAttempt(totals: TokenTotals, attempt: Attempt): void {
  if (attempt.from_cache) {
    totals.cacheHits++;
    return;
  }
  totals.calls++;
  const answered = attempt.status === "done";
  if (!answered) totals.errors++;
  totals.inputTokens += attempt.prompt_tokens_reported ?? (answered ? attempt.token_count : 0);
  totals.outputTokens += attempt.completion_tokens ?? 0;
  totals.cachedTokens += attempt.cached_tokens ?? 0;
  totals.reasoningTokens += attempt.reasoning_tokens ?? 0;
  totals.costUsd += attempt.cost_usd ?? 0;
  if (answered && attempt.cost_usd === null) totals.unpricedCalls++;
}

/** What is left of totals without some of them. */
export function subtractTotals(totals: Readonly<TokenTotals>, without: Iterable<TokenTotals>): TokenTotals {
  const taken = sumTotals(without);
  const rest = { ...totals };
  for (const key of Object.keys(taken) as (keyof TokenTotals)[]) rest[key] -= taken[key];
  return rest;
}

/** The sum of several totals. */
export function sumTotals(all: Iterable<TokenTotals>): TokenTotals {
  const sum = emptyTotals();
  for (const totals of all) {
    for (const key of Object.keys(sum) as (keyof TokenTotals)[]) sum[key] += totals[key];
  }
  return sum;
}
