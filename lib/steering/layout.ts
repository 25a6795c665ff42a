/**
 * The one place that knows where steering keeps its files: every path under `results/{experiment}/` is built and
 * read here.
 *
 * ```
 * extraction/{trait}/{variant}/responses/
 * extraction/{trait}/{variant}/activations/{position}/{component}/
 * extraction/{trait}/{variant}/vectors/{position}/{component}/{method}/layer{N}.safetensors
 * steering/{trait}/{variant}/{position}/{prompt_set}/results.jsonl
 * steering/{trait}/{variant}/{position}/{prompt_set}/responses/baseline.json
 * steering/{trait}/{variant}/{position}/{prompt_set}/responses/{component}/{method}/L{layer}_c{coef}_{time}.json
 * inference/{variant}/raw/{prompt_set}/
 * inference/{variant}/responses/{prompt_set}/
 * inference/{variant}/projections/{trait}/{prompt_set}/
 * ```
 *
 * A trait may have several segments (`rm_hack/ulterior_motive`), so paths are read from their ends.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { type Method, METHODS } from "./methods.ts";
import { parsePosition, parsePositionName, positionName, positionText } from "./position.ts";
import { type Component, COMPONENTS } from "./site.ts";

/** A place of a variant in an experiment. */
export interface InExperiment {
  /** One segment. */
  readonly experiment: string;
  /** The model variant; one segment. */
  readonly variant: string;
}

/** A place of a trait. */
export interface InTrait extends InExperiment {
  /** One or several segments, with `/` between them. */
  readonly trait: string;
}

/** A place of a component at a position. */
export interface AtSite extends InTrait {
  /** As {@linkcode positionText} writes it: `response[:5]`. */
  readonly position: string;
  /** What of a block. */
  readonly component: Component;
}

/** A place of a steering run. */
export interface InSteering extends InTrait {
  /** As {@linkcode positionText} writes it. */
  readonly position: string;
  /** Which questions were asked; one segment. `steering` for those of the trait's own steering.json. */
  readonly promptSet: string;
}

/** A folder or file of the layout. Kinds that end in `_file` are files. */
export type LayoutPlace =
  | InTrait & { readonly kind: "extraction_responses" }
  | AtSite & { readonly kind: "activations" }
  | AtSite & { readonly kind: "vectors"; readonly method: Method }
  | AtSite & { readonly kind: "vector_file"; readonly method: Method; readonly layer: number }
  | InSteering & { readonly kind: "steering" }
  | InSteering & { readonly kind: "steering_results_file" }
  | InSteering & { readonly kind: "steering_baseline_file" }
  | InSteering & {
    readonly kind: "steering_response_file";
    readonly component: Component;
    readonly method: Method;
    /** The layers that were steered together, ascending. */
    readonly layers: readonly number[];
    /** The coefficient. */
    readonly coef: number;
    /** When, to the millisecond. */
    readonly time: Date;
  }
  | InExperiment & { readonly kind: "raw"; readonly promptSet: string }
  | InExperiment & { readonly kind: "inference_responses"; readonly promptSet: string }
  | InTrait & { readonly kind: "projections"; readonly promptSet: string };

/** The places of one kind. */
export type PlaceOf<K extends LayoutPlace["kind"]> = Extract<LayoutPlace, { readonly kind: K }>;

/** The prompt set of a trait's own questions. */
export const STEERING_PROMPTS = "steering";

/** Where results lie. */
export interface LayoutOptions {
  /** The results folder; `results` unless given. */
  readonly results?: string;
}

/** Letters, digits and `_ . - + = @`; no dot or dash in front; nothing that looks like a file of the layout. */
const SEGMENT = /^[A-Za-z0-9_+=@][A-Za-z0-9_.+=@-]{0,99}$/;
const FILE_NAME = /\.(json|jsonl|safetensors|gguf|pt|tmp)$/i;

/** Whether a text can be one segment of a path: the name of an experiment, a variant or a prompt set. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text) && !FILE_NAME.test(text) && !text.endsWith(".") &&
    parsePositionName(text) === null;
}

/** Checks the name of a trait: segments with `/` between them. @throws {InputError} */
export function checkTrait(trait: string): string {
  if (trait.length <= 300 && trait.split("/").every(isSegment)) return trait;
  throw badName(
    "trait",
    trait,
    "names of letters, digits and _ . - with / between them, such as style/formal",
  );
}

/** Checks a name that is one segment. @throws {InputError} */
export function checkSegment(what: string, name: string): string {
  if (isSegment(name)) return name;
  throw badName(what, name, "letters, digits and _ . -, without /");
}

function badName(what: string, name: string, expected: string): InputError {
  return new InputError(
    `The ${what} ${
      JSON.stringify(name)
    } cannot name a folder: give ${expected}; names of positions, such as ` +
      "response_all, and of files are taken.",
  );
}

/**
 * The path of a folder or file.
 *
 * @throws {InputError} when a name cannot be a folder's, a position is none, or a number is none.
 */
export function layoutPath(place: LayoutPlace, options: LayoutOptions = {}): string {
  return join(options.results ?? "results", ...segmentsOf(place));
}

function segmentsOf(place: LayoutPlace): string[] {
  const experiment = checkSegment("experiment", place.experiment);
  const variant = checkSegment("model variant", place.variant);
  switch (place.kind) {
    case "raw":
    case "inference_responses": {
      const area = place.kind === "raw" ? "raw" : "responses";
      return [experiment, "inference", variant, area, checkSegment("prompt set", place.promptSet)];
    }
    case "projections": {
      const promptSet = checkSegment("prompt set", place.promptSet);
      return [experiment, "inference", variant, "projections", checkTrait(place.trait), promptSet];
    }
    case "extraction_responses":
      return [experiment, "extraction", checkTrait(place.trait), variant, "responses"];
    case "activations":
    case "vectors":
    case "vector_file": {
      const trait = [experiment, "extraction", checkTrait(place.trait), variant];
      const site = [folderOf(place.position), oneOf("component", COMPONENTS, place.component)];
      if (place.kind === "activations") return [...trait, "activations", ...site];
      const folder = [...trait, "vectors", ...site, oneOf("method", METHODS, place.method)];
      return place.kind === "vectors" ? folder : [...folder, `layer${checkLayer(place.layer)}.safetensors`];
    }
    default: {
      const trait = [experiment, "steering", checkTrait(place.trait), variant];
      const folder = [...trait, folderOf(place.position), checkSegment("prompt set", place.promptSet)];
      if (place.kind === "steering") return folder;
      if (place.kind === "steering_results_file") return [...folder, "results.jsonl"];
      if (place.kind === "steering_baseline_file") return [...folder, "responses", "baseline.json"];
      const component = oneOf("component", COMPONENTS, place.component);
      return [...folder, "responses", component, oneOf("method", METHODS, place.method), responseFile(place)];
    }
  }
}

function folderOf(position: string): string {
  return positionName(parsePosition(position));
}

function oneOf<T extends string>(what: string, known: readonly T[], name: string): T {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new InputError(`There is no ${what} ${JSON.stringify(name)}: give one of ${known.join(", ")}.`);
}

function checkLayer(layer: number): number {
  if (Number.isSafeInteger(layer) && layer >= 0 && layer < 10_000) return layer;
  throw new InputError(`The layer ${layer} is none: give a whole number from 0 on.`);
}

function responseFile({ layers, coef, time }: PlaceOf<"steering_response_file">): string {
  if (layers.length === 0 || layers.some((layer, i) => i > 0 && layer <= (layers[i - 1] as number))) {
    throw new InputError(`The layers ${layers.join(", ") || "(none)"} must be ascending, and at least one.`);
  }
  if (!Number.isFinite(coef)) throw new InputError(`The coefficient ${coef} is no number.`);
  const at = time.getTime();
  if (!Number.isFinite(at) || at < 0 || at >= 253_402_300_800_000) {
    throw new InputError(`The time ${time} is none between 1970 and 9999.`);
  }
  const stamp = time.toISOString().replaceAll(/[:.]/g, "-");
  return `L${layers.map(checkLayer).join("+")}_c${coef === 0 ? 0 : coef}_${stamp}.json`;
}

const NUMBER = "0|[1-9]\\d{0,3}";
const VECTOR_FILE = new RegExp(`^layer(${NUMBER})\\.safetensors$`);
const RESPONSE_FILE = new RegExp(
  `^L((?:${NUMBER})(?:\\+(?:${NUMBER}))*)_c(-?\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?)_(\\d{4}-\\d\\d-\\d\\d)T(\\d\\d)-(\\d\\d)-(\\d\\d)-(\\d{3})Z\\.json$`,
);

/** What a path of the layout is; null when it is none of it. The path is one that {@linkcode layoutPath} may give. */
export function parseLayoutPath(path: string, options: LayoutOptions = {}): LayoutPlace | null {
  const root = join(options.results ?? "results", "/");
  const clean = join(path, "/").slice(0, -1);
  if (!clean.startsWith(root)) return null;
  const place = placeOf(clean.slice(root.length).split("/"));
  try {
    return place !== null && layoutPath(place, options) === clean ? place : null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** A candidate; whether it is one is seen by building its path again. */
function placeOf([experiment, area, ...rest]: readonly string[]): LayoutPlace | null {
  if (experiment === undefined || rest.length < 2) return null;
  if (area === "inference") return inferencePlace(experiment, rest);
  if (area === "extraction") return extractionPlace(experiment, rest);
  return area === "steering" ? steeringPlace(experiment, rest) : null;
}

function inferencePlace(experiment: string, [variant = "", area, ...rest]: string[]): LayoutPlace | null {
  const promptSet = rest.at(-1) ?? "";
  const trait = rest.slice(0, -1).join("/");
  if (area === "projections") return { kind: "projections", experiment, variant, trait, promptSet };
  if (rest.length !== 1) return null;
  if (area === "raw") return { kind: "raw", experiment, variant, promptSet };
  return area === "responses" ? { kind: "inference_responses", experiment, variant, promptSet } : null;
}

function extractionPlace(experiment: string, rest: string[]): LayoutPlace | null {
  const last = rest.at(-1) as string;
  if (last === "responses") return { kind: "extraction_responses", experiment, ...owner(rest.slice(0, -1)) };
  const file = VECTOR_FILE.exec(last);
  const folder = file === null ? rest : rest.slice(0, -1);
  const vectors = file !== null || folder.at(-3) !== "activations";
  if (vectors && folder.at(-4) !== "vectors") return null;
  const [position = "", component = "", method = ""] = folder.slice(vectors ? -3 : -2);
  const site = {
    experiment,
    ...owner(folder.slice(0, vectors ? -4 : -3)),
    position: writtenPosition(position),
    component: component as Component,
  };
  if (!vectors) return { kind: "activations", ...site };
  return file === null
    ? { kind: "vectors", ...site, method: method as Method }
    : { kind: "vector_file", ...site, method: method as Method, layer: Number(file[1]) };
}

function steeringPlace(experiment: string, rest: string[]): LayoutPlace | null {
  const last = rest.at(-1) as string;
  const run = (folder: string[]) => ({
    experiment,
    ...owner(folder.slice(0, -2)),
    position: writtenPosition(folder.at(-2) ?? ""),
    promptSet: folder.at(-1) ?? "",
  });
  if (last === "results.jsonl") return { kind: "steering_results_file", ...run(rest.slice(0, -1)) };
  if (last === "baseline.json") return { kind: "steering_baseline_file", ...run(rest.slice(0, -2)) };
  const file = RESPONSE_FILE.exec(last);
  if (file === null) return { kind: "steering", ...run(rest) };
  const [, layers = "", coef, day, hour, minute, second, ms] = file;
  return {
    kind: "steering_response_file",
    ...run(rest.slice(0, -4)),
    component: rest.at(-3) as Component,
    method: rest.at(-2) as Method,
    layers: layers.split("+").map(Number),
    coef: Number(coef),
    time: new Date(`${day}T${hour}:${minute}:${second}.${ms}Z`),
  };
}

/** The trait and the variant that path segments end in. */
function owner(segments: readonly string[]): { readonly trait: string; readonly variant: string } {
  return { trait: segments.slice(0, -1).join("/"), variant: segments.at(-1) ?? "" };
}

/** The position of a folder; an impossible one when the name is none, so that the place cannot be built again. */
function writtenPosition(name: string): string {
  const position = parsePositionName(name);
  return position === null ? "none" : positionText(position);
}
