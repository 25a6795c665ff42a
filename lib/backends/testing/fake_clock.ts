/**
 * A clock for tests: time passes when it is told to.
 * @module
 */
import type { Clock } from "../../base/clock.ts";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock whose time a test moves. */
export interface FakeClock extends Clock {
  /** Runs until the promise settles, jumping to the next timer whenever nothing else can happen. */
  run<T>(promise: Promise<T>): Promise<T>;
}

/**
 * A clock that starts at `start` milliseconds.
 *
 * `run` throws when the promise waits for something that no timer will bring.
 */
export function createFakeClock(start = 1_000_000): FakeClock {
  let now = start;
  const timers = new Set<Timer>();
  return {
    now: () => now,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => {
          timers.delete(timer);
          reject(signal?.reason);
        };
        const timer: Timer = {
          at: now + ms,
          fire: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        timers.add(timer);
        signal?.addEventListener("abort", onAbort, { once: true });
      });
    },
    async run(promise) {
      let settled = false;
      promise.then(() => settled = true, () => settled = true);
      for (let idle = 0; !settled;) {
        // A macrotask lets every chain of promises come to rest.
        await new Promise((resolve) => setTimeout(resolve, 0));
        if (settled) break;
        const next = [...timers].sort((a, b) => a.at - b.at)[0];
        if (!next) {
          if (++idle > 200) throw new Error("The promise waits for something no timer will bring");
          continue;
        }
        idle = 0;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.fire();
      }
      return await promise;
    },
  };
}
