/**
 * What of steering is on disk: experiments, traits, variants, vectors, runs, found by their places in the layout.
 * @module
 */
import { join } from "node:path";
import { type LayoutOptions, layoutPath, type LayoutPlace, parseLayoutPath, type PlaceOf } from "./layout.ts";
import type { SteeringVector } from "./steering_vector.ts";
import { unitVector } from "./steering_vector.ts";
import { readTorchTensor } from "./formats/torch_file.ts";
import { readVector } from "./formats/vector_file.ts";

/** A place that is there. */
export interface FoundPlace<P extends LayoutPlace = LayoutPlace> {
  /** What it is. */
  readonly place: P;
  /** Where it is. */
  readonly path: string;
}

const AREAS = new Set(["extraction", "steering", "inference"]);

/** The experiments in a results folder, sorted: folders with extraction, steering or inference in them. */
export async function listExperiments(options: LayoutOptions = {}): Promise<string[]> {
  const results = options.results ?? "results";
  const found: string[] = [];
  for (const entry of await entriesOf(results)) {
    if (!entry.isDirectory) continue;
    const inside = await entriesOf(join(results, entry.name));
    if (inside.some(({ name, isDirectory }) => isDirectory && AREAS.has(name))) found.push(entry.name);
  }
  return found.sort();
}

/** Every folder and file of an experiment that is a place of the layout, sorted by path. Links are not followed. */
export async function discover(experiment: string, options: LayoutOptions = {}): Promise<FoundPlace[]> {
  const found: FoundPlace[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isSymlink) continue;
      const place = parseLayoutPath(path, options);
      if (place !== null && place.kind.endsWith("_file") === entry.isFile) found.push({ place, path });
      if (entry.isDirectory) await walk(path);
    }
  };
  for (const area of AREAS) await walk(join(options.results ?? "results", experiment, area));
  return found.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** The places of one kind. */
export function placesOf<K extends LayoutPlace["kind"]>(
  found: readonly FoundPlace[],
  kind: K,
): FoundPlace<PlaceOf<K>>[] {
  return found.filter((one): one is FoundPlace<PlaceOf<K>> => one.place.kind === kind);
}

/** The traits of which anything is there, sorted. */
export function listFoundTraits(found: readonly FoundPlace[]): string[] {
  return unique(found.flatMap(({ place }) => "trait" in place ? [place.trait] : []));
}

/** The variants of which anything is there, sorted. */
export function listFoundVariants(found: readonly FoundPlace[]): string[] {
  return unique(found.map(({ place }) => place.variant));
}

/**
 * Reads the vector of a place: ours, or the `layer{N}.pt` that older programs have written there.
 *
 * @throws {InputError} when there is neither, or it is not sound.
 */
export async function readPlacedVector(
  place: PlaceOf<"vector_file">,
  options: LayoutOptions = {},
): Promise<SteeringVector> {
  const path = layoutPath(place, options);
  const older = path.replace(/\.safetensors$/, ".pt");
  if (await isThere(path) || !await isThere(older)) return await readVector(path);
  const { component, layer, position, method, trait, variant } = place;
  const { data } = await readTorchTensor(older);
  return unitVector(
    { component, layer, position, method, metadata: { trait, model_variant: variant, file: "layer.pt" } },
    data,
  );
}

/** What is there of an experiment, for people: a line for each trait or prompt set of each variant. */
export function foundText(found: readonly FoundPlace[]): string {
  const lines = found.flatMap(({ place }) => {
    switch (place.kind) {
      case "vectors": {
        const { trait, variant, position, component, method } = place;
        const layers = found.filter((one) =>
          one.place.kind === "vector_file" && one.place.method === method &&
          one.place.position === position &&
          one.place.component === component && one.place.trait === trait && one.place.variant === variant
        );
        return [
          `vectors      ${trait}  ${variant}  ${position}  ${component}  ${method}  ${layers.length} layers`,
        ];
      }
      case "steering":
        return [`steering     ${place.trait}  ${place.variant}  ${place.position}  ${place.promptSet}`];
      case "raw":
        return [`activations  ${place.variant}  ${place.promptSet}`];
      case "projections":
        return [`projections  ${place.trait}  ${place.variant}  ${place.promptSet}`];
      default:
        return [];
    }
  });
  return lines.length > 0 ? lines.join("\n") : "nothing";
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
