/**
 * A results folder with a small simulated run and its executed notebook, for tests of pages.
 * @module
 */
import { join } from "node:path";
import { startNiah } from "../../context_rot/start_niah.ts";
import { formatNotebook, type Output } from "../../notebooks/notebook.ts";

/** What {@linkcode makeResults} puts in. */
export interface SampleOptions {
  /** Further outputs of the notebook's cell. */
  readonly outputs?: readonly Output[];
  /** Lengths in tokens. */
  readonly lengths?: readonly number[];
  /** Rows for each cell of the grid. */
  readonly trials?: number;
}

/** Runs NIAH on a simulated variant into a folder, and lays an executed notebook beside it that shows its figure. */
export async function makeResults(results: string, options: SampleOptions = {}): Promise<void> {
  const { lengths = [200, 400], trials = 2, outputs = [] } = options;
  const run = await startNiah({
    model: "simulated",
    test: true,
    lengths,
    depths: [0, 50, 100],
    trials,
    results,
  }, { log: () => {} });
  const [result] = await run.done;
  const figure = result?.report?.figures["heatmap"];
  if (result === undefined || figure === undefined) throw new Error("The simulated run gave no figure");
  const code = { metadata: {}, execution_count: 1 };
  const notebook = {
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      papermill: {
        parameters: { model: "simulated", test: true, results },
        input_path: "niah.ipynb",
        start_time: new Date().toISOString(),
      },
    },
    cells: [
      { cell_type: "markdown" as const, id: "title", metadata: {}, source: "# A needle\n\n**Is it found?**" },
      {
        cell_type: "code" as const,
        id: "parameters",
        ...code,
        metadata: { tags: ["parameters"] },
        source: "const test = true;",
        outputs: [],
      },
      {
        cell_type: "code" as const,
        id: "figure",
        ...code,
        source: "await show(figure);",
        outputs: [
          {
            output_type: "stream" as const,
            name: "stdout",
            text: `[${"2026-01-31 10:15:00"}] Running niah simulated inference...\n${results}/x.csv\n`,
          },
          {
            output_type: "display_data" as const,
            metadata: {},
            data: { "image/svg+xml": figure.svg, "image/png": "iVBORw0KGgo=", "text/plain": figure.alt },
          },
          ...outputs,
        ],
      },
    ],
  };
  await Deno.writeTextFile(join(results, "test_simulated_niah.ipynb"), formatNotebook(notebook));
}

/** Every file below a folder, by its path from there, in order. */
export async function filesBelow(folder: string, prefix = ""): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = (await Array.fromAsync(Deno.readDir(join(folder, prefix)))).sort((a, b) =>
    a.name < b.name ? -1 : 1
  );
  for (const { name, isDirectory } of entries) {
    const path = join(prefix, name);
    if (!isDirectory) files.set(path, await Deno.readTextFile(join(folder, path)));
    else for (const [inner, text] of await filesBelow(folder, path)) files.set(inner, text);
  }
  return files;
}
