/**
 * An executed notebook as it is given away: whole, and without what changes from run to run or is private.
 * @module
 */
import { METADATA_KEY } from "../notebooks/headless.ts";
import { type Cell, hasTag, INJECTED_TAG, type Notebook, type Output } from "../notebooks/notebook.ts";
import { scrubJson } from "./scrub.ts";

/** Why a notebook cannot be published; empty when it can. */
export function publishProblems(notebook: Notebook): string[] {
  const problems: string[] = [];
  let number = 0;
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    if (!hasTag(cell, INJECTED_TAG)) number++;
    if (cell.source.trim() === "") continue;
    const place = `cell ${number} (${cell.source.trim().split("\n", 1)[0]})`;
    const outputs = cell.outputs ?? [];
    const error = outputs.find((output) => output.output_type === "error");
    if (error !== undefined) {
      problems.push(`${place} ended in an error: ${error["ename"]}: ${error["evalue"]}`);
    } else if (cell.execution_count === null || cell.execution_count === undefined) {
      problems.push(`${place} was not executed`);
    } else if (shows(cell) && !outputs.some(isShown)) {
      problems.push(`${place} shows something, but its output is missing`);
    }
  }
  if (number === 0) problems.push("it holds no code");
  return problems;
}

/** Whether a cell shows something whatever happens: at the beginning of a line, in no loop or condition. */
function shows(cell: Cell): boolean {
  return /^(?:await\s+)?(?:show|live)\s*\(/m.test(cell.source);
}

function isShown(output: Output): boolean {
  if (output.output_type !== "display_data" && output.output_type !== "execute_result") return false;
  return Object.keys((output["data"] ?? {}) as Record<string, unknown>).length > 0;
}

/** Lines of a board that tell of time, and those that name no result. */
const PASSING = /^\s+(time|in flight|last|tokens)\s/;
/** Lines that say what is being done. */
const PROGRESS = /^(Running|Skipping|Failed:) .*\b(inference|evaluation|visualization)\b.*$\n?/gm;
/** Log lines: they say when, and how far something has come. */
const LOGGED = /^\[\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\] .*$\n?/gm;

/**
 * The notebook to be published: times, live boards' passing lines, log lines and progress lines are taken out, so that the same
 * results give the same bytes; every text is scrubbed.
 */
export function publishedNotebook(notebook: Notebook, scrub: (text: string) => string): Notebook {
  const { papermill, ...metadata } = notebook.metadata;
  const parameters = (papermill as { readonly parameters?: unknown } | undefined)?.parameters;
  const cells = notebook.cells.map((cell) => {
    const { papermill: _, ...own } = cell.metadata;
    if (cell.cell_type !== "code") return { ...cell, metadata: own };
    return { ...cell, metadata: own, outputs: (cell.outputs ?? []).flatMap(lasting) };
  });
  return scrubJson({
    cells,
    metadata: { ...metadata, ...(parameters === undefined ? {} : { papermill: { parameters } }) },
  }, scrub);
}

function lasting(output: Output): Output[] {
  if (output.output_type === "stream") {
    const text = textOf(output["text"]).replace(LOGGED, "").replace(PROGRESS, "");
    return text.trim() === "" ? [] : [{ ...output, text }];
  }
  const mark = (output["metadata"] as Record<string, unknown> | undefined)?.[METADATA_KEY] as {
    board?: boolean;
  } | undefined;
  if (mark?.board !== true) return [output];
  const board = textOf((output["data"] as Record<string, unknown>)["text/plain"]);
  const text = board.split("\n").filter((line) => !PASSING.test(line)).join("\n");
  return [{ ...output, data: { "text/plain": text }, metadata: {} }];
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join("") : String(value ?? "");
}
