/**
 * What cells call to show something, in Jupyter, in VS Code, headless, and in a plain `deno run`.
 * @module
 */
import { METADATA_KEY } from "./headless.ts";
import { type MediaBundle, toMediaBundle } from "./media.ts";

export { Html, html } from "./html.ts";
export { table, type TableOptions, type TableRow } from "./table.ts";
export { type Figure } from "./media.ts";

/** The part of `Deno.jupyter` used here. */
interface Jupyter {
  broadcast(
    type: "display_data" | "update_display_data",
    content: { data: MediaBundle; metadata: Record<string, unknown>; transient: { display_id?: string } },
  ): Promise<void>;
}

/** The kernel this code runs in, or null in a plain `deno run`, where reading `Deno.jupyter` throws. */
function kernel(): Jupyter | null {
  try {
    return (Deno as unknown as { jupyter?: Jupyter }).jupyter ?? null;
  } catch {
    return null;
  }
}

/**
 * Shows a value below the cell: a string, a figure `{ svg, alt }`, a Plot figure, a table, a polars DataFrame,
 * an array of objects, {@linkcode html}, or anything else as Deno prints it. Strings are never taken for markup.
 * Outside a kernel its text is printed to stdout.
 *
 * Ends a cell with `await show(x)`: the word that a cell has ended can overtake its last expression, and some clients
 * then drop it; `show` returns only after the value is on its way.
 */
export async function show(value: unknown): Promise<void> {
  const data = await toMediaBundle(value);
  if (!await broadcast("display_data", data)) console.log(data["text/plain"]);
  await new Promise((resolve) => setTimeout(resolve, 10));
}

/**
 * Shows or updates one display that is known by an id. `board` marks it as a live board, which a headless client
 * prints to its terminal.
 *
 * @returns false outside a kernel, where nothing is shown.
 */
export async function broadcast(
  type: "display_data" | "update_display_data",
  data: MediaBundle,
  options: { readonly displayId?: string; readonly board?: boolean } = {},
): Promise<boolean> {
  const jupyter = kernel();
  if (jupyter === null) return false;
  await jupyter.broadcast(type, {
    data,
    metadata: options.board ? { [METADATA_KEY]: { board: true } } : {},
    transient: options.displayId === undefined ? {} : { display_id: options.displayId },
  });
  return true;
}
