/**
 * `deno task kernel`: lets Jupyter find Deno's kernel.
 * @module
 */
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError, messageOf } from "../lib/base/errors.ts";
import { findKernel, installKernel, jupyterFolder, removeKernel } from "../lib/notebooks/kernelspec.ts";

const USAGE = `deno task kernel [--prefix DIR] [--list | --remove]

Installs a Jupyter kernel named "deno" for this user, or into the installation at DIR (a virtual environment).
  --list     says what is installed
  --remove   removes it`;

async function main(): Promise<void> {
  const flags = readFlags();
  if (flags.help) return console.log(USAGE);
  const folder = jupyterFolder(flags.prefix);
  if (flags.list) {
    const found = await findKernel(folder);
    return console.log(
      found === null ? `No kernel "deno" in ${folder}.` : `${found.folder}\n  starts ${found.deno}`,
    );
  }
  if (flags.remove) {
    const removed = await removeKernel(folder);
    return console.log(removed === null ? `No kernel "deno" in ${folder}.` : `Removed ${removed}`);
  }
  const { folder: where, deno } = await installKernel({ folder });
  console.log(`Installed the kernel "deno" in ${where}\n  it starts ${deno}`);
  if (deno !== Deno.execPath()) {
    console.log(
      `  a copy of ${Deno.execPath()}, which npx may remove: run this again after an update of Deno`,
    );
  }
  console.log("Open a notebook with: jupyter notebook notebooks/");
}

function readFlags() {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        prefix: { type: "string" },
        list: { type: "boolean" },
        remove: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.list && values.remove) throw new Error("--list and --remove cannot be given together");
    return values;
  } catch (error) {
    throw new InputError(`${messageOf(error)}\n\n${USAGE}`, { cause: error });
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exit(INPUT_ERROR_EXIT);
}
