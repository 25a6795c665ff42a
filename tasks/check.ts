/**
 * `deno task check`: format, lint, types of the code and of the notebooks' cells, documentation, notebooks without
 * outputs. Shows everything that is wrong, not the first thing alone; exits with 1 when something is.
 * @module
 */
import { join } from "node:path";
import { checkNotebooks } from "../lib/notebooks/check_cells.ts";

const root = new URL("..", import.meta.url);
Deno.chdir(root);

/** Runs Deno; gives what it printed when it failed, else nothing. */
async function deno(...args: string[]): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return success ? [] : [(decoder.decode(stdout) + decoder.decode(stderr)).replace(/^Check .*\n/gm, "")];
}

/**
 * What `deno doc --lint` says that cannot be heeded: types that zod infers can be neither exported nor written out, and
 * types of packages (zod's schemas, Plot's marks) are not ours to export.
 */
const OF_PACKAGES =
  /references private type '(?:output|ZodType|Markish)'|\[missing-explicit-type\][^]*\bexport const \w*[sS]chema\b/;

/** `deno doc --lint`, but for {@linkcode OF_PACKAGES}. */
async function documentation(files: readonly string[]): Promise<string[]> {
  const [text] = await deno("doc", "--lint", ...files);
  if (text === undefined) return [];
  const blocks = text.split(/^(?=error\[)/m).filter((block) => block.startsWith("error["));
  if (blocks.length === 0) return [text];
  return blocks.filter((block) => !OF_PACKAGES.test(block)).map((block) =>
    block.replace(/^error: Found[^]*/m, "").trim()
  );
}

const sources = ["lib", "tasks", "bench", "models", "tests"].filter(exists);
const modules = sources.includes("lib")
  ? await walk(
    "lib",
    (path) => path.endsWith(".ts") && !path.endsWith("_test.ts") && !/(^|\/)testing[/.]/.test(path),
  )
  : [];
const notebooks = exists("notebooks") ? await walk("notebooks", (path) => path.endsWith(".ipynb")) : [];

const steps: readonly [string, () => Promise<string[]>][] = [
  ["format", () => deno("fmt", "--check")],
  ["lint", () => deno("lint")],
  ["types", () => deno("check", ...sources)],
  ["notebooks", () => checkNotebooks(notebooks)],
  ["documentation", () => documentation(modules)],
];

let failed = 0;
for (const [name, run] of steps) {
  const started = performance.now();
  const problems = await run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "  "));
  if (problems.length > 0) failed++;
}
console.log(failed === 0 ? "All checks passed." : `${failed} of ${steps.length} checks failed.`);
Deno.exit(failed === 0 ? 0 : 1);

/** The paths of all files below a folder that are to be kept, sorted; hidden folders are left out. */
async function walk(folder: string, keep: (path: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory && !entry.name.startsWith(".")) found.push(...await walk(path, keep));
    else if (entry.isFile && keep(path)) found.push(path);
  }
  return found.sort();
}

function exists(folder: string): boolean {
  try {
    return Deno.statSync(folder).isDirectory;
  } catch {
    return false;
  }
}
