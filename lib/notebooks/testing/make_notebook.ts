/**
 * Notebooks made by tests.
 * @module
 */
import { join } from "node:path";

/** A cell of a test notebook: its code, or its code and tags. */
export type TestCell = string | { readonly source: string; readonly tags?: readonly string[] };

/** The JSON of a notebook with these code cells. */
export function notebookJson(cells: readonly TestCell[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { name: "typescript", file_extension: ".ts", mimetype: "text/x.typescript" },
    },
    cells: cells.map((cell, i) => ({
      cell_type: "code",
      id: `cell-${i + 1}`,
      metadata: typeof cell === "string" ? {} : { tags: cell.tags ?? [] },
      source: typeof cell === "string" ? cell : cell.source,
      execution_count: null,
      outputs: [],
    })),
  });
}

/** A folder with a notebook of these code cells in it, gone when disposed of. */
export async function makeNotebook(
  cells: readonly TestCell[],
): Promise<AsyncDisposable & { readonly folder: string; readonly path: string; readonly out: string }> {
  const folder = await Deno.makeTempDir({ prefix: "probebook-notebook-" });
  const path = join(folder, "test.ipynb");
  await Deno.writeTextFile(path, notebookJson(cells));
  return {
    folder,
    path,
    out: join(folder, "out", "executed.ipynb"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
