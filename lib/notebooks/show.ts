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
  if (!await broadcast("display_data", data)) return console.log(data["text/plain"]);
  await underWay(Object.values(data).reduce((sum, text) => sum + text.length, 0));
}

/** Least time a message is given to leave, and what each of its characters adds, in milliseconds. */
const LEAST_MS = 15;
const PER_CHARACTER_MS = 1 / 20_000;
const MOST_MS = 1_500;

/**
 * Waits until a message is on its way. In Deno's kernel another thread signs and sends it, and says on its own that the
 * cell has ended; nothing tells when. So the time grows with the message, and with how late this thread is woken: a
 * machine that is busy lets the other thread wait as well.
 */
export async function underWay(characters: number): Promise<void> {
  const wanted = LEAST_MS + characters * PER_CHARACTER_MS;
  const end = performance.now() + MOST_MS;
  for (let rest = wanted; rest > 0 && performance.now() < end;) {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.min(rest, 10)));
    const late = performance.now() - began - Math.min(rest, 10);
    rest += (late > 3 ? 4 * late : 0) - Math.min(rest, 10);
  }
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
