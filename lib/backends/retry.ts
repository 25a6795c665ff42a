/**
 * When a failed request is tried again, and after how long.
 * @module
 */
import type { Random } from "../base/random.ts";
import type { BackendError } from "./backend.ts";

/** How often and how patiently failed requests are tried again. */
export interface RetryPolicy {
  /** Most tries after the first. */
  readonly retries: number;
  /** Bound of the first wait in milliseconds; it doubles with each try. */
  readonly baseMs: number;
  /** Most the bound grows to. */
  readonly maxMs: number;
  /** A server that asks for a longer wait than this ends the request; the row is tried again in the next run. */
  readonly maxRetryAfterMs: number;
}

/** Five retries; waits bounded by 1, 2, 4, 8 and 16 seconds; Retry-After honoured up to 5 minutes. */
export const DEFAULT_RETRY: RetryPolicy = {
  retries: 5,
  baseMs: 1000,
  maxMs: 60_000,
  maxRetryAfterMs: 300_000,
};

/**
 * Milliseconds to wait before the next try, or null when there is none: the error cannot go away by itself, the
 * tries are used up, or the server asks for too long a wait. Exponential backoff with full jitter (a uniform draw
 * from 0 to the bound, as in the AWS architecture blog, 2015); never less than Retry-After.
 *
 * @param attempt the try that failed, from 1.
 */
export function retryDelayMs(
  error: BackendError,
  attempt: number,
  policy: RetryPolicy,
  random: Random,
): number | null {
  if (!error.retryable || attempt > policy.retries) return null;
  const bound = Math.min(policy.maxMs, policy.baseMs * 2 ** (attempt - 1));
  const jitter = random.next() * bound;
  if (error.retryAfterMs === null) return jitter;
  if (error.retryAfterMs > policy.maxRetryAfterMs) return null;
  // Jitter on top, so that the waiting do not all come back in the same instant.
  return error.retryAfterMs + Math.min(jitter, policy.baseMs);
}
