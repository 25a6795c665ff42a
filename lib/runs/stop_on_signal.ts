/**
 * Ctrl+C, as every task has it.
 * @module
 */
import { INTERRUPTED_EXIT } from "../base/errors.ts";

/** What {@linkcode stopOnSignal} can have replaced. */
export interface StopOnSignalOptions {
  /** Called at the first signal, before `stop`. */
  readonly onFirst?: (signal: Deno.Signal) => void;
  /** Leaves the process; `Deno.exit` when left out. */
  readonly exit?: (code: number) => void;
}

/**
 * The first SIGINT or SIGTERM calls `stop`, the second leaves at once with 130. Disposing takes the handlers away.
 *
 * After a clean stop, print `statusDashboard({ ..., interrupted: true, resume })` and leave with 130.
 */
export function stopOnSignal(stop: () => unknown, options: StopOnSignalOptions = {}): Disposable & {
  /** Whether a signal has come. */
  readonly interrupted: boolean;
} {
  const exit = options.exit ?? Deno.exit;
  let interrupted = false;
  // Windows has no SIGTERM.
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const handlers = signals.map((signal) => {
    const handler = () => {
      if (interrupted) return exit(INTERRUPTED_EXIT);
      interrupted = true;
      options.onFirst?.(signal);
      stop();
    };
    Deno.addSignalListener(signal, handler);
    return () => Deno.removeSignalListener(signal, handler);
  });
  return {
    get interrupted() {
      return interrupted;
    },
    [Symbol.dispose]() {
      for (const remove of handlers) remove();
    },
  };
}
