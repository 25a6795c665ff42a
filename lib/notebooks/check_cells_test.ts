import assert from "node:assert/strict";
import { checkNotebooks, formProblems } from "./check_cells.ts";
import { makeNotebook, notebookJson } from "./testing/make_notebook.ts";

const PARAMETERS = { source: "const seed: number = 1;", tags: ["parameters"] };

async function check(cells: Parameters<typeof makeNotebook>[0]): Promise<string[]> {
  await using made = await makeNotebook(cells);
  await Deno.writeTextFile(`${made.folder}/deno.json`, '{ "fmt": { "lineWidth": 110 } }');
  await Deno.writeTextFile(`${made.folder}/near.ts`, "export const near: number = 1;\n");
  const problems = await checkNotebooks(["test.ipynb"], { root: made.folder });
  const left = [...Deno.readDirSync(made.folder)].map((entry) => entry.name).sort();
  assert.deepEqual(left, ["deno.json", "near.ts", "test.ipynb"], "nothing is left behind");
  return problems;
}

Deno.test("checkNotebooks() finds nothing wrong with a good notebook that imports its neighbour", async () => {
  assert.deepEqual(
    await check([PARAMETERS, 'import { near } from "./near.ts";\nconsole.log(near + seed);']),
    [],
  );
});

Deno.test("checkNotebooks() names cell and line of a type error, a lint problem and a cell that is not formatted", async () => {
  const problems = (await check([
    PARAMETERS,
    'const text = "x";\nconst wrong: number = text;\nconsole.log(wrong, seed);',
    "if (seed) {\n  debugger;\n}",
    "console.log( seed )",
  ])).join("\n");
  assert.match(problems, /TS2322.*[^]*test\.ipynb cell 2 line 2 column 7/);
  assert.match(problems, /test\.ipynb cell 3 line 2 column 3 - .*debugger/);
  assert.match(problems, /test\.ipynb cell 4 is not formatted; deno fmt gives:\nconsole\.log\(seed\);/);
  assert.doesNotMatch(problems, /\.check_/);
});

Deno.test("formProblems() wants format 4.5, ids, a parameters cell, and no outputs", () => {
  assert.deepEqual(formProblems(notebookJson([PARAMETERS]), "a.ipynb"), []);
  const notebook = JSON.parse(notebookJson(["1", "2"]));
  notebook.nbformat_minor = 2;
  delete notebook.cells[0].id;
  notebook.cells[1].outputs = [{ output_type: "stream", name: "stdout", text: "x" }];
  notebook.cells[1].execution_count = 3;
  assert.deepEqual(formProblems(JSON.stringify(notebook), "a.ipynb"), [
    "a.ipynb: format 4.2: save it as 4.5",
    "a.ipynb: a cell lacks an id of its own",
    'a.ipynb: no cell is tagged "parameters"',
    "a.ipynb: cell 2 holds outputs: clear them",
    "a.ipynb: cell 2 holds an execution count: clear it",
  ]);
  assert.match(formProblems("{", "a.ipynb")[0] ?? "", /not a notebook/);
});
