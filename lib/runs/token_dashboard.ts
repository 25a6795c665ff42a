/**
 * The token dashboard and summary of a run.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { timestamp } from "../base/log.ts";
import { sumTotals, type TokenTotals } from "./token_totals.ts";

/** What a token dashboard shows. */
export interface TokenUsage {
  /** What the files are called: `gpt_oss_20b_niah_results`. */
  readonly name: string;
  /** Now. */
  readonly updated: Date;
  /** This session: milliseconds, and the tokens used in them. */
  readonly elapsedMs: number;
  /** Prompt and generated tokens of this session. */
  readonly sessionTokens: number;
  /** Totals over all sessions by model; the judge's model has its own. */
  readonly models: readonly { readonly model: string; readonly totals: TokenTotals }[];
  /** The dashboard's path, for the line that says how to watch it. */
  readonly path: string;
}

const RULE = "=".repeat(80);
const whole = (n: number) => Math.round(n).toLocaleString("en-US");

/** Dollars with four digits; says aloud when calls could not be priced. */
export function costText(totals: Pick<TokenTotals, "costUsd" | "unpricedCalls">): string {
  if (totals.unpricedCalls === 0) return `$${totals.costUsd.toFixed(4)}`;
  const calls = `${whole(totals.unpricedCalls)} call${totals.unpricedCalls === 1 ? "" : "s"}`;
  return totals.costUsd === 0
    ? `unknown (no price is known for ${calls})`
    : `at least $${totals.costUsd.toFixed(4)} (no price is known for ${calls})`;
}

/** Tokens per minute of the session; 0 before any time has passed. */
function tokensPerMinute({ sessionTokens, elapsedMs }: TokenUsage): number {
  return elapsedMs > 0 ? sessionTokens / (elapsedMs / 60_000) : 0;
}

/** The dashboard's text. */
export function tokenDashboard(usage: TokenUsage): string {
  const all = sumTotals(usage.models.map(({ totals }) => totals));
  return [
    RULE,
    `Token Usage Dashboard - ${usage.name}`,
    `Last updated: ${timestamp(usage.updated)}`,
    `Elapsed time: ${(usage.elapsedMs / 60_000).toFixed(1)} minutes`,
    RULE,
    "",
    "TOTALS:",
    `  API calls: ${whole(all.calls)}`,
    `  Input tokens: ${whole(all.inputTokens)}`,
    `  Output tokens: ${whole(all.outputTokens)}`,
    `  Total tokens: ${whole(all.inputTokens + all.outputTokens)}`,
    `  Rate: ${whole(tokensPerMinute(usage))} tokens/min`,
    `  Estimated cost: ${costText(all)}`,
    "",
    "PER-MODEL BREAKDOWN:",
    ...usage.models.flatMap(({ model, totals }) => [
      `  ${model}:`,
      `    Calls: ${whole(totals.calls)}`,
      `    Input: ${whole(totals.inputTokens)} tokens`,
      `    Output: ${whole(totals.outputTokens)} tokens`,
      `    Total: ${whole(totals.inputTokens + totals.outputTokens)} tokens`,
      `    Cost: ${costText(totals)}`,
    ]),
    "",
    RULE,
    `To monitor live: tail -f ${usage.path}`,
    RULE,
    "",
  ].join("\n");
}

/** The same as JSON, with what the dashboard leaves out. Costs are null when nothing could be priced. */
export function tokenSummary(usage: TokenUsage): Json {
  const all = sumTotals(usage.models.map(({ totals }) => totals));
  return {
    name: usage.name,
    updated: usage.updated.toISOString(),
    session: {
      elapsed_minutes: usage.elapsedMs / 60_000,
      tokens: usage.sessionTokens,
      tokens_per_minute: tokensPerMinute(usage),
    },
    totals: totalsJson(all),
    models: Object.fromEntries(usage.models.map(({ model, totals }) => [model, totalsJson(totals)])),
  };
}

function totalsJson(totals: TokenTotals): Json {
  const priced = totals.unpricedCalls === 0 || totals.costUsd > 0;
  return {
    api_calls: totals.calls,
    failed_calls: totals.errors,
    cache_hits: totals.cacheHits,
    input_tokens: totals.inputTokens,
    output_tokens: totals.outputTokens,
    total_tokens: totals.inputTokens + totals.outputTokens,
    cached_tokens: totals.cachedTokens,
    reasoning_tokens: totals.reasoningTokens,
    cost_usd: priced ? totals.costUsd : null,
    unpriced_calls: totals.unpricedCalls,
  };
}
