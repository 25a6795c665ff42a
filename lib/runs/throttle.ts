/**
 * Work that is done again and again while something goes on, without taking its time.
 * @module
 */
import type { Clock } from "../base/clock.ts";

/** Work done now and then in the background. */
export interface Throttled {
  /** Says that something has happened; starts the work when it is its turn. */
  tick(): void;
  /** Waits for work in progress. @throws what the work threw. */
  idle(): Promise<void>;
}

/**
 * Does the work after every `every` ticks, but rests so long between that it takes at most `share` of the time.
 *
 * @param options.onError receives what the work throws.
 */
export function throttled(
  work: () => Promise<void>,
  options: {
    readonly every: number;
    readonly share: number;
    readonly clock: Clock;
    readonly onError: (error: unknown) => void;
  },
): Throttled {
  const { every, share, clock } = options;
  let ticks = 0, restUntil = 0;
  let running: Promise<void> | null = null;
  const once = async () => {
    const began = clock.now();
    try {
      await work();
    } catch (error) {
      options.onError(error);
    } finally {
      const ended = clock.now();
      restUntil = ended + (ended - began) * (1 / share - 1);
      running = null;
    }
  };
  return {
    tick() {
      ticks++;
      if (running || ticks < every || clock.now() < restUntil) return;
      ticks = 0;
      running = once();
    },
    idle: () => running ?? Promise.resolve(),
  };
}
