/**
 * Notebook files: nbformat 4.5.
 * https://nbformat.readthedocs.io/en/latest/format_description.html
 * @module
 */
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";

const text = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(""))]);

const cellSchema = z.looseObject({
  cell_type: z.enum(["code", "markdown", "raw"]),
  id: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/).optional(),
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }),
  source: text,
});

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.int().min(0),
  metadata: z.looseObject({}),
  cells: z.array(cellSchema),
});

/** One output of a code cell, as nbformat has it. */
export type Output = Record<string, unknown> & {
  output_type: "stream" | "display_data" | "execute_result" | "error";
};

/** A cell. `source` is one text; `outputs` and `execution_count` are those of code cells. */
export interface Cell {
  /** What it holds. */
  cell_type: "code" | "markdown" | "raw";
  /** Unlike any other in the notebook. */
  id: string;
  /** Tags among others. */
  metadata: Record<string, unknown> & { tags?: string[] };
  /** Its code or text. */
  source: string;
  /** What a code cell gave. */
  outputs?: Output[];
  /** The number in its `In [ ]`; null when it was not run. */
  execution_count?: number | null;
  /** Whatever else the file holds, kept as it is. */
  [key: string]: unknown;
}

/** A notebook in memory. */
export interface Notebook {
  /** From top to bottom. */
  cells: Cell[];
  /** The kernel's and the language's, among others. */
  metadata: Record<string, unknown>;
}

/** The tag of the cell that holds a notebook's parameters. */
export const PARAMETERS_TAG = "parameters";
/** The tag of the cell with the values that replace them (papermill's convention). */
export const INJECTED_TAG = "injected-parameters";

/**
 * Reads a notebook. Outputs and execution counts are kept; cells of older formats get ids.
 *
 * @throws {InputError} when it is not a notebook of format 4.
 */
export function parseNotebook(json: string, name: string): Notebook {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new InputError(`${name} is not a notebook: ${messageOf(error)}. Give an .ipynb file.`, {
      cause: error,
    });
  }
  const parsed = notebookSchema.safeParse(value);
  if (!parsed.success) {
    throw new InputError(
      `${name} is not a notebook of format 4: ${z.prettifyError(parsed.error)}. Save it again from Jupyter.`,
      { cause: parsed.error },
    );
  }
  const taken = new Set<string>();
  const cells = parsed.data.cells.map((cell, i): Cell => {
    const id = freshId(cell.id ?? sha256(`${i}\n${cell.source}`).slice(0, 8), taken);
    const { outputs, execution_count, ...rest } = cell;
    if (cell.cell_type !== "code") return { ...rest, id } as Cell;
    return { ...rest, id, execution_count: execution_count ?? null, outputs: outputs ?? [] } as Cell;
  });
  return { cells, metadata: parsed.data.metadata };
}

/** The notebook's text as nbformat 4.5: texts as lists of lines, as Jupyter writes them. */
export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => ({
    ...cell,
    source: splitLines(cell.source),
    ...(cell.outputs === undefined ? {} : { outputs: cell.outputs.map(formatOutput) }),
  }));
  return JSON.stringify({ cells, metadata: notebook.metadata, nbformat: 4, nbformat_minor: 5 }, null, 1) +
    "\n";
}

/** Whether a cell bears a tag. */
export function hasTag(cell: Cell, tag: string): boolean {
  return cell.metadata.tags?.includes(tag) ?? false;
}

function formatOutput(output: Output): Output {
  if (output.output_type === "stream") return { ...output, text: splitLines(String(output.text)) };
  if (output.data === undefined) return output;
  const data = Object.entries(output.data as Record<string, unknown>).map(([mime, value]) => {
    const lines = typeof value === "string" && /^text\/|^image\/svg|^application\/javascript$/.test(mime);
    return [mime, lines ? splitLines(value) : value];
  });
  return { ...output, data: Object.fromEntries(data) };
}

function splitLines(source: string): string[] {
  return source.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function freshId(wanted: string, taken: Set<string>): string {
  let id = wanted;
  for (let i = 2; taken.has(id); i++) id = `${wanted.slice(0, 60)}-${i}`;
  taken.add(id);
  return id;
}
