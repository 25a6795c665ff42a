import assert from "node:assert/strict";
import { join } from "node:path";
import { executeNotebook } from "./execute_notebook.ts";
import { makeNotebook } from "./testing/make_notebook.ts";

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
const JUPYTER = ["/usr/bin/jupyter-nbconvert", "/usr/local/bin/jupyter-nbconvert"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});
if (JUPYTER === undefined) {
  console.log("jupyter-nbconvert is not installed: the test with Jupyter itself is skipped.");
}

Deno.test({
  name: "a notebook gives the same outputs headless and through Jupyter, and Jupyter reads what was executed",
  ignore: JUPYTER === undefined,
  async fn() {
    await using made = await makeNotebook([
      { source: "const seed = 7;\nlet name = 'x';", tags: ["parameters"] },
      `import { show, table } from ${url("./show.ts")};`,
      "await show(`${seed} ${name}`)",
      "await show([{ seed, note: '<b>' }])",
      "console.log('printed'); await show({ svg: '<svg xmlns=\"http://www.w3.org/2000/svg\"/>', alt: 'nothing', png: new Uint8Array([1]) })",
    ]);
    const mine = await executeNotebook({
      path: made.path,
      outPath: made.out,
      parameters: { seed: 8, name: "é" },
    });
    assert.deepEqual(mine.outcome, { status: "done" });

    const kernels = join(made.folder, "share", "jupyter");
    await Deno.mkdir(join(kernels, "kernels", "deno"), { recursive: true });
    await Deno.writeTextFile(
      join(kernels, "kernels", "deno", "kernel.json"),
      JSON.stringify({
        argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
        display_name: "Deno",
        language: "typescript",
        interrupt_mode: "message",
      }),
    );
    const jupyter = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command(JUPYTER as string, {
        args,
        env: { JUPYTER_PATH: kernels, NO_COLOR: "1", HOME: made.folder },
        stdout: "null",
        stderr: "piped",
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    };
    await jupyter(
      "--to",
      "notebook",
      "--execute",
      "--output",
      "again.ipynb",
      "--output-dir",
      made.folder,
      made.out,
    );
    await jupyter("--to", "html", "--output-dir", made.folder, made.out);

    const read = async (path: string) =>
      JSON.parse(await Deno.readTextFile(path)).cells.map((cell: { outputs: unknown[] }) => cell.outputs);
    assert.deepEqual(await read(join(made.folder, "again.ipynb")), await read(made.out));
  },
});
