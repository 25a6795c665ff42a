/**
 * A run's board that keeps itself up to date.
 * @module
 */
import { headless } from "./headless.ts";
import { escapeHtml } from "./html.ts";
import { broadcast, underWay } from "./show.ts";
import { createTerminalBoard } from "./terminal_board.ts";

/** What is needed of a run. */
export interface LiveRun<Snapshot> {
  /** The run at this moment. */
  snapshot(): Snapshot;
  /** Calls back when something has changed. @returns the way to end it. */
  onProgress(callback: () => void): () => void;
  /** Settles when the run has ended. */
  readonly done: Promise<unknown>;
  /** Asks the run to stop; `done` settles when it has. */
  stop(): unknown;
}

/** How a snapshot is drawn. */
export interface Board<Snapshot> {
  /** For terminals and for clients that show text alone. */
  text(snapshot: Snapshot): string;
  /** Markup in which everything that others wrote is escaped; the text in a `<pre>` when left out. */
  html?(snapshot: Snapshot): string;
}

/** Options of {@linkcode live}. */
export interface LiveOptions {
  /** Least time between two updates, in milliseconds; 500 when left out. */
  readonly everyMs?: number;
}

/**
 * Shows a run's board in one display that is updated while the run goes on, at most twice a second, and once more
 * when it has ended. Returns after the first drawing: the run goes on in the background, and `run.stop()` may be called
 * from any cell. Headless, the board is printed to the terminal, and Ctrl+C there calls `run.stop()`.
 * In a plain `deno run` the board is drawn on stderr.
 */
export async function live<Snapshot>(
  run: LiveRun<Snapshot>,
  board: Board<Snapshot>,
  options: LiveOptions = {},
): Promise<void> {
  const everyMs = options.everyMs ?? 500;
  const displayId = crypto.randomUUID();
  const bundle = () => {
    const snapshot = run.snapshot();
    const text = board.text(snapshot).toWellFormed();
    const html = board.html?.(snapshot).toWellFormed() ??
      `<pre style="line-height:1.3;white-space:pre-wrap">${escapeHtml(text)}</pre>`;
    return { "text/html": html, "text/plain": text };
  };

  const first = bundle();
  const inKernel = await broadcast("display_data", first, { displayId, board: true });
  const terminal = inKernel ? null : createTerminalBoard();
  terminal?.update(first["text/plain"]);

  // Updates are sent one after the other, so that an older board never comes behind a newer one.
  let sent: Promise<unknown> = Promise.resolve();
  const draw = () => {
    sent = sent.then(() => {
      const data = bundle();
      terminal?.update(data["text/plain"]);
      return broadcast("update_display_data", data, { displayId, board: true });
    }).catch((error) => console.error("The board could not be drawn:", error));
    return sent;
  };
  let timer: ReturnType<typeof setTimeout> | null = null;
  const endProgress = run.onProgress(() => {
    timer ??= setTimeout(() => {
      timer = null;
      void draw();
    }, everyMs);
  });
  const forget = headless()?.onStop(async () => {
    await run.stop();
    await ended;
  });
  const finish = async () => {
    endProgress();
    if (timer !== null) clearTimeout(timer);
    await draw();
    terminal?.close();
    forget?.();
  };
  const ended = run.done.then(finish, finish); // whoever awaits run.done learns of its failure
  if (inKernel) await underWay(first["text/html"].length);
}
