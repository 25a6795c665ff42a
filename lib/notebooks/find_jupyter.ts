/**
 * The Jupyter that is installed here.
 * @module
 */
import { delimiter, join } from "node:path";

/** A Jupyter that opens notebooks in a browser. */
export interface Jupyter {
  /** The program. */
  readonly path: string;
  /** `lab` or `notebook`. */
  readonly kind: "lab" | "notebook";
}

/** JupyterLab where there is one, else Notebook, else null. Looks through PATH alone. */
export function findJupyter(path: string = Deno.env.get("PATH") ?? ""): Jupyter | null {
  const ending = Deno.build.os === "windows" ? ".exe" : "";
  for (const kind of ["lab", "notebook"] as const) {
    for (const folder of path.split(delimiter)) {
      const program = join(folder, `jupyter-${kind}${ending}`);
      if (folder !== "" && isFile(program)) return { path: program, kind };
    }
  }
  return null;
}

/** How to get it, for people. */
export const JUPYTER_ADVICE: string = [
  "Jupyter is not installed. Any of these gets it; then start deno task lab again:",
  "  uv tool install jupyterlab",
  "  pipx install jupyterlab",
  "  apt-get install jupyter-notebook    (Debian, Ubuntu)",
  "  brew install jupyterlab             (macOS)",
  "VS Code opens the notebooks too, with its Jupyter extension, after deno task kernel.",
  "Without any of them every notebook runs headless: deno task niah --test",
].join("\n");

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
