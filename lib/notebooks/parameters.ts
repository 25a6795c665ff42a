/**
 * Parameters of a notebook: constants of the cell tagged `parameters`, replaced by a cell tagged
 * `injected-parameters` behind it (the convention of papermill).
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import { type Cell, hasTag, INJECTED_TAG, type Notebook, PARAMETERS_TAG } from "./notebook.ts";

/** Values by the names of the constants they replace. */
export type Parameters = Readonly<Record<string, Json>>;

/**
 * What a parameters cell declares, by name: `const name = ...` or `let name = ...` at the beginning of a line,
 * one a line.
 */
export function declaredParameters(source: string): Map<string, "const" | "let"> {
  const found = source.matchAll(/^(const|let)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)/gmu);
  return new Map([...found].map(([, keyword, name]) => [name as string, keyword as "const" | "let"]));
}

/**
 * The notebook with a cell of new values behind its parameters cell; a copy, without any earlier injected cell.
 * A Deno kernel lets a later cell declare a name again with the same keyword, so the notebook runs by hand as well.
 *
 * @throws {InputError} when there is no parameters cell, or it does not declare a name.
 */
export function injectParameters(notebook: Notebook, parameters: Parameters, name: string): Notebook {
  const cells = notebook.cells.filter((cell) => !hasTag(cell, INJECTED_TAG));
  const wanted = Object.keys(parameters);
  if (wanted.length === 0) return { ...notebook, cells };
  const at = cells.findIndex((cell) => cell.cell_type === "code" && hasTag(cell, PARAMETERS_TAG));
  if (at < 0) {
    throw new InputError(
      `${name} has no cell tagged "${PARAMETERS_TAG}": tag the cell that declares ${wanted.join(", ")}.`,
    );
  }
  const declared = declaredParameters((cells[at] as Cell).source);
  const unknown = wanted.filter((key) => !declared.has(key));
  if (unknown.length > 0) {
    throw new InputError(
      `${name} has no parameter ${unknown.join(", ")}: its parameters cell declares ${
        [...declared.keys()].join(", ") || "nothing"
      }.`,
    );
  }
  const injected: Cell = {
    cell_type: "code",
    id: cells.some((cell) => cell.id === INJECTED_TAG) ? `${INJECTED_TAG}-2` : INJECTED_TAG,
    metadata: { tags: [INJECTED_TAG] },
    source: "// Parameters\n" +
      wanted.map((key) => `${declared.get(key)} ${key} = ${toLiteral(parameters[key] as Json)};`).join("\n"),
    execution_count: null,
    outputs: [],
  };
  return { ...notebook, cells: cells.toSpliced(at + 1, 0, injected) };
}

/**
 * A value as a TypeScript expression that evaluates to it and to nothing else, whatever its strings hold;
 * safe inside an HTML script as well. Numbers may be NaN or infinite.
 */
export function toLiteral(value: Json): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(toLiteral).join(", ")}]`;
  const entries = Object.entries(value as Record<string, Json>);
  if (entries.length === 0) return "{}";
  // `__proto__: x` in a literal would set the prototype; a computed key does not.
  const key = (k: string) => k === "__proto__" ? `["__proto__"]` : /^[A-Za-z_]\w*$/.test(k) ? k : quote(k);
  return `{ ${entries.map(([k, v]) => `${key(k)}: ${toLiteral(v)}`).join(", ")} }`;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<\u2028\u2029\u007f-\u009f]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
