/**
 * What the tests of tasks share: tasks run as a person runs them.
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";

/** The repository's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A folder that goes when the test ends. */
export async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** How a task ended. */
export interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A task that is running, in a process group of its own. */
export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** Starts a task in a process group of its own, with the permissions that deno.json gives it. */
export function startTask(name: string, args: readonly string[], env: Record<string, string> = {}): Started {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=notebook", "--no-check", "--quiet", `tasks/${name.replaceAll("-", "_")}.ts`, ...args],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const ended = child.output().then(({ code, signal, stdout, stderr }) => ({
    code,
    signal,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  }));
  return { pid: child.pid, ended };
}

/** The rows of a CSV. */
export async function csv(path: string): Promise<Record<string, string>[]> {
  return parse(await Deno.readTextFile(path), { columns: true });
}

/** The names in a folder, sorted; none when it is not there. */
export function filesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Checks a notebook by Jupyter's own schema, where Jupyter is installed. */
export async function validate(path: string): Promise<void> {
  const code = "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=4))";
  for (const python of ["/usr/bin/python3", "python3"]) {
    const run = (...args: string[]) =>
      new Deno.Command(python, { args, stdout: "null", stderr: "piped" }).output().catch(() => null);
    if (!(await run("-c", "import nbformat"))?.success) continue;
    const checked = await run("-c", code, path);
    return assert.ok(checked?.success, new TextDecoder().decode(checked?.stderr));
  }
  console.log("nbformat is not installed: the notebook is not checked by Jupyter's schema.");
}

/** Waits for something to become true. */
export async function until(what: string, ready: () => boolean): Promise<void> {
  for (let i = 0; !ready(); i++) {
    assert.ok(i < 2000, `${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
