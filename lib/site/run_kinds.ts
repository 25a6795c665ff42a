/**
 * The kinds of experiment that there are, found where they lie.
 * @module
 */
import type { ExperimentKind } from "../runs/experiment_kind.ts";

/**
 * Every kind of experiment in the library: what `lib/ROOM/start_NAME.ts` exports under a name that ends in `Kind`.
 * A file that cannot be loaded is passed over and named in `onProblem`.
 */
export async function findKinds(
  options: { readonly lib?: URL; readonly onProblem?: (problem: string) => void } = {},
): Promise<ExperimentKind[]> {
  const lib = options.lib ?? new URL("../", import.meta.url);
  const kinds = new Map<string, ExperimentKind>();
  for (const room of await namesIn(lib, (entry) => entry.isDirectory)) {
    const folder = new URL(`${room}/`, lib);
    for (
      const file of await namesIn(
        folder,
        ({ name, isFile }) => isFile && /^start_\w+\.ts$/.test(name) && !name.endsWith("_test.ts"),
      )
    ) {
      try {
        const module = await import(new URL(file, folder).href) as Record<string, unknown>;
        for (const [name, value] of Object.entries(module)) {
          if (name.endsWith("Kind") && isKind(value)) kinds.set(value.name, value);
        }
      } catch (error) {
        options.onProblem?.(
          `lib/${room}/${file} cannot be loaded: ${error instanceof Error ? error.message : error}`,
        );
      }
    }
  }
  return [...kinds.values()];
}

function isKind(value: unknown): value is ExperimentKind {
  const kind = value as Partial<ExperimentKind> | null;
  return typeof kind === "object" && typeof kind?.name === "string" && typeof kind.title === "string" &&
    typeof kind.parse === "function";
}

async function namesIn(folder: URL, keep: (entry: Deno.DirEntry) => boolean): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).filter(keep).map(({ name }) => name).sort();
}
