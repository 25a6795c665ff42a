/**
 * Deno kernels that Jupyter can find.
 * https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
 * @module
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";

/** The name notebooks ask for. */
export const KERNEL_NAME = "deno";

const specSchema = z.looseObject({ argv: z.array(z.string()), display_name: z.string() });

/** Where an installed kernel lies and what it starts. */
export interface InstalledKernel {
  /** The folder with its `kernel.json`. */
  readonly folder: string;
  /** The Deno it starts. */
  readonly deno: string;
}

/** Options of {@linkcode installKernel}. */
export interface InstallOptions {
  /** Jupyter's data folder; the user's own when left out. See {@linkcode jupyterFolder}. */
  readonly folder?: string;
  /** The Deno to start; this one when left out. */
  readonly deno?: string;
}

/** Jupyter's data folder: below an installation's prefix (a virtual environment), or the user's own. */
export function jupyterFolder(
  prefix?: string,
  env: (name: string) => string | undefined = Deno.env.get,
): string {
  if (prefix !== undefined) return join(prefix, "share", "jupyter");
  const own = env("JUPYTER_DATA_DIR");
  if (own) return own;
  const home = env("HOME") ?? homedir();
  if (Deno.build.os === "windows") return join(env("APPDATA") ?? home, "jupyter");
  if (Deno.build.os === "darwin") return join(home, "Library", "Jupyter");
  return join(env("XDG_DATA_HOME") || join(home, ".local", "share"), "jupyter");
}

/**
 * Writes a kernel named {@linkcode KERNEL_NAME}; one that lies there already is replaced. It asks Jupyter to interrupt
 * with a message, not a signal: a SIGINT would end Deno's kernel.
 *
 * When this Deno was run by `npx`, whose cache may be emptied at any time, a copy of it is laid beside the kernel
 * and started instead.
 *
 * @throws {InputError} when the folder cannot be written.
 */
export async function installKernel(options: InstallOptions = {}): Promise<InstalledKernel> {
  const folder = join(options.folder ?? jupyterFolder(), "kernels", KERNEL_NAME);
  const from = options.deno ?? Deno.execPath();
  const passing = /[\\/]_npx[\\/]/.test(from);
  const deno = passing ? join(folder, Deno.build.os === "windows" ? "deno.exe" : "deno") : from;
  const spec = {
    argv: [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: false },
  };
  try {
    await Deno.mkdir(folder, { recursive: true });
    if (passing) {
      // To a neighbour first: the copy that is there may be running.
      await Deno.copyFile(from, `${deno}.new`);
      await Deno.chmod(`${deno}.new`, 0o755).catch(() => {}); // Windows knows no modes
      await Deno.rename(`${deno}.new`, deno);
    }
  } catch (error) {
    throw new InputError(
      `Cannot install the kernel in ${folder}: ${messageOf(error)}. Choose a folder with --prefix.`,
      {
        cause: error,
      },
    );
  }
  await writeAtomic(join(folder, "kernel.json"), JSON.stringify(spec, null, 2) + "\n");
  return { folder, deno };
}

/** The installed kernel of that name, or null. @throws {InputError} when its `kernel.json` cannot be understood. */
export async function findKernel(folder: string = jupyterFolder()): Promise<InstalledKernel | null> {
  const path = join(folder, "kernels", KERNEL_NAME, "kernel.json");
  const text = await readTextIfExists(path);
  if (text === undefined) return null;
  try {
    const [deno = ""] = specSchema.parse(JSON.parse(text)).argv;
    return { folder: join(folder, "kernels", KERNEL_NAME), deno };
  } catch (error) {
    throw new InputError(`${path} is no kernel: ${messageOf(error)}. Remove its folder and install again.`, {
      cause: error,
    });
  }
}

/** Removes the installed kernel. @returns where it lay, or null when there was none. */
export async function removeKernel(folder: string = jupyterFolder()): Promise<string | null> {
  const found = await findKernel(folder);
  if (found === null) return null;
  await Deno.remove(found.folder, { recursive: true });
  return found.folder;
}
