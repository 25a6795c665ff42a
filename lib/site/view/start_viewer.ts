/**
 * The viewer as a server on this machine.
 * @module
 */
import { InputError } from "../../base/errors.ts";
import { createViewer, type ViewerOptions } from "./viewer.ts";

/** A viewer that is running. */
export interface RunningViewer extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
}

/**
 * Serves the viewer on 127.0.0.1.
 *
 * @throws {InputError} when the port is taken.
 */
export function startViewer(options: ViewerOptions & { readonly port: number }): RunningViewer {
  const app = createViewer(options);
  const abort = new AbortController();
  try {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: options.port, signal: abort.signal, onListen: () => {} },
      (request) => app.fetch(request),
    );
    // Reads what there is before the first reader comes.
    const first = new Request("http://localhost/runs.html", { headers: { host: "localhost" } });
    void Promise.try(() => app.fetch(first)).catch(() => {});
    return {
      url: `http://127.0.0.1:${server.addr.port}/`,
      async [Symbol.asyncDispose]() {
        abort.abort(); // streams of events would go on
        await server.finished;
      },
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new InputError(
      `Port ${options.port} is taken: choose another with --port, or 0 for any free one.`,
      { cause: error },
    );
  }
}
