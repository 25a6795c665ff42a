import assert from "node:assert/strict";
import { join } from "node:path";
import { CHROMIUM, startChromium } from "../site/testing/chromium.ts";
import { findJupyter } from "./find_jupyter.ts";
import { installKernel } from "./kernelspec.ts";
import { makeNotebook } from "./testing/make_notebook.ts";

const jupyter = findJupyter();
const classic = jupyter?.kind === "notebook" ? jupyter.path : null;
if (classic === null) {
  console.log("Jupyter Notebook is not installed: the test that clicks through a notebook in it is skipped.");
}

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

function freePort(): Deno.NetAddr {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr;
}

/** Starts Jupyter in a folder; gives its address. */
async function startJupyter(folder: string): Promise<AsyncDisposable & { readonly url: string }> {
  await installKernel({ folder: join(folder, "jupyter") });
  const { port } = freePort();
  const child = new Deno.Command(classic as string, {
    args: [
      "--no-browser",
      "--allow-root",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--NotebookApp.token=",
      "--NotebookApp.password=",
      `--notebook-dir=${folder}`,
    ],
    env: {
      JUPYTER_PATH: join(folder, "jupyter"),
      HOME: folder,
      JUPYTER_RUNTIME_DIR: join(folder, "runtime"),
      NO_COLOR: "1",
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = "";
  for (
    let at: RegExpExecArray | null = null;
    at === null;
    at = /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)\//.exec(text)
  ) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`Jupyter did not start:\n${text}`);
    text += value;
  }
  const reading = (async () => {
    while (!(await lines.next()).done); // it must not wait for a reader
  })();
  return {
    url: `http://127.0.0.1:${/:(\d+)\//.exec(text)?.[1]}/`, // another where ours was taken meanwhile
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await reading;
    },
  };
}

Deno.test({
  name:
    "Jupyter Notebook in Chromium runs a notebook by clicks, shows its live board, and stops the run by run.stop()",
  ignore: CHROMIUM === undefined || classic === null,
  async fn() {
    await using made = await makeNotebook([
      `import { startNiah } from ${url("../context_rot/start_niah.ts")};\nimport { runBoard } from ${
        url("../runs/board.ts")
      };\n` +
      `import { live } from ${url("./live.ts")};\nimport { show } from ${url("./show.ts")};`,
      "const run = await startNiah({ model: 'pocket', test: true, lengths: [1000, 2000, 3000], trials: 200, results: './results' }, { log: () => {} });\n" +
      "await live(run, runBoard);",
      "const [ended] = await run.stop(); await show(`stopped by ${ended.stoppedBy} after ${ended.done} rows`);",
    ]);
    // Cells import from the repository, whose packages are named in its deno.json.
    for (const file of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(new URL(`../../${file}`, import.meta.url), join(made.folder, file));
    }
    await using server = await startJupyter(made.folder);
    await using browser = await startChromium();
    const tab = await browser.open();
    await tab.look({ width: 1440 });
    await tab.goto(`${server.url}notebooks/test.ipynb`);
    await tab.until("globalThis.Jupyter?.notebook?.kernel?.is_connected()", "the kernel", 60_000);
    const run = async () => {
      const before = await tab.evaluate<number>("Jupyter.notebook.get_selected_index()");
      await tab.click('button[data-jupyter-action="jupyter-notebook:run-cell-and-select-next"]');
      await tab.until(
        `Jupyter.notebook.get_selected_index() !== ${before} || ${before} === Jupyter.notebook.ncells() - 1`,
        "the next cell",
      );
    };
    await tab.evaluate("void Jupyter.notebook.select(0)");
    await run();
    await run();
    const board = "[...document.querySelectorAll('.output_area')].map((e) => e.textContent).join(' ')";
    await tab.until(
      `/niah pocket inference/.test(${board}) && /[1-9]\\d* of 6,?600 done|[1-9]\\d* of [\\d,]+ done/.test(${board})`,
      "the live board",
      60_000,
    );
    const first = await tab.evaluate<string>(board);
    await tab.until(`${board} !== ${JSON.stringify(first)}`, "the board's next state", 30_000);
    await run();
    await tab.until(`/stopped by user after [1-9]\\d* rows/.test(${board})`, "the end of the run", 60_000);
    await tab.until(`/niah pocket stopped/.test(${board})`, "the board's last state", 20_000);
    const done = Number(/stopped by user after (\d+) rows/.exec(await tab.evaluate<string>(board))?.[1]);
    const attempts =
      (await Deno.readTextFile(join(made.folder, "results", "test_pocket_niah_attempts.jsonl"))).trim().split(
        "\n",
      );
    assert.equal(attempts.length - 1, done, "every row that was done is in its file");
    await tab.evaluate("void Jupyter.notebook.kernel.kill()");
  },
});
