/**
 * The vectors of a style: from its pairs, once, into a file.
 * @module
 */
import { dirname, join } from "node:path";
import { modelIdentity } from "../backends/model_identity.ts";
import { openSteerable, type Steerable } from "../backends/steerable.ts";
import type { Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, unwritable, writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { log as logLine, timestamp } from "../base/log.ts";
import type { DecoderConfig } from "../engine/mod.ts";
import { type ExtractedKv, extractKv, readTokensText } from "./extract_kv.ts";
import type { FactoryConfig } from "./factory_config.ts";
import { factoryFiles, type FactoryPlace } from "./factory_files.ts";
import { type KvVectors, readKvVectors, writeKvVectors } from "./kv_vectors.ts";
import { defaultLayers, parseLayers } from "./layer_set.ts";
import { pairTexts } from "./pair_prompts.ts";
import { type PairSet, pairSet, readPairs } from "./pairs.ts";
import { pairsName, shippedPairsPath } from "./shipped_pairs.ts";
import { type Style, STYLES } from "./style.ts";

/** Changes whenever the same pairs would give other vectors. */
const VERSION = 1;
/** Pairs that a test reads. */
const TEST_PAIRS = 24;

/** The pairs of a style, and where they come from. */
export interface StylePairs extends PairSet {
  /** The file. */
  readonly path: string;
  /** For people: `that ship`, `of TEACHER`. */
  readonly source: string;
}

/**
 * The pairs of a style: of the folder that was named, of the teacher, or those that ship; null while the teacher has not
 * made any yet.
 *
 * @throws {InputError} when a file is missing or wrong, or the style ships no pairs and has no teacher.
 */
export async function pairsOf(
  style: Style,
  config: FactoryConfig,
  place: FactoryPlace,
): Promise<StylePairs | null> {
  const { pairs: folder, teacher, maxPairs, test } = config;
  const most = maxPairs ?? (test ? TEST_PAIRS : Infinity);
  const read = async (path: string, source: string): Promise<StylePairs> => {
    const set = await readPairs(path);
    return { ...set, ...pairSet(set.pairs.slice(0, most)), duplicates: set.duplicates, path, source };
  };
  if (folder !== null) return await read(join(folder, pairsName(style.name)), `of ${folder}`);
  if (teacher !== null) {
    const path = factoryFiles(place).dataset(style.name);
    return await readTextIfExists(path) === undefined ? null : await read(path, `of ${teacher}`);
  }
  if ((STYLES as readonly string[]).includes(style.name)) {
    return await read(shippedPairsPath(style.name), "that ship");
  }
  throw new InputError(
    `No pairs ship for the style ${style.name}: name a --teacher to make some, or a folder with ${
      pairsName(style.name)
    } in it (--pairs).`,
  );
}

/** What determines the vectors of a style: equal recipes give equal vectors. */
export function vectorsRecipe(
  style: Style,
  pairs: Pick<PairSet, "sha256"> | null,
  config: FactoryConfig,
  variant: Variant,
): string {
  const { form, shots, token, rawKeys, layers } = config;
  return hashJson({
    version: VERSION,
    model: modelIdentity(variant),
    pairs: pairs?.sha256 ?? "to be made",
    prompts: [style.positive, style.neutral],
    form,
    shots: form === "examples" ? shots : null,
    token,
    keys: rawKeys ? "raw" : "unrotated",
    layers,
  });
}

/** What {@linkcode styleVectors} needs. */
export interface StyleVectorsOptions {
  /** The style. */
  readonly style: Style;
  /** Its pairs. */
  readonly pairs: StylePairs;
  /** The settings. */
  readonly config: FactoryConfig;
  /** Where files lie. */
  readonly place: FactoryPlace;
  /** The variant that vectors are read from. */
  readonly variant: Variant;
  /** That variant where it is open already; else it is opened, and closed again. */
  readonly model?: Steerable | undefined;
  /** Ends the extraction. */
  readonly signal?: AbortSignal;
  /** Receives lines for people; stderr when left out. */
  readonly log?: (line: string) => void;
}

/** The vectors of a style, and whether they were read from the model just now. */
export interface StyleVectors {
  /** The vectors. */
  readonly vectors: KvVectors;
  /** Their file. */
  readonly path: string;
  /** False when the file had them already. */
  readonly extracted: boolean;
}

/**
 * The vectors of a style: out of their file where it holds those of this recipe, else extracted and written there, with
 * `{style}_template.json` beside them and lines in the log.
 *
 * @throws {InputError} when the variant does not run in this process, a setting does not suit it, or a file cannot be
 * written.
 */
export async function styleVectors(options: StyleVectorsOptions): Promise<StyleVectors> {
  const { style, pairs, config, place, variant } = options;
  const files = factoryFiles(place);
  const path = files.vectors(style.name, variant.name);
  const recipe = vectorsRecipe(style, pairs, config, variant);
  const known = await readKvVectors(path).catch(() => null);
  if (known?.metadata["recipe"] === recipe) return { vectors: known, path, extracted: false };
  const say = await logTo(files.log, options.log ?? logLine);
  const opened = options.model === undefined ? await openSteerable(variant) : null;
  try {
    const model = options.model ?? opened as Steerable;
    const { decoder } = model;
    const layers = config.layers === null
      ? defaultLayers(decoder.numLayers)
      : parseLayers(config.layers, decoder.numLayers);
    const texts = pairTexts(style, pairs.pairs, config.form, config.shots);
    await say(
      `${style.name}: reading ${texts.length} pairs ${pairs.source} with ${variant.name}, layers ${layers.join()}`,
    );
    let told = Date.now();
    const extracted = await extractKv(model, texts, {
      layers,
      rawKeys: config.rawKeys,
      token: config.token,
      ...(options.signal ? { signal: options.signal } : {}),
      onPair(done, of) {
        if (Date.now() - told < 10_000) return;
        told = Date.now();
        (options.log ?? logLine)(`${style.name}: ${done} of ${of} pairs`);
      },
    });
    for (const line of readTokensText(extracted)) await say(`${style.name}: ${line}`);
    const vectors: KvVectors = {
      layers: extracted.layers,
      kvHeads: extracted.kvHeads,
      headDim: extracted.headDim,
      keys: extracted.keys,
      metadata: { ...metadataOf(options, extracted, decoder.config), recipe },
    };
    await writeKvVectors(path, vectors);
    await writeAtomic(
      files.template(style.name, variant.name),
      JSON.stringify(templateOf(style, config, vectors), null, 2) + "\n",
    );
    await say(`${style.name}: wrote ${path}`);
    return { vectors, path, extracted: true };
  } finally {
    await opened?.[Symbol.asyncDispose]();
  }
}

function metadataOf(
  { style, pairs, config, variant }: StyleVectorsOptions,
  extracted: ExtractedKv,
  model: DecoderConfig,
): Record<string, string> {
  const identity = modelIdentity(variant);
  const [positive, negative] = readTokensText(extracted) as [string, string];
  const ropes = extracted.layers.map(({ layer }) => {
    const rope = model.ropes[model.layers[layer]?.rope ?? -1];
    return rope === undefined ? null : { theta: rope.theta, scaling: rope.scaling.type };
  });
  const distinct = new Set(ropes.map((rope) => JSON.stringify(rope)));
  return {
    style: style.name,
    style_sha256: style.hash,
    variant: variant.name,
    model: JSON.stringify(identity),
    model_sha256: hashJson(identity),
    pairs: `${extracted.pairs}`,
    dataset_sha256: pairs.sha256,
    form: config.form,
    token: `${config.token}`,
    site: `keys and values at token ${config.token} of each text; ${positive}; ${negative}`,
    rope: distinct.size === 1 ? [...distinct][0] as string : JSON.stringify(ropes),
    normalised: "false",
  };
}

/** What goes with the vectors to whoever uses them. */
function templateOf(style: Style, config: FactoryConfig, { layers, keys, metadata }: KvVectors): Json {
  return {
    style: style.name,
    description: style.description,
    prompts: { positive: `${style.positive}\n\n{question}`, neutral: `${style.neutral}\n\n{question}` },
    markers: Object.fromEntries(Object.entries(style.markers).map(([name, { source }]) => [name, source])),
    extraction: { form: config.form, token: config.token, site: metadata["site"] ?? "" },
    application: {
      prompt: "neutral",
      layers: layers.map(({ layer }) => layer),
      slot: "the token before the last of the prompt",
      keys,
      how:
        "compute all tokens of the prompt but the last; add c_k * key and c_v * value to the last slot of the " +
        "cache, once; then compute the last token and decode" +
        (keys === "unrotated" ? ". Keys are given the position of the slot before they are added" : ""),
    },
  };
}

/** Notes in the metadata of a file of vectors what was found out about them. @throws {InputError} */
export async function noteInVectors(path: string, notes: Readonly<Record<string, string>>): Promise<void> {
  const vectors = await readKvVectors(path);
  const known = Object.entries(notes).every(([key, value]) => vectors.metadata[key] === value);
  if (!known) await writeKvVectors(path, { ...vectors, metadata: { ...vectors.metadata, ...notes } });
}

/** Says lines and appends them to the log file. */
async function logTo(path: string, log: (line: string) => void): Promise<(line: string) => Promise<void>> {
  const write = async (text: string) => {
    try {
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, text, { append: true });
    } catch (error) {
      throw unwritable(path, error);
    }
  };
  await write("");
  return async (line) => {
    log(line);
    await write(`[${timestamp()}] ${line}\n`);
  };
}
