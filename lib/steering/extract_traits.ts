/**
 * The extraction pipeline: a trait's responses, their activations, vectors from them, each controlled on held-out pairs.
 * @module
 */
import { join } from "node:path";
import { modelIdentity } from "../backends/model_identity.ts";
import { openBackend } from "../backends/open_backend.ts";
import { checkSteerable } from "../backends/steerable.ts";
import type { LocalVariant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { hashJson, sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { readActivations, type StoredActivations, writeActivations } from "./activation_files.ts";
import { captureMean, captureName } from "./capture.ts";
import { getModelVariant } from "./experiment_config.ts";
import { type ExtractSettings, resultsExperiment } from "./extract_settings.ts";
import { extractVector, type TwoSides } from "./extract_vector.ts";
import { writeControlVectors } from "./formats/control_vectors.ts";
import { writeVector } from "./formats/vector_file.ts";
import { layoutPath } from "./layout.ts";
import type { ExtractionMethod } from "./methods.ts";
import { parsePosition, positionSpan } from "./position.ts";
import {
  type Control,
  controlOf,
  pickPairs,
  type Separation,
  separationOf,
  splitPairs,
} from "./separation.ts";
import type { Component } from "./site.ts";
import { norm, type SteeringVector } from "./steering_vector.ts";
import {
  asSteerable,
  collectResponses,
  type ResponseSampling,
  type SteerableBackend,
  type TraitResponse,
} from "./trait_responses.ts";
import { listTraits, readTrait, type Trait } from "./traits.ts";

/** A vector that was made, and what it does on pairs it was not made from. */
export interface ExtractedVector {
  /** The vector, as it is on disk. */
  readonly vector: SteeringVector;
  /** Its file. */
  readonly path: string;
  /** On the held-out pairs. */
  readonly separation: Separation;
  /** Whether it passed; over all vectors of the trait that were made from labels. */
  readonly control: Control;
}

/** What was extracted of a trait. */
export interface TraitExtraction {
  /** The trait. */
  readonly trait: string;
  /** The variant that was read. */
  readonly variant: string;
  /** Pairs that vectors were made from, that they were tested on, and that have no token at the position. */
  readonly pairs: { readonly train: number; readonly heldOut: number; readonly dropped: number };
  /** All vectors: by component, method, layer. */
  readonly vectors: readonly ExtractedVector[];
  /** GGUF files that were written. */
  readonly ggufs: readonly string[];
  /** Whether the activations were on disk already. */
  readonly reused: boolean;
}

/** Options of {@linkcode extractTraits}. */
export interface ExtractRunOptions {
  /** The model, where it is open already; it is not closed. */
  readonly backend?: SteerableBackend;
  /** Receives lines for people. */
  readonly log?: (line: string) => void;
  /** Stops; the same call goes on. */
  readonly signal?: AbortSignal;
  /** Called with each trait's vectors, while the model is still open. */
  readonly onTrait?: (extraction: TraitExtraction, backend: SteerableBackend) => Promise<void>;
}

/** The variant and the traits of an extraction. @throws {InputError} when there is none of a name. */
export async function extractionSubjects(
  settings: ExtractSettings,
): Promise<{ readonly variant: LocalVariant; readonly traits: readonly Trait[] }> {
  const { experiment, modelVariant } = settings;
  const options = settings.experiments === null ? {} : { experiments: settings.experiments };
  const variant = await getModelVariant(experiment, modelVariant, "extraction", options);
  checkSteerable(variant);
  const folder = settings.traitsFolder === null ? {} : { traits: settings.traitsFolder };
  const all = settings.traits === null ? await listTraits(folder) : [];
  const names = settings.traits ?? all.filter((name) => name.startsWith(`${experiment}/`));
  if (names.length === 0) {
    throw new InputError(
      `There is no trait in a folder ${experiment}/: name traits with --traits. Traits: ${
        all.join(", ") || "none"
      }.`,
    );
  }
  const traits: Trait[] = [];
  for (const name of names) traits.push(await readTrait(name, folder));
  return { variant, traits };
}

/** How the responses of an extraction are drawn. Where only prompts are read, none are. */
export function responseSampling(settings: ExtractSettings): ResponseSampling {
  const { position, temperature, seed, pairs, maxOutputTokens } = settings;
  const asked = parsePosition(position).frame !== "prompt";
  return { maxOutputTokens: asked ? maxOutputTokens : 0, temperature, seed, pairs };
}

/**
 * Makes vectors of traits, in the layout: responses (kept at every one), activations, vectors. What is there already from
 * the same inputs is not done again.
 *
 * @throws {InputError} when a setting does not suit the model, a trait or variant is missing, or no pair can be used.
 * @throws the signal's reason when it is aborted.
 */
export async function extractTraits(
  settings: ExtractSettings,
  options: ExtractRunOptions = {},
): Promise<TraitExtraction[]> {
  const { variant, traits } = await extractionSubjects(settings);
  const opened = options.backend === undefined
    ? await openBackend(variant, options.signal === undefined ? {} : { signal: options.signal })
    : null;
  try {
    const backend = options.backend ?? asSteerable(opened as Awaited<ReturnType<typeof openBackend>>);
    const found: TraitExtraction[] = [];
    for (const trait of traits) {
      const extraction = await extractTrait(trait, backend, settings, options);
      found.push(extraction);
      await options.onTrait?.(extraction, backend);
    }
    return found;
  } finally {
    await opened?.[Symbol.asyncDispose]();
  }
}

async function extractTrait(
  trait: Trait,
  backend: SteerableBackend,
  settings: ExtractSettings,
  { log = () => {}, signal }: ExtractRunOptions,
): Promise<TraitExtraction> {
  const cancel = signal === undefined ? {} : { signal };
  const place = placeOf(trait, backend, settings);
  const layers = layersOf(settings, backend);
  const folder = layoutPath({ ...place, kind: "extraction_responses" }, settings);
  const progress = everyFewSeconds(log);
  const responses = await collectResponses(trait, backend, {
    folder,
    sampling: responseSampling(settings),
    onProgress: (done, of) => progress(`${trait.name}: ${done} of ${of} responses`),
    ...cancel,
  });
  const stored = new Map<Component, StoredActivations>();
  let reused = true;
  for (const component of settings.component) {
    const site = { ...place, position: settings.position, component };
    const path = layoutPath({ ...site, kind: "activations" }, settings);
    const inputs = inputsOf(responses, backend, settings.position, component);
    const kept = await readActivations(path, inputs, layers);
    const read = kept ?? await captureAll(responses, backend, settings, component, layers, {
      inputs,
      progress: (done, of) => progress(`${trait.name}: ${component} of ${done} of ${of} texts`),
      ...cancel,
    });
    if (kept === null) {
      reused = false;
      await writeActivations(path, {
        ...read,
        metadata: {
          ...read.metadata,
          trait: trait.name,
          model_variant: backend.variant.name,
          position: settings.position,
          component,
        },
      });
    }
    stored.set(component, read);
  }
  return { ...await makeVectors(trait, backend, settings, layers, stored), reused };
}

function placeOf(trait: Trait, backend: SteerableBackend, settings: ExtractSettings) {
  return { experiment: resultsExperiment(settings), trait: trait.name, variant: backend.variant.name };
}

function layersOf({ layers }: ExtractSettings, { steerable: { decoder } }: SteerableBackend): number[] {
  const all = Array.from({ length: decoder.numLayers }, (_, layer) => layer);
  const missing = layers?.find((layer) => layer >= decoder.numLayers);
  if (missing !== undefined) {
    throw new InputError(
      `The model has no layer ${missing}: it has ${decoder.numLayers}, counted from 0 to ${
        decoder.numLayers - 1
      }.`,
    );
  }
  return layers === null ? all : [...new Set(layers)].sort((a, b) => a - b);
}

/** Hash of everything that activations depend on. */
function inputsOf(
  responses: readonly TraitResponse[],
  backend: SteerableBackend,
  position: string,
  component: Component,
): string {
  const texts = sha256(
    JSON.stringify(responses.map(({ pair, side, ids, promptTokens }) => [pair, side, promptTokens, ids])),
  );
  return hashJson({ version: 1, model: modelIdentity(backend.variant), texts, position, component });
}

async function captureAll(
  responses: readonly TraitResponse[],
  { steerable: { decoder } }: SteerableBackend,
  settings: ExtractSettings,
  component: Component,
  layers: readonly number[],
  options: {
    readonly inputs: string;
    readonly progress: (done: number, of: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<StoredActivations> {
  const position = parsePosition(settings.position);
  const has = ({ ids, promptTokens }: TraitResponse) =>
    positionSpan(position, promptTokens, ids.length) !== null;
  const usable = responses.filter((one, i) => has(one) && has(responses[i ^ 1] as TraitResponse));
  const rows = new Map(layers.map((layer) => [layer, {
    positive: [] as Float32Array[],
    negative: [] as Float32Array[],
  }]));
  for (const [i, response] of usable.entries()) {
    const means = await captureMean(
      decoder,
      response,
      position,
      { components: [component], layers },
      options.signal,
    );
    for (const layer of layers) {
      rows.get(layer)?.[response.side].push(means?.get(captureName(component, layer)) as Float32Array);
    }
    options.progress(i + 1, usable.length);
  }
  const pairs = usable.filter(({ side }) => side === "positive").map(({ pair }) => pair);
  return { metadata: { inputs: options.inputs, layers: [...layers], pairs }, layers: rows };
}

/** The draft of a vector: made, not yet controlled. */
interface Draft {
  readonly vector: SteeringVector;
  readonly separation: Separation;
}

async function makeVectors(
  trait: Trait,
  backend: SteerableBackend,
  settings: ExtractSettings,
  layers: readonly number[],
  stored: ReadonlyMap<Component, StoredActivations>,
): Promise<Omit<TraitExtraction, "reused">> {
  const place = placeOf(trait, backend, settings);
  const planned = Math.min(trait.positive.length, settings.pairs ?? Infinity);
  const count = [...stored.values()][0]?.metadata.pairs.length ?? 0;
  if (count === 0) {
    throw new InputError(
      `No pair of ${trait.name} has a token at ${settings.position} on both sides: choose another position or a larger ` +
        "--max-output-tokens.",
    );
  }
  const { train, heldOut } = splitPairs(
    count,
    settings.heldOut,
    createRandom(`${settings.seed}/${trait.name}/split`),
  );
  const drafts: Draft[] = [];
  for (const [component, { metadata: { inputs }, layers: sides }] of stored) {
    for (const method of settings.method) {
      for (const layer of layers) {
        const both = sides.get(layer) as TwoSides;
        const training = pickPairs(both, train);
        const vector = extractVector(
          method,
          training,
          { component, layer, position: settings.position, metadata: { trait: trait.name, inputs } },
          { seed: settings.seed },
        );
        const known = {
          model_variant: backend.variant.name,
          model_identity: hashJson(modelIdentity(backend.variant)),
          pairs: `${train.length}`,
          activation_norm: `${meanNorm(training)}`,
          seed: `${settings.seed}`,
        };
        drafts.push({
          vector: { ...vector, metadata: { ...vector.metadata, ...known } },
          separation: separationOf(vector.vector, pickPairs(both, heldOut)),
        });
      }
    }
  }
  const controls = controlled(drafts);
  const vectors: ExtractedVector[] = [];
  for (const [i, { vector, separation }] of drafts.entries()) {
    const control = controls[i] as Control;
    const path = layoutPath({ ...place, ...vector, method: vector.method, kind: "vector_file" }, settings);
    const { right: { correct, n } } = separation;
    const whole = {
      ...vector,
      metadata: {
        ...vector.metadata,
        held_out_right: `${correct} of ${n}`,
        control_p: `${control.adjusted}`,
        control: control.passes ? "passed" : "failed",
      },
    };
    await writeVector(path, whole);
    vectors.push({ vector: whole, path, separation, control });
  }
  const ggufs = await writeSummaries(vectors, place, settings);
  return {
    trait: trait.name,
    variant: backend.variant.name,
    pairs: { train: train.length, heldOut: heldOut.length, dropped: planned - count },
    vectors,
    ggufs,
  };
}

/** The control of each draft. Random vectors are not made from labels: they are judged by themselves, not with others. */
function controlled(drafts: readonly Draft[]): Control[] {
  const made = drafts.filter(({ vector }) => vector.method !== "random_baseline");
  const joint = controlOf(made.map(({ separation }) => separation));
  const byDraft = new Map(made.map((draft, i) => [draft, joint[i] as Control]));
  const random = drafts.filter((draft) => !byDraft.has(draft));
  const alone = controlOf(random.map(({ separation }) => separation));
  random.forEach((draft, i) => byDraft.set(draft, alone[i] as Control));
  return drafts.map((draft) => byDraft.get(draft) as Control);
}

function meanNorm({ positive, negative }: TwoSides): number {
  const rows = [...positive, ...negative];
  return rows.reduce((sum, row) => sum + norm(row), 0) / rows.length;
}

/** Writes metadata.json beside the vectors of each component and method, and the control vectors that were asked for. */
async function writeSummaries(
  vectors: readonly ExtractedVector[],
  place: ReturnType<typeof placeOf>,
  settings: ExtractSettings,
): Promise<string[]> {
  const ggufs: string[] = [];
  for (const component of settings.component) {
    for (const method of settings.method) {
      const mine = vectors.filter(({ vector }) => vector.component === component && vector.method === method);
      const site = { ...place, position: settings.position, component, method };
      const folder = layoutPath({ ...site, kind: "vectors" }, settings);
      const layers = mine.map(({ vector, separation, control }) => ({
        layer: vector.layer,
        scale: vector.scale,
        held_out: separation,
        control,
      }));
      const summary = { ...site, pairs: Number(mine[0]?.vector.metadata["pairs"]), layers };
      await writeAtomic(join(folder, "metadata.json"), JSON.stringify(summary, null, 2) + "\n");
      if (settings.gguf !== null && component === "residual") {
        const path = join(folder, `control_vector_${settings.gguf.replace(".", "_")}.gguf`);
        await writeGguf(path, mine, method, settings);
        ggufs.push(path);
      }
    }
  }
  return ggufs;
}

async function writeGguf(
  path: string,
  vectors: readonly ExtractedVector[],
  method: ExtractionMethod,
  { gguf }: ExtractSettings,
): Promise<void> {
  const convention = gguf ?? "repeng";
  // Block 0 has no name in repeng's convention, and llama.cpp cannot steer it.
  const named = vectors.map(({ vector }) => vector).filter(({ layer }) =>
    convention !== "repeng" || layer > 0
  );
  if (named.length === 0) {
    throw new InputError(
      `No layer of ${method} can be written for ${convention}: block 0 alone has no name there.`,
    );
  }
  const modelHint = named[0]?.metadata["model_variant"];
  await writeControlVectors(path, named, {
    convention,
    length: "kept",
    ...(modelHint === undefined ? {} : { modelHint }),
  });
}

/** Passes a line on at most every few seconds. */
function everyFewSeconds(log: (line: string) => void): (line: string) => void {
  let last = performance.now();
  return (line) => {
    if (performance.now() - last < 5000) return;
    last = performance.now();
    log(line);
  };
}
