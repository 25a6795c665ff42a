/**
 * The body of every task that runs a notebook.
 * @module
 */
import { INPUT_ERROR_EXIT, InputError, INTERRUPTED_EXIT, messageOf } from "../base/errors.ts";
import { timestamp } from "../base/log.ts";
import { type CellPlace, executeNotebook, type Execution } from "./execute_notebook.ts";
import { KernelDiedError, KernelStartError } from "./kernel.ts";
import type { Parameters } from "./parameters.ts";
import { createTerminalBoard, type TerminalBoard } from "./terminal_board.ts";

/** A task that runs a notebook. */
export interface NotebookTask {
  /** The notebook's path. */
  readonly path: string;
  /** Replaces constants of its parameters cell. */
  readonly parameters: Parameters;
  /** Where the executed notebook is written. */
  readonly outPath: string;
  /** The command that goes on with the run, shown when it was stopped or its kernel died. */
  readonly resume: string;
  /** The status dashboard, printed when the run was stopped. */
  readonly status?: () => string | Promise<string>;
  /** Most time to stop cleanly after Ctrl+C, in milliseconds; see `executeNotebook`. */
  readonly graceMs?: number;
  /** Where the board and the lines go; stderr when left out. */
  readonly board?: TerminalBoard;
}

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** One press may come more than once: from the terminal, and again from `npx` and `deno task`, which pass it on. */
const ONE_PRESS_MS = 700;

/**
 * Executes a notebook for a person at a terminal: its board and what it prints go to stderr. The first Ctrl+C stops
 * it cleanly, the second at once.
 *
 * @returns the exit code: 0, 1 when a cell failed or the kernel died, 2 for wrong input, 130 when it was stopped.
 */
export async function runNotebookTask(task: NotebookTask): Promise<number> {
  const board = task.board ?? createTerminalBoard();
  const say = (text: string) => {
    const stamp = timestamp();
    board.print(text.trimEnd().split("\n").map((line) => `[${stamp}] ${line}\n`).join(""));
  };
  const stop = new AbortController();
  const kill = new AbortController();
  let firstAt = 0;
  const onSignal = () => {
    if (stop.signal.aborted) {
      if (Date.now() - firstAt >= ONE_PRESS_MS) kill.abort();
      return;
    }
    firstAt = Date.now();
    say("Stopping: what is under way may finish. Press Ctrl+C again to stop at once.");
    stop.abort();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  try {
    const execution = await executeNotebook({
      path: task.path,
      parameters: task.parameters,
      outPath: task.outPath,
      onBoard: board.update,
      onStream: (_, text) => board.print(text),
      onNativeOutput: (text) => board.print(text),
      signal: stop.signal,
      killSignal: kill.signal,
      ...(task.graceMs !== undefined && { graceMs: task.graceMs }),
    });
    return await report(task, execution, board, say);
  } catch (error) {
    board.close();
    if (error instanceof InputError) {
      board.print(error.message + "\n");
      return INPUT_ERROR_EXIT;
    }
    if (!(error instanceof KernelStartError || error instanceof KernelDiedError)) throw error;
    say(messageOf(error));
    return 1;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
  }
}

async function report(
  task: NotebookTask,
  { outcome }: Execution,
  board: TerminalBoard,
  say: (text: string) => void,
): Promise<number> {
  board.close();
  switch (outcome.status) {
    case "done":
      say(`The executed notebook is ${task.outPath}`);
      return 0;
    case "failed":
      if (outcome.inputError !== null) {
        board.print(outcome.inputError + "\n");
        return INPUT_ERROR_EXIT;
      }
      say(`${placeOf(task.path, outcome.cell)} failed:`);
      board.print(outcome.traceback + "\n");
      say(`The notebook as far as it came is ${task.outPath}`);
      return 1;
    case "died":
      say(`${outcome.message} It died in ${placeOf(task.path, outcome.cell)}. Rows that are done are safe.`);
      say(`Go on with: ${task.resume}`);
      return 1;
    case "stopped":
      if (task.status !== undefined) board.print((await task.status()).trimEnd() + "\n");
      say(outcome.forced ? "Stopped at once." : "Stopped.");
      say(`Go on with: ${task.resume}`);
      return INTERRUPTED_EXIT;
  }
}

function placeOf(path: string, cell: CellPlace): string {
  return `${path} cell ${cell.number} (${cell.firstLine})`;
}
