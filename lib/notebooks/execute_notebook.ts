/**
 * Runs a notebook from the first cell to the last in a real Deno kernel, as Jupyter would.
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { type Kernel, KernelDiedError, startKernel } from "./kernel.ts";
import {
  type Cell,
  formatNotebook,
  hasTag,
  INJECTED_TAG,
  type Notebook,
  type Output,
  parseNotebook,
} from "./notebook.ts";
import { createMarks, type Marks, passFence } from "./marks.ts";
import { createOutputCollector, type OutputEvents } from "./outputs.ts";
import { injectParameters, type Parameters } from "./parameters.ts";
import { stopOnAbort } from "./stop_on_abort.ts";
import { syntaxProblem } from "./syntax_problem.ts";

/** Where a cell stands, for people. */
export interface CellPlace {
  /** 1 for the first code cell; the injected cell is not counted, so it is the number in the notebook as written. */
  readonly number: number;
  /** Its first line of code. */
  readonly firstLine: string;
}

/** How a headless execution ended. */
export type Outcome =
  | { readonly status: "done" }
  /** A cell threw. `inputError` is the message when what it threw was an {@linkcode InputError}. */
  | {
    readonly status: "failed";
    readonly cell: CellPlace;
    readonly traceback: string;
    readonly inputError: string | null;
  }
  /** `signal` was aborted. `forced` when the kernel had to be killed. */
  | { readonly status: "stopped"; readonly forced: boolean }
  /** The kernel's process ended while a cell was running. */
  | { readonly status: "died"; readonly cell: CellPlace; readonly message: string };

/** What {@linkcode executeNotebook} gives. */
export interface Execution {
  /** How it ended. */
  readonly outcome: Outcome;
  /** The executed notebook, as it was written. */
  readonly notebook: Notebook;
}

/** Options of {@linkcode executeNotebook}. */
export interface ExecuteOptions extends Omit<OutputEvents, "onMark"> {
  /** The notebook. Its folder is the kernel's, from where imports resolve. */
  readonly path: string;
  /** Replaces constants of the parameters cell. */
  readonly parameters?: Parameters;
  /** Where the executed notebook is written: after each cell, every few seconds within one, and at the end. */
  readonly outPath?: string;
  /** Receives what native code writes to the kernel's own stdout and stderr. */
  readonly onNativeOutput?: (text: string) => void;
  /** Called when a cell begins. */
  readonly onCell?: (cell: CellPlace) => void;
  /** Added to the kernel's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Most time for the running cell and the stop handlers to end once `signal` is aborted; 30,000 ms when left out. */
  readonly graceMs?: number;
  /** Time, replaced in tests. */
  readonly clock?: Clock;
  /** Aborted: what runs is asked to stop cleanly, no further cell is run, and the notebook is written. */
  readonly signal?: AbortSignal;
  /** Aborted: the kernel is killed at once. */
  readonly killSignal?: AbortSignal;
}

const SAVE_EVERY_MS = 3_000;

/**
 * Executes a notebook's code cells in order and collects every output, the late ones included: in Deno's kernel the
 * word that a cell is idle overtakes its outputs, so a token is sent behind them through both of its channels
 * (console, display) and waited for. Stops at the first cell that throws.
 *
 * @throws {InputError} when the notebook or a parameter is wrong, or the executed notebook cannot be written.
 * @throws {KernelStartError} when the kernel does not start.
 */
export async function executeNotebook(options: ExecuteOptions): Promise<Execution> {
  const clock = options.clock ?? systemClock;
  const name = basename(options.path);
  const json = await readTextIfExists(options.path);
  if (json === undefined) {
    throw new InputError(`There is no notebook ${options.path}: give the path of an .ipynb file.`);
  }
  const notebook = injectParameters(parseNotebook(json, name), options.parameters ?? {}, name);
  for (const cell of notebook.cells) {
    if (cell.cell_type === "code") Object.assign(cell, { outputs: [], execution_count: null });
  }

  const started = clock.now();
  const record = (outcome: Outcome | null) => {
    notebook.metadata.papermill = {
      parameters: options.parameters ?? {},
      input_path: name,
      start_time: new Date(started).toISOString(),
      end_time: outcome === null ? null : new Date(clock.now()).toISOString(),
      duration: outcome === null ? null : (clock.now() - started) / 1000,
      exception: outcome === null ? null : outcome.status !== "done",
    };
  };
  let saving: Promise<void> = Promise.resolve();
  let dirty = false;
  const save = (outcome: Outcome | null = null) => {
    dirty = false;
    record(outcome);
    const text = formatNotebook(notebook);
    const { outPath } = options;
    if (outPath !== undefined) saving = saving.then(() => writeAtomic(outPath, text));
    return saving;
  };
  await save(); // learns now, not after an hour, whether it can be written

  const marks = createMarks();
  const collector = createOutputCollector({ ...options, onMark: marks.receive });
  await using kernel = await startKernel({
    cwd: resolve(dirname(options.path)),
    clock,
    onMessage: (message) => {
      if (message.type === "stream" && marks.receiveLine(String(message.content.text))) return;
      if (!collector.receive(message)) return;
      marks.count();
      dirty = true;
    },
    ...(options.env && { env: options.env }),
    ...(options.onNativeOutput && { onNativeOutput: options.onNativeOutput }),
  });
  const side = JSON.stringify(new URL("./headless.ts", import.meta.url).href);
  const setup = await kernel.execute(`(await import(${side})).installHeadless()`, { silent: true }).reply;
  if (setup.status !== "ok") {
    throw new Error(`The kernel could not be made ready: ${setup.ename}: ${setup.evalue}`);
  }

  const stopping = stopOnAbort(kernel, marks, { ...options, graceMs: options.graceMs ?? 30_000, clock });
  const ticker = setInterval(() => {
    if (dirty) save().catch(() => {}); // the save after the cell throws the same
  }, SAVE_EVERY_MS);
  const stopAsked = () => options.signal?.aborted === true || options.killSignal?.aborted === true;
  let outcome: Outcome = { status: "done" };
  try {
    let number = 0;
    for (const cell of notebook.cells) {
      if (stopAsked()) break;
      if (cell.cell_type !== "code") continue;
      if (!hasTag(cell, INJECTED_TAG)) number++;
      if (cell.source.trim() === "") continue;
      const place = { number, firstLine: cell.source.trim().split("\n", 1)[0] as string };
      options.onCell?.(place);
      const failure = await runCell(kernel, cell, place, collector.begin, marks, clock);
      if (stopAsked()) break;
      if (failure !== null) {
        outcome = failure;
        break;
      }
      await save();
    }
    if (stopAsked()) {
      outcome = { status: "stopped", forced: await stopping.finished() };
    }
  } finally {
    clearInterval(ticker);
    stopping.dispose();
  }
  await save(outcome);
  return { outcome, notebook };
}

/** Runs one cell. @returns how it failed, or null. */
async function runCell(
  kernel: Kernel,
  cell: Cell,
  place: CellPlace,
  begin: (outputs: Output[]) => void,
  marks: Marks,
  clock: Clock,
): Promise<Outcome | null> {
  const outputs: Output[] = cell.outputs = [];
  begin(outputs);
  const started = clock.now();
  const finish = (status: "completed" | "failed") => {
    cell.metadata.papermill = {
      start_time: new Date(started).toISOString(),
      end_time: new Date(clock.now()).toISOString(),
      duration: (clock.now() - started) / 1000,
      status,
      exception: status === "failed",
    };
  };
  try {
    const reply = await kernel.execute(cell.source).reply;
    cell.execution_count = Number(reply.execution_count);
    await passFence(kernel, marks, clock);
    if (reply.status === "ok") {
      finish("completed");
      return null;
    }
    let error = outputs.find((output) => output.output_type === "error");
    if (error === undefined) {
      // Deno 2.9.6 says only "Execution failed" of a cell that it cannot parse.
      const problem = await syntaxProblem(cell.source);
      error = {
        output_type: "error",
        ename: problem === null ? String(reply.ename) : "SyntaxError",
        evalue: problem?.split("\n", 1)[0] ?? String(reply.evalue),
        traceback: (problem ?? `${reply.ename}: ${reply.evalue}`).split("\n"),
      };
    } else outputs.splice(outputs.indexOf(error), 1);
    outputs.push(error); // it ended the cell, though it may have overtaken what was printed before
    finish("failed");
    const { ename, evalue } = error as { ename?: string; evalue?: string };
    const lines = (error.traceback as string[]).join("\n").trim();
    return {
      status: "failed",
      cell: place,
      traceback: lines === "" ? `${ename}: ${evalue}` : lines,
      inputError: ename === "InputError" ? evalue ?? "" : null,
    };
  } catch (error) {
    if (!(error instanceof KernelDiedError)) throw error;
    outputs.push({
      output_type: "error",
      ename: error.name,
      evalue: error.message,
      traceback: [messageOf(error)],
    });
    finish("failed");
    return { status: "died", cell: place, message: error.message };
  }
}
