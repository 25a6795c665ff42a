/**
 * `deno task lab`: the notebooks in Jupyter, with a Deno kernel.
 * @module
 */
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { snakeName } from "../lib/backends/variants.ts";
import { InputError } from "../lib/base/errors.ts";
import { findJupyter, JUPYTER_ADVICE } from "../lib/notebooks/find_jupyter.ts";
import { installKernel } from "../lib/notebooks/kernelspec.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";

const USAGE = `deno task lab [NOTEBOOK] [-- JUPYTER FLAGS]

Opens JupyterLab, or Jupyter Notebook where that is all there is, in this folder: deno task lab niah.
The kernel it uses is its own; nothing is installed. Further flags go to Jupyter: deno task lab -- --no-browser`;

const root = fileURLToPath(new URL("..", import.meta.url));

async function main(): Promise<number> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const cut = Deno.args.indexOf("--");
  const [name, ...more] = cut < 0 ? Deno.args : Deno.args.slice(0, cut);
  if (name?.startsWith("-") || more.length > 0) throw new InputError(USAGE);
  const notebook = name === undefined
    ? "notebooks"
    : join("notebooks", `${snakeName(name.replace(/\.ipynb$/, ""))}.ipynb`);
  if (!await Deno.stat(join(root, notebook)).then(() => true, () => false)) {
    const names = (await Array.fromAsync(Deno.readDir(join(root, "notebooks")))).map(({ name }) => name)
      .filter((name) => name.endsWith(".ipynb"));
    throw new InputError(
      `There is no notebook ${notebook}: there are ${
        names.sort().map((name) => name.slice(0, -6)).join(", ")
      }.`,
    );
  }
  const jupyter = findJupyter();
  if (jupyter === null) throw new InputError(JUPYTER_ADVICE);
  const kernels = await Deno.makeTempDir({ prefix: "probebook-lab-" });
  // Ctrl+C is Jupyter's: it asks whether its kernels may go.
  Deno.addSignalListener("SIGINT", () => {});
  try {
    await installKernel({ folder: kernels });
    const known = Deno.env.get("JUPYTER_PATH");
    const { code } = await new Deno.Command(jupyter.path, {
      args: [...(name === undefined ? [] : [notebook]), ...(cut < 0 ? [] : Deno.args.slice(cut + 1))],
      cwd: root,
      env: { JUPYTER_PATH: known ? kernels + delimiter + known : kernels },
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(kernels, { recursive: true });
  }
}

await setExitCode(main);
