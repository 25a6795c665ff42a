/**
 * The vectors of a sweep, from the layout of the experiment, and the control made from shuffled labels.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { modelIdentity } from "../backends/model_identity.ts";
import type { Steerable } from "../backends/steerable.ts";
import { InputError } from "../base/errors.ts";
import { hashJson } from "../base/hash.ts";
import { log as logLine } from "../base/log.ts";
import { readTextIfExists } from "../base/files.ts";
import { createRandom } from "../base/random.ts";
import { readActivations } from "./activation_files.ts";
import { ensembleVector } from "./ensemble.ts";
import { extractTraits } from "./extract_traits.ts";
import { parseExtractSettings, resultsExperiment } from "./extract_settings.ts";
import { type Activations, extractVector, type TwoSides } from "./extract_vector.ts";
import { getModelVariant } from "./experiment_config.ts";
import { readVector } from "./formats/vector_file.ts";
import { layoutPath } from "./layout.ts";
import { learnMarkers, type Markers } from "./markers.ts";
import { type Candidate, candidateName, type SweepConfig } from "./sweep_config.ts";
import type { SweepVectors } from "./sweep_rows.ts";
import type { ExtractionMethod } from "./methods.ts";
import type { SteeringVector, VectorOrigin } from "./steering_vector.ts";

/** What the vectors of a sweep are made from. */
export interface VectorSources {
  /** The vectors, by method and layer. */
  readonly vectors: ReadonlyMap<ExtractionMethod, ReadonlyMap<number, SteeringVector>>;
  /** The activations that they were made from, by layer; null where they are not there. */
  readonly activations: ReadonlyMap<number, TwoSides> | null;
  /** Draws shuffled labels. */
  readonly seed: number;
}

/** Vectors by candidate and layer: of one method, or the mean of several; shuffled ones by the same methods. */
export function sweepVectors({ vectors, activations, seed }: VectorSources): SweepVectors {
  const together = (made: SteeringVector[]): Float32Array =>
    (made.length === 1 ? made[0] as SteeringVector : ensembleVector(made.map((vector) => ({ vector }))))
      .vector;
  return {
    trait: ({ methods }, layer) => together(methods.map((method) => vectorOf(vectors, method, layer))),
    shuffled(candidate, layer, draw) {
      const sides = activations?.get(layer);
      if (sides === undefined) return null;
      if (sides.positive.length < 2) return null;
      const swapped = swapLabels(
        sides,
        `shuffled labels/${seed}/${candidateName(candidate)}/${layer}/${draw}`,
      );
      return together(candidate.methods.map((method) => {
        const { component, position, metadata }: VectorOrigin = vectorOf(vectors, method, layer);
        return extractVector(method, swapped, { component, layer, position, metadata }, { seed });
      }));
    },
  };
}

function vectorOf(
  vectors: VectorSources["vectors"],
  method: ExtractionMethod,
  layer: number,
): SteeringVector {
  const vector = vectors.get(method)?.get(layer);
  if (vector === undefined) throw new Error(`no ${method} vector of layer ${layer} was loaded`);
  return vector;
}

/**
 * Swaps the sides of a random half of the pairs, so that what the labels say cancels out; of an odd number one pair is left
 * out. With free swaps chance would leave more of it.
 */
function swapLabels({ positive, negative }: TwoSides, seed: string): TwoSides {
  const order = createRandom(seed).shuffle(positive.map((_, i) => i));
  const pairs = order.slice(0, order.length - order.length % 2);
  const side = (one: Activations, other: Activations) =>
    pairs.map((pair, i) => (i < pairs.length / 2 ? one : other)[pair] as ArrayLike<number>);
  return { positive: side(positive, negative), negative: side(negative, positive) };
}

/** Where vectors are and how they were read. */
export interface VectorPlace extends
  Pick<
    SweepConfig,
    "experiment" | "experiments" | "traitsFolder" | "test" | "vectorsFrom" | "position" | "component"
  > {
  /** The trait. */
  readonly trait: string;
  /** The results folder. */
  readonly results: string;
}

/** Options of {@linkcode loadVectors}. */
export interface LoadVectorsOptions {
  /** Methods that are wanted. */
  readonly methods: readonly ExtractionMethod[];
  /** Layers that are wanted. */
  readonly layers: readonly number[];
  /** The model they are for: its width is checked. */
  readonly model: Pick<Steerable, "decoder" | "variant">;
  /** Seeds what is extracted anew. */
  readonly seed: number;
  /** Receives lines for people; stderr when left out. */
  readonly log?: (line: string) => void;
  /** Stops an extraction; the next one goes on. */
  readonly signal?: AbortSignal;
}

/** Vectors of a trait, and the activations they were made from. */
export interface LoadedVectors extends VectorSources {
  /** The variant that was read. */
  readonly variant: string;
}

/**
 * Reads a trait's vectors from the layout. Where some are missing, or are of a model that has changed since, they are
 * extracted: responses, activations and vectors, as `deno task extract` does.
 *
 * @throws {InputError} when the trait or the variant is missing, or the vectors do not fit the model.
 */
export async function loadVectors(place: VectorPlace, options: LoadVectorsOptions): Promise<LoadedVectors> {
  const { methods, layers, model, seed, log = logLine, signal } = options;
  const { experiment, experiments, traitsFolder, vectorsFrom, position, component, trait, results, test } =
    place;
  const settings = parseExtractSettings({
    test,
    experiment,
    traits: [trait],
    modelVariant: vectorsFrom,
    position,
    component: [component],
    method: [...methods],
    seed,
    results,
    traitsFolder,
    experiments,
  });
  const where = experiments === null ? {} : { experiments };
  const variant = await getModelVariant(experiment, vectorsFrom, "extraction", where);
  const identity = hashJson(modelIdentity(variant));
  const site = {
    experiment: resultsExperiment(settings),
    trait,
    variant: variant.name,
    position: settings.position,
    component,
  };
  const read = () => readAll(site, { methods, layers, results, identity });
  let vectors = await read();
  if (vectors === null) {
    log(`Extracting ${methods.join(", ")} vectors of ${trait} from ${variant.name}...`);
    await extractTraits(settings, { log, ...(signal ? { signal } : {}) });
    vectors = await read();
  }
  const missing = () =>
    new InputError(`The vectors of ${trait} could not be read back from ${results}: run deno task extract.`);
  if (vectors === null) throw missing();
  const all = [...vectors.values()].flatMap((byLayer) => [...byLayer.values()]);
  const { hiddenSize } = model.decoder;
  const odd = all.find(({ vector }) => vector.length !== hiddenSize);
  if (odd !== undefined) {
    throw new InputError(
      `The vectors of ${trait} from ${variant.name} have ${odd.vector.length} numbers, and ${model.variant.name} takes ` +
        `${hiddenSize}: give --vectors-from a variant of the same model.`,
    );
  }
  const folder = layoutPath({ kind: "activations", ...site }, { results });
  const inputs = all[0]?.metadata["inputs"] ?? "";
  const stored = await readActivations(folder, inputs, layers);
  return { vectors, activations: stored?.layers ?? null, seed, variant: variant.name };
}

/** The vectors on disk; null when one is missing, damaged, or of another model. */
async function readAll(
  site: {
    readonly experiment: string;
    readonly trait: string;
    readonly variant: string;
    readonly position: string;
    readonly component: SweepConfig["component"];
  },
  { methods, layers, results, identity }: {
    readonly methods: readonly ExtractionMethod[];
    readonly layers: readonly number[];
    readonly results: string;
    readonly identity: string;
  },
): Promise<Map<ExtractionMethod, Map<number, SteeringVector>> | null> {
  const found = new Map<ExtractionMethod, Map<number, SteeringVector>>();
  for (const method of methods) {
    const byLayer = new Map<number, SteeringVector>();
    for (const layer of layers) {
      try {
        const vector = await readVector(
          layoutPath({ kind: "vector_file", ...site, method, layer }, { results }),
        );
        if (vector.metadata["model_identity"] !== identity) return null;
        byLayer.set(layer, vector);
      } catch (error) {
        if (error instanceof InputError) return null;
        throw error;
      }
    }
    found.set(method, byLayer);
  }
  return found;
}

const responseSchema = z.object({ response: z.string() });

/**
 * Learns the words that tell the responses of a trait's extraction apart, see {@linkcode learnMarkers}.
 *
 * @throws {InputError} when there are no responses, or no such words.
 */
export async function markersOfExtraction(place: VectorPlace): Promise<Markers> {
  const { experiment, experiments, vectorsFrom, trait, results, test } = place;
  const where = experiments === null ? {} : { experiments };
  const { name } = await getModelVariant(experiment, vectorsFrom, "extraction", where);
  const site = { experiment: resultsExperiment({ experiment, test }), trait, variant: name };
  const folder = layoutPath({ kind: "extraction_responses", ...site }, { results });
  const texts = async (side: string) => {
    const lines = (await readTextIfExists(join(folder, `${side}.jsonl`)) ?? "").split("\n");
    return lines.filter((line) => line !== "").map((line) => responseSchema.parse(JSON.parse(line)).response);
  };
  const markers = learnMarkers(await texts("positive"), await texts("negative"));
  if (markers.positive.length > 0) return markers;
  throw new InputError(
    `Nothing can score answers for the trait ${trait}: no word tells the responses of its extraction apart. Give a judge ` +
      'with --judge VARIANT, or "markers" ({"positive": [...], "negative": [...]}) in its steering.json.',
  );
}

/** The vectors of a sweep; see {@linkcode loadVectors}. @throws {InputError} */
export async function loadSweepVectors(
  { config, trait, results, model, candidates, signal }: {
    readonly config: SweepConfig;
    readonly trait: string;
    readonly results: string;
    readonly model: Steerable;
    readonly candidates: readonly Candidate[];
    readonly signal: AbortSignal;
  },
): Promise<SweepVectors> {
  const methods = [...new Set(candidates.flatMap((candidate) => candidate.methods))];
  const layers = [...new Set(candidates.flatMap((candidate) => candidate.layers))].sort((a, b) => a - b);
  const { seed } = config;
  return sweepVectors(
    await loadVectors({ ...config, trait, results }, { methods, layers, model, seed, signal }),
  );
}
