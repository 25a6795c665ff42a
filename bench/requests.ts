/**
 * The requests that `bench/runs.ts` has sent, the same for every contender.
 * @module
 */

/** Requests under way at once. */
export const CONCURRENCY = 64;
/** Output cap of every request, in tokens. */
export const MAX_TOKENS = 32;

/** The prompt of request `i`. */
export function promptOf(i: number | string): string {
  return `Question ${i}: which number is named in this sentence? The number is seven.`;
}

/** A variants file with one variant, `bench`: the server, without limits of its own. */
export function benchVariants(url: string): string {
  const limits = { tokensPerMinute: null, requestsPerMinute: null, concurrency: CONCURRENCY };
  const server = { backend: "api", model: "bench", baseUrl: url, deployment: "local" };
  const bench = { ...server, description: "the benchmark's server", contextWindow: 4096, limits };
  return JSON.stringify({ variants: { bench } });
}
