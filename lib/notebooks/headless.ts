/**
 * The kernel's side of a headless run: what the client and the cells agree on.
 * The client loads this file into the kernel before the first cell; cells reach it through {@linkcode headless}.
 * It imports nothing, so that it loads wherever the notebook lies.
 *
 * The client speaks over the kernel's standard input, because a Jupyter interrupt kills or wedges a cell
 * that awaits, while a read of standard input is served as long as the event loop turns:
 * the line `stop` asks the cells' work to stop; the end of input means that the client is gone.
 * @module
 */

const KEY = Symbol.for("probebook.headless");

/** The key in an output's metadata that marks what the client must know of. */
export const METADATA_KEY = "probebook";

/** What cells may ask of the client when they run headless. */
export interface Headless {
  /**
   * Calls `handler` when the client asks to stop; at once when it already has. The kernel lives on until what
   * `handler` returns has settled. @returns the way to take the handler back.
   */
  onStop(handler: () => unknown): () => void;
  /** Prints a token behind everything printed and shown so far, so that the client knows it has arrived. */
  fence(token: string): void;
}

/** The client's side of this kernel, or undefined when a person runs the cells. */
export function headless(): Headless | undefined {
  return (globalThis as { [KEY]?: Headless })[KEY];
}

/** The part of `Deno.jupyter` used here. */
interface Jupyter {
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

/** Makes this kernel headless: listens on standard input and reports errors nobody caught instead of stalling on them. */
export function installHeadless(): void {
  const { log, error } = console;
  const jupyter = (Deno as unknown as { jupyter: Jupyter }).jupyter;
  const broadcast = jupyter.broadcast.bind(jupyter);
  const handlers = new Set<() => unknown>();
  let stopping = false;

  const signal = (mark: Record<string, unknown>) =>
    broadcast("display_data", { data: {}, metadata: { [METADATA_KEY]: mark }, transient: {} });

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    void signal({ stopping: handlers.size });
    await Promise.allSettled([...handlers].map(async (handler) => await handler()));
    void signal({ stopped: true });
  };

  (globalThis as { [KEY]?: Headless })[KEY] = {
    onStop(handler) {
      handlers.add(handler);
      if (stopping) void handler();
      return () => void handlers.delete(handler);
    },
    fence(token) {
      log(token);
      void signal({ fence: token });
    },
  };

  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    error("Uncaught", event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    error("Unhandled rejection:", event.reason);
  });

  void (async () => {
    let rest = "";
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line === "stop") void stop();
    }
    Deno.exit(130);
  })();
}
