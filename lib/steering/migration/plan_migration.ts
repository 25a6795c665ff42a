/**
 * Which file of an older layout goes where in this one. Knows names alone and touches no file.
 *
 * Older layouts are this one with levels missing:
 *
 * - `extraction/{trait}/...` has no variant,
 * - `steering/{trait}/...` has no variant, no prompt set, or no position,
 * - `inference/...` has no variant.
 *
 * Where a level could be missing or be there under a name that nobody knows, names that are known variants are taken as
 * variants and all others as parts of traits.
 * @module
 */
import { STEERING_PROMPTS } from "../layout.ts";
import { parsePositionName } from "../position.ts";

/** What names do not say. */
export interface MigrationNames {
  /** Names that are variants wherever they stand as one. */
  readonly variants: ReadonlySet<string>;
  /** The variant of extraction that has none. */
  readonly extraction: string;
  /** The variant of steering and inference that have none. */
  readonly application: string;
  /** The folder of steering without a position: `response_all`. */
  readonly position: string;
}

/** A file that changes its place, relative to the experiment's folder, with `/` between names. */
export interface PlannedMove {
  /** Where it is. */
  readonly from: string;
  /** Where it goes; equal to `from` where the layouts agree. */
  readonly to: string;
}

/** What becomes of the files of an experiment. */
export interface MigrationPlan {
  /** Every file, once. */
  readonly moves: readonly PlannedMove[];
  /** What should be known before it is done, each said once. */
  readonly notes: readonly string[];
}

/** Folders that stand directly in a trait's (and in this layout a variant's) folder. */
const EXTRACTION_AREAS: ReadonlySet<string> = new Set(["responses", "activations", "vectors"]);
const INFERENCE_AREAS: ReadonlySet<string> = new Set(["raw", "responses", "projections"]);
const RESULTS: ReadonlySet<string> = new Set(["results.json", "results.jsonl"]);

/** Plans the files of one experiment. */
export function planMigration(paths: readonly string[], names: MigrationNames): MigrationPlan {
  const files = [...paths].sort();
  const notes = new Set<string>();
  const under = (area: string) =>
    files.filter((path) => path.startsWith(`${area}/`)).map((path) => path.split("/").slice(1));
  const extraction = extractionRule(under("extraction"), names, notes);
  const steering = steeringRule(under("steering"), names, notes);
  const moves = files.map((from): PlannedMove => {
    const [area, ...rest] = from.split("/") as [string, ...string[]];
    if (rest.length === 0) return { from, to: from };
    const placed = area === "extraction"
      ? extraction(rest)
      : area === "steering"
      ? steering(rest)
      : area === "inference"
      ? placeInference(rest, names, notes)
      : rest;
    return { from, to: [area, ...placed].join("/") };
  });
  return { moves, notes: [...notes] };
}

type Rule = (segments: readonly string[]) => readonly string[];

/** Whether the last of these segments is a variant; a trait must stand before it. */
function endsInVariant(segments: readonly string[], names: MigrationNames): boolean {
  return segments.length >= 2 && names.variants.has(segments.at(-1) as string);
}

function extractionRule(files: readonly string[][], names: MigrationNames, notes: Set<string>): Rule {
  /** Folders of traits without a variant, and of variants in traits. */
  const traits = new Set<string>(), variants = new Set<string>();
  for (const file of files) {
    const area = file.findIndex((name, i) => i > 0 && i < file.length - 1 && EXTRACTION_AREAS.has(name));
    if (area < 0) continue;
    const owner = file.slice(0, area);
    (endsInVariant(owner, names) ? variants : traits).add(owner.join("/"));
  }
  return (file) => {
    for (let length = file.length - 1; length > 0; length--) {
      const folder = file.slice(0, length);
      const name = folder.join("/");
      if (variants.has(name)) return file;
      if (traits.has(name)) return [...folder, names.extraction, ...file.slice(length)];
    }
    notes.add("Files in extraction/ that belong to no trait keep their place in it.");
    return file;
  };
}

function steeringRule(files: readonly string[][], names: MigrationNames, notes: Set<string>): Rule {
  /** Folders that hold the results or responses of one steering run. */
  const runs = new Set<string>();
  for (const file of files) {
    const last = file.length - 1;
    if (RESULTS.has(file[last] as string)) runs.add(file.slice(0, last).join("/"));
    const responses = file.findIndex((name, i) => i > 0 && i < last && name === "responses");
    if (responses > 0) runs.add(file.slice(0, responses).join("/"));
  }
  const withVariant = (owner: readonly string[]) =>
    endsInVariant(owner, names) ? owner : [...owner, names.application];
  return (file) => {
    const at = file.findIndex((name, i) => i > 0 && i < file.length - 1 && parsePositionName(name) !== null);
    if (at > 0) {
      const position = file[at] as string;
      const rest = file.slice(at + 1);
      const promptSet = rest[0] as string;
      const named = rest.length > 1 &&
        (promptSet === STEERING_PROMPTS ||
          promptSet !== "responses" && runs.has(file.slice(0, at + 2).join("/")));
      return [...withVariant(file.slice(0, at)), position, ...(named ? [] : [STEERING_PROMPTS]), ...rest];
    }
    for (let length = 1; length < file.length; length++) {
      const folder = file.slice(0, length);
      if (!runs.has(folder.join("/"))) continue;
      notes.add(
        `Steering results without a position are put under ${names.position}: --position says another, such as ` +
          "response[:5].",
      );
      return [...withVariant(folder), names.position, STEERING_PROMPTS, ...file.slice(length)];
    }
    notes.add("Files in steering/ that belong to no trait keep their place in it.");
    return file;
  };
}

function placeInference(
  file: readonly string[],
  names: MigrationNames,
  notes: Set<string>,
): readonly string[] {
  const [first = "", second] = file;
  if (file.length > 1 && names.variants.has(first)) return file;
  const bare = INFERENCE_AREAS.has(first);
  if (!bare && file.length > 2 && second !== undefined && INFERENCE_AREAS.has(second)) {
    notes.add(
      `inference/${first} looks like a variant that no configuration names and keeps its place; if it is a trait, move ` +
        "it by hand.",
    );
    return file;
  }
  return [names.application, ...file];
}
