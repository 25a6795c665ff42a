/**
 * Rate limits over a true sliding minute, and a concurrency that adapts.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Limits } from "./variants.ts";

/** How a request that had a permit ended. */
export type Outcome = "success" | "rate_limit" | "failure";

/** Leave to send one request. */
export interface Permit {
  /** Tells how it ended, and how many tokens it really took where that is known. Only the first call counts. */
  done(outcome: Outcome, tokens?: number): void;
}

/** The state of a limiter, for boards. */
export interface LimiterState {
  /** Requests that wait for leave. */
  readonly waiting: number;
  /** Requests that were sent and have not ended. */
  readonly underWay: number;
  /** Requests allowed at once now; between 1 and the variant's maximum. */
  readonly concurrency: number;
  /** Tokens counted in the sliding window, reservations included. */
  readonly tokensInWindow: number;
  /** Requests sent in the sliding window. */
  readonly requestsInWindow: number;
  /** Milliseconds until a pause asked for by the server is over; 0 when there is none. */
  readonly pausedMs: number;
}

/** Lets requests go as fast as the limits allow, in the order they came. */
export interface Limiter {
  /** Waits for leave to send a request of at most `tokens` tokens. @throws the signal's reason. */
  acquire(tokens: number, signal?: AbortSignal): Promise<Permit>;
  /** Sends nothing for so long: a server asked for it. */
  pause(ms: number): void;
  /** What it is doing now. */
  state(): LimiterState;
}

interface Sent {
  readonly at: number;
  tokens: number;
  /** Whether it has left the window. */
  gone: boolean;
}

interface Waiter {
  readonly tokens: number;
  readonly grant: (permit: Permit) => void;
}

/**
 * A minute, and two seconds for requests that reach the server later than others sent after them.
 */
export const WINDOW_MS = 62_000;

/**
 * A limiter for one variant.
 *
 * A request counts from the moment it is sent, with the most tokens it may take (prompt and output cap), and is
 * corrected to what it took when it ends: no sliding minute holds more than the limit as long as no request takes
 * more than it said. A request larger than the whole limit waits for an empty window, goes alone, and holds the
 * window for as many minutes as it is times larger, so that the average keeps to the limit.
 *
 * Concurrency halves when the server says 429 (once for all requests sent before the halving) and grows by one
 * after as many successes in a row as it allows at once.
 */
export function createLimiter(limits: Limits, clock: Clock): Limiter {
  const { tokensPerMinute, requestsPerMinute, maxConcurrency } = limits;
  const logged = tokensPerMinute !== null || requestsPerMinute !== null;
  const queue: Waiter[] = [];
  let sent: Sent[] = [];
  let first = 0;
  let windowTokens = 0;
  let underWay = 0;
  let concurrency = maxConcurrency;
  let successes = 0;
  let halvings = 0;
  let pausedUntil = 0;
  let wakeAt = Infinity;
  let timer: AbortController | null = null;

  const holdMs = (entry: Sent) => WINDOW_MS * Math.max(1, entry.tokens / (tokensPerMinute ?? Infinity));

  function forget(now: number): void {
    while (first < sent.length) {
      const entry = sent[first] as Sent;
      if (now - entry.at < holdMs(entry)) break;
      windowTokens -= entry.tokens;
      entry.gone = true;
      first++;
    }
    if (first === sent.length) {
      sent = [];
      first = 0;
      windowTokens = 0;
    } else if (first > 4096) {
      sent = sent.slice(first);
      first = 0;
    }
  }

  /** Milliseconds until the request at the head may go by the clock; Infinity when another must end first. */
  function waitMs(tokens: number, now: number): number {
    if (underWay >= concurrency) return Infinity;
    const pause = pausedUntil - now;
    if (pause > 0) return pause;
    const full = requestsPerMinute !== null && sent.length - first >= requestsPerMinute;
    const empty = sent.length === first;
    const over = tokensPerMinute !== null && !empty && windowTokens + tokens > tokensPerMinute;
    if (!full && !over) return 0;
    const oldest = sent[first] as Sent;
    return Math.max(1, oldest.at + holdMs(oldest) - now);
  }

  function pump(): void {
    while (queue.length > 0) {
      const now = clock.now();
      if (logged) forget(now);
      const head = queue[0] as Waiter;
      const wait = waitMs(head.tokens, now);
      if (wait > 0) return wake(now, wait);
      queue.shift();
      head.grant(permit(head.tokens, now));
    }
    wake(0, Infinity);
  }

  /** Sets the one timer to the next moment something can change by itself. */
  function wake(now: number, wait: number): void {
    const at = now + wait;
    if (at === wakeAt) return;
    timer?.abort();
    timer = null;
    wakeAt = at;
    if (wait === Infinity) return;
    const own = timer = new AbortController();
    clock.sleep(wait, own.signal).then(() => {
      if (timer !== own) return;
      timer = null;
      wakeAt = Infinity;
      pump();
    }, () => {});
  }

  function permit(tokens: number, at: number): Permit {
    const entry: Sent = { at, tokens, gone: !logged };
    if (logged) {
      sent.push(entry);
      windowTokens += tokens;
    }
    underWay++;
    const sentAfter = halvings;
    let open = true;
    return {
      done(outcome, actual) {
        if (!open) return;
        open = false;
        underWay--;
        if (actual !== undefined && !entry.gone) {
          windowTokens += actual - entry.tokens;
          entry.tokens = actual;
        }
        if (outcome === "success") {
          if (++successes >= concurrency && concurrency < maxConcurrency) {
            concurrency++;
            successes = 0;
          }
        } else if (outcome === "rate_limit") {
          successes = 0;
          if (sentAfter === halvings) {
            halvings++;
            concurrency = Math.max(1, Math.floor(concurrency / 2));
          }
        }
        pump();
      },
    };
  }

  return {
    acquire(tokens, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          const at = queue.indexOf(waiter);
          if (at < 0) return;
          queue.splice(at, 1);
          reject(signal?.reason);
          pump();
        };
        const waiter: Waiter = {
          tokens,
          grant: (granted) => {
            signal?.removeEventListener("abort", onAbort);
            resolve(granted);
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        queue.push(waiter);
        if (queue.length === 1) pump();
      });
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.now() + ms);
      pump();
    },
    state() {
      const now = clock.now();
      if (logged) forget(now);
      return {
        waiting: queue.length,
        underWay,
        concurrency,
        tokensInWindow: windowTokens,
        requestsInWindow: sent.length - first,
        pausedMs: Math.max(0, pausedUntil - now),
      };
    },
  };
}
