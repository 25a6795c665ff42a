/**
 * What requests cost.
 * @module
 */
import { calcPrice, findProvider, type ModelPrice } from "@pydantic/genai-prices";
import { InputError } from "../base/errors.ts";
import type { Usage } from "./backend.ts";
import { deploymentOf, type Environment, serverUrl, type Variant } from "./variants.ts";

/** The price of a variant's tokens. */
export interface Price {
  /** Where it is from: `models.json`, `genai-prices: openrouter/openai/gpt-oss-120b`, `runs on your own hardware`. */
  readonly source: string;
  /** US dollars per million tokens, at the lowest tier where a price has tiers. */
  readonly inputPerMTok: number;
  /** US dollars per million generated tokens, reasoning included. */
  readonly outputPerMTok: number;
  /** US dollars per million prompt tokens served from a prefix cache. */
  readonly cachedPerMTok: number;
  /** US dollars of a request, tiers taken into account. Cached tokens are part of the prompt's. */
  cost(tokens: { readonly prompt: number; readonly cached?: number; readonly completion: number }): number;
}

/**
 * The price of a variant, or null when it is unknown: the variant's own `price`, else nothing for what runs on your
 * own hardware, else the table of `@pydantic/genai-prices` (which ships with the package: nothing is fetched).
 */
export function priceOf(variant: Variant, env: Environment = Deno.env): Price | null {
  if (variant.price) {
    const { inputPerMTok, outputPerMTok } = variant.price;
    return flat("models.json", inputPerMTok, outputPerMTok, variant.price.cachedPerMTok ?? inputPerMTok);
  }
  if (deploymentOf(variant) === "local") return flat("runs on your own hardware", 0, 0, 0);
  return variant.backend === "api" ? tablePrice(variant, env) : null;
}

/**
 * Checks that a budget can be kept.
 *
 * @throws {InputError} when there is one and the variant's price is unknown.
 */
export function checkPrice(variant: Variant, price: Price | null, maxUsd: number | null): void {
  if (price !== null || maxUsd === null) return;
  throw new InputError(
    `The price of ${variant.name} is unknown, so a budget of $${maxUsd} cannot be kept: give the variant a ` +
      `"price" {"inputPerMTok", "outputPerMTok"} in models.json, or leave --max-usd out.`,
  );
}

function flat(source: string, inputPerMTok: number, outputPerMTok: number, cachedPerMTok: number): Price {
  return {
    source,
    inputPerMTok,
    outputPerMTok,
    cachedPerMTok,
    cost: ({ prompt, cached = 0, completion }) =>
      ((prompt - Math.min(cached, prompt)) * inputPerMTok + Math.min(cached, prompt) * cachedPerMTok +
        completion * outputPerMTok) / 1e6,
  };
}

function tablePrice(variant: Extract<Variant, { backend: "api" }>, env: Environment): Price | null {
  const name = variant.priceModel ?? variant.model;
  const url = serverUrl(variant, env);
  const provider = variant.provider !== undefined
    ? findProvider({ providerId: variant.provider })
    : url !== undefined
    ? findProvider({ providerApiUrl: url })
    : undefined;
  if (!provider) return null;
  const calculate = (prompt: number, cached: number, completion: number) =>
    calcPrice(
      { input_tokens: prompt, cache_read_tokens: Math.min(cached, prompt), output_tokens: completion },
      name,
      { provider },
    );
  const found = calculate(0, 0, 0);
  if (!found) return null;
  const input = lowestTier(found.model_price, "input_mtok");
  const output = lowestTier(found.model_price, "output_mtok");
  if (input === null || output === null) return null;
  return {
    source: `genai-prices: ${found.provider.id}/${found.model.id}`,
    inputPerMTok: input,
    outputPerMTok: output,
    cachedPerMTok: lowestTier(found.model_price, "cache_read_mtok") ?? input,
    cost: ({ prompt, cached = 0, completion }) => calculate(prompt, cached, completion)?.total_price ?? 0,
  };
}

function lowestTier(price: ModelPrice, key: string): number | null {
  const value = price[key];
  if (value === undefined) return null;
  return typeof value === "number" ? value : value.base;
}

/**
 * US dollars of an answered request, from the usage reported, or null when the price is unknown. Counts the server
 * did not report are taken from the estimates.
 */
export function costOfUsage(
  price: Price | null,
  usage: Usage,
  estimate: { readonly prompt: number; readonly completion: number },
): number | null {
  if (!price) return null;
  return price.cost({
    prompt: usage.promptTokens ?? estimate.prompt,
    cached: usage.cachedTokens ?? 0,
    completion: usage.completionTokens ?? estimate.completion,
  });
}

/** How much more tokens a server may count than a tokenizer that is not its own. */
export const INEXACT_MARGIN = 1.3;

/** The most prompt tokens a server may count where we counted `tokens`. */
export function mostTokens(tokens: number, exact: boolean): number {
  return exact ? tokens + 16 : Math.ceil(tokens * INEXACT_MARGIN) + 64;
}

/** Answers of this many tokens are what the low estimate of a plan expects, where rows do not say otherwise. */
export const SHORT_ANSWER = 20;

/**
 * What a plan costs in US dollars, or null when the price is unknown. Low: the prompts at full price and the
 * answers that are expected. High: prompts as a server with another tokenizer may count them and every answer at its cap. Neither
 * counts prefix caching, which only makes it cheaper, or retries.
 */
export function estimateCost(
  price: Price | null,
  rows: Iterable<{ readonly tokens: number; readonly maxTokens: number; readonly answerTokens?: number }>,
  options: { readonly exact?: boolean } = {},
): { readonly low: number; readonly high: number } | null {
  if (!price) return null;
  let low = 0;
  let high = 0;
  for (const { tokens, maxTokens, answerTokens = SHORT_ANSWER } of rows) {
    low += price.cost({ prompt: tokens, completion: Math.min(maxTokens, answerTokens) });
    high += price.cost({ prompt: mostTokens(tokens, options.exact ?? false), completion: maxTokens });
  }
  return { low, high };
}

/** `$0.0123`, or `unknown` where there is no price. */
export function dollars(usd: number | null): string {
  return usd === null ? "unknown" : `$${usd.toFixed(usd !== 0 && usd < 0.01 ? 6 : 4)}`;
}
