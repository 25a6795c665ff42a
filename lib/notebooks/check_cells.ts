/**
 * Checks notebooks as they are written: their form, and the code in their cells, which `deno check`, `deno lint` and
 * `deno fmt` do not read.
 * @module
 */
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "../base/errors.ts";
import { hasTag, type Notebook, PARAMETERS_TAG, parseNotebook } from "./notebook.ts";

/** A notebook's code as one module, and the way back from its lines. */
export interface CellModule {
  /** All code cells, one after the other. */
  readonly code: string;
  /** `cell 3 line 2` for a line of `code`, 1 being the first. */
  place(line: number): string;
}

/** Joins a notebook's code cells to a module. Cells are counted as `executeNotebook` does: code cells, from 1. */
export function toModule(notebook: Notebook): CellModule {
  const lines: string[] = [];
  const places: string[] = [];
  notebook.cells.filter((cell) => cell.cell_type === "code").forEach((cell, i) => {
    cell.source.split("\n").forEach((line, k) => {
      lines.push(line);
      places.push(`cell ${i + 1} line ${k + 1}`);
    });
  });
  return {
    code: [...lines, "export {};", ""].join("\n"),
    place: (line) => places[line - 1] ?? places.at(-1) ?? "cell 1 line 1",
  };
}

/** What is wrong with the form of a notebook that is to be kept: format, ids, parameters cell, outputs left in it. */
export function formProblems(json: string, name: string): string[] {
  let notebook: Notebook;
  try {
    notebook = parseNotebook(json, name);
  } catch (error) {
    return [messageOf(error)];
  }
  const raw = JSON.parse(json) as { nbformat_minor: number; cells: { id?: string }[] };
  const problems: string[] = [];
  if (raw.nbformat_minor < 5) problems.push(`format 4.${raw.nbformat_minor}: save it as 4.5`);
  if (raw.cells.some((cell, i) => cell.id !== notebook.cells[i]?.id)) {
    problems.push("a cell lacks an id of its own");
  }
  const code = notebook.cells.filter((cell) => cell.cell_type === "code");
  if (!code.some((cell) => hasTag(cell, PARAMETERS_TAG))) {
    problems.push(`no cell is tagged "${PARAMETERS_TAG}"`);
  }
  code.forEach((cell, i) => {
    if ((cell.outputs?.length ?? 0) > 0) problems.push(`cell ${i + 1} holds outputs: clear them`);
    if (cell.execution_count !== null) problems.push(`cell ${i + 1} holds an execution count: clear it`);
  });
  return problems.map((problem) => `${name}: ${problem}`);
}

/** Options of {@linkcode checkNotebooks}. */
export interface CheckNotebooksOptions {
  /** The folder whose `deno.json` says how code is formatted and linted; the current one when left out. */
  readonly root?: string;
}

/**
 * Checks the form, types, lint and format of notebooks. The cells are written for a moment as a module beside their
 * notebook, so that imports resolve as they do in the kernel.
 *
 * @returns one text for each problem, or a block of them as Deno prints it, with places like
 * `notebooks/niah.ipynb cell 3 line 2`; empty when all is well.
 */
export async function checkNotebooks(
  paths: readonly string[],
  options: CheckNotebooksOptions = {},
): Promise<string[]> {
  const root = options.root ?? Deno.cwd();
  const problems: string[] = [];
  const modules: { file: string; path: string; module: CellModule }[] = [];
  try {
    for (const path of paths) {
      const json = await Deno.readTextFile(join(root, path));
      problems.push(...formProblems(json, path));
      let notebook: Notebook;
      try {
        notebook = parseNotebook(json, path);
      } catch {
        continue; // told above
      }
      problems.push(...await formatProblems(notebook, path, root));
      const module = toModule(notebook);
      const file = join(root, dirname(path), `.check_${basename(path, ".ipynb")}_${Deno.pid}.ts`);
      await Deno.writeTextFile(file, module.code);
      modules.push({ file, path, module });
    }
    if (modules.length === 0) return problems;
    const files = modules.map(({ file }) => file);
    for (const args of [["check", ...files], ["lint", "--compact", ...files]]) {
      const { success, text } = await deno(args, root);
      if (!success) problems.push(modules.reduce(withPlaces, text));
    }
    return problems;
  } finally {
    for (const { file } of modules) await Deno.remove(file).catch(() => {});
  }
}

/** Puts a notebook's places where Deno names its module. */
function withPlaces(
  text: string,
  { file, path, module }: { file: string; path: string; module: CellModule },
): string {
  const names = [pathToFileURL(file).href, file].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("|");
  return text
    .replace(/^Check .*\n/gm, "")
    .replace(
      new RegExp(`(?:${names}):(?: line )?(\\d+)(?:, col |:)(\\d+)`, "g"),
      (_, line, column) => `${path} ${module.place(Number(line))} column ${column}`,
    )
    .trim();
}

/** Which cells `deno fmt` would change. */
async function formatProblems(notebook: Notebook, path: string, root: string): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "probebook-fmt-" });
  try {
    const cells = notebook.cells.filter((cell) => cell.cell_type === "code");
    const fileOf = (i: number) => join(folder, `cell_${i + 1}.ts`);
    for (const [i, cell] of cells.entries()) await Deno.writeTextFile(fileOf(i), cell.source + "\n");
    if (cells.length > 0) await deno(["fmt", "--config", join(root, "deno.json"), folder], root);
    const problems: string[] = [];
    for (const [i, cell] of cells.entries()) {
      const formatted = (await Deno.readTextFile(fileOf(i))).trimEnd();
      if (formatted !== cell.source) {
        problems.push(`${path} cell ${i + 1} is not formatted; deno fmt gives:\n${formatted}`);
      }
    }
    return problems;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function deno(args: readonly string[], cwd: string): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
