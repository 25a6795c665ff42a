/**
 * Stops what runs in a headless kernel.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Kernel } from "./kernel.ts";
import type { Marks } from "./marks.ts";

/** Time given to a cell that has nothing to stop, in milliseconds. */
const GRACE_WITHOUT_HANDLERS_MS = 2_000;

/** Options of {@linkcode stopOnAbort}. */
export interface StopOptions {
  /** Aborted: asks the kernel to stop. */
  readonly signal?: AbortSignal;
  /** Aborted: kills the kernel. */
  readonly killSignal?: AbortSignal;
  /** Most time from the one to the other, in milliseconds. */
  readonly graceMs: number;
  /** Measures it. */
  readonly clock: Clock;
}

/** A kernel that can be stopped. */
export interface Stopping {
  /** Waits until the stop handlers have ended or the kernel has. @returns whether it was killed. */
  finished(): Promise<boolean>;
  /** Listens to the signals no longer. */
  dispose(): void;
}

/** Asks the kernel to stop when the signal is aborted, and kills it when it does not in time. */
export function stopOnAbort(kernel: Kernel, marks: Marks, options: StopOptions): Stopping {
  const { clock, signal, killSignal } = options;
  const over = new AbortController();
  let forced = false;
  const kill = () => {
    forced = true;
    kernel.kill();
  };
  const killAfter = (ms: number) => clock.sleep(ms, over.signal).then(kill, () => {});
  const stop = () => {
    void kernel.tell("stop");
    void killAfter(options.graceMs);
    void marks.stopping.then((handlers) => handlers === 0 ? killAfter(GRACE_WITHOUT_HANDLERS_MS) : undefined);
  };
  signal?.addEventListener("abort", stop, { once: true });
  killSignal?.addEventListener("abort", kill, { once: true });
  if (killSignal?.aborted) kill();
  else if (signal?.aborted) stop();
  return {
    async finished(): Promise<boolean> {
      await Promise.race([marks.stopped, kernel.exited]);
      return forced;
    },
    dispose() {
      over.abort();
      signal?.removeEventListener("abort", stop);
      killSignal?.removeEventListener("abort", kill);
    },
  };
}
