/**
 * Pairs to vectors for every style and target of a factory's settings.
 * @module
 */
import { openSteerable, type Steerable } from "../backends/steerable.ts";
import { loadVariants, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { planRuns } from "../runs/plan_runs.ts";
import { splitSettings } from "../runs/experiment_kind.ts";
import { runSettingsSchema } from "../runs/run_settings.ts";
import { extractionVariant, type FactoryConfig, factoryConfigSchema, stylesOf } from "./factory_config.ts";
import { targetVariants, withFactoryFile } from "./factory_config.ts";
import { type FactoryPlace } from "./factory_files.ts";
import { pairsOf, type StyleVectors, styleVectors } from "./factory_vectors.ts";
import { defaultLayers, parseLayers } from "./layer_set.ts";
import { pairTexts } from "./pair_prompts.ts";
import { pairsSettings, steeringPairsKind } from "./start_steering_pairs.ts";
import { steeringFactoryKind } from "./start_steering_factory.ts";
import { norm } from "./steering_vector.ts";
import { loadStyle, type Style } from "./style.ts";

/** The settings of a factory, read once. */
interface Order {
  readonly config: FactoryConfig;
  readonly place: FactoryPlace;
  readonly styles: readonly Style[];
  /** The variants that vectors are read from, each once. */
  readonly variants: readonly Variant[];
}

async function orderOf(input: Readonly<Record<string, unknown>>): Promise<Order> {
  steeringFactoryKind.parse(input); // says what is wrong with the settings
  const { own, shared } = splitSettings(input);
  const config = withFactoryFile(factoryConfigSchema.parse(own));
  const { results, model } = runSettingsSchema.parse(shared);
  const known = await loadVariants();
  const variants = new Map<string, Variant>();
  for (const target of await targetVariants(config, model, known)) {
    const variant = await extractionVariant(config, target, known);
    variants.set(variant.name, variant);
  }
  const styles: Style[] = [];
  for (const name of stylesOf(config)) styles.push(await loadStyle(name));
  const { experiment, test, mark } = config;
  return {
    config,
    place: { results, experiment, test, mark },
    styles,
    variants: [...variants.values()],
  };
}

/**
 * What would be asked of the teacher, and read from the targets. Sends and writes nothing.
 *
 * @throws {InputError} when a setting, a variant or a file is wrong.
 */
export async function planVectors(input: Readonly<Record<string, unknown>>): Promise<string> {
  const { config, place, styles, variants } = await orderOf(input);
  const teaching = await pairsSettings(input);
  const parts = teaching === null
    ? []
    : (await planRuns(steeringPairsKind, teaching)).map(({ text }) => text);
  for (const variant of variants) {
    await using model = await openSteerable(variant);
    const { decoder } = model;
    const layers = config.layers === null
      ? defaultLayers(decoder.numLayers)
      : parseLayers(config.layers, decoder.numLayers);
    const lines = [
      `Vectors of ${variant.name}: layers ${layers.join()} of ${decoder.numLayers}, form ${config.form}`,
    ];
    for (const style of styles) {
      const pairs = await pairsOf(style, config, place);
      if (pairs === null) {
        lines.push(`  ${style.name}: pairs to be made by ${config.teacher} first`);
        continue;
      }
      const texts = pairTexts(style, pairs.pairs, config.form, config.shots);
      const lengths = texts.flatMap(({ positive, negative }) =>
        [positive, negative].map(({ messages, prefix }) => model.promptIds(messages, prefix).length)
      );
      const long = lengths.filter((length) => length > decoder.contextWindow).length;
      lines.push(
        `  ${style.name}: ${texts.length} pairs ${pairs.source}, ${lengths.length} forward passes, ` +
          `${lengths.reduce((sum, n) => sum + n, 0).toLocaleString("en-US")} tokens`,
        ...(long > 0 ? [`    ${long} texts do not fit the window of ${decoder.contextWindow} tokens`] : []),
      );
    }
    parts.push(lines.join("\n"));
  }
  return parts.join("\n\n");
}

/** Vectors that were made, or were there. */
export interface MadeVectors extends StyleVectors {
  /** The style. */
  readonly style: string;
  /** The variant they were read from. */
  readonly variant: string;
}

/**
 * Makes the vectors of every style for every target, or finds them made. The pairs must be there: a teacher makes them
 * with `startSteeringPairs`.
 *
 * @throws {InputError} when a setting, a variant or a file is wrong.
 * @throws the signal's reason.
 */
export async function makeVectors(
  input: Readonly<Record<string, unknown>>,
  options: { readonly signal?: AbortSignal; readonly log?: (line: string) => void } = {},
): Promise<MadeVectors[]> {
  const { config, place, styles, variants } = await orderOf(input);
  const made: MadeVectors[] = [];
  for (const variant of variants) {
    await using opened = await openSteerable(variant);
    const model: Steerable = opened;
    for (const style of styles) {
      const pairs = await pairsOf(style, config, place);
      if (pairs === null) {
        throw new InputError(
          `${config.teacher} has made no pairs for ${style.name}: start the same command to ask again, or use the pairs ` +
            "that ship.",
        );
      }
      made.push({
        ...await styleVectors({ style, pairs, config, place, variant, model, ...options }),
        style: style.name,
        variant: variant.name,
      });
    }
  }
  return made;
}

/** Vectors for people: where they are, and how long they are in each layer. */
export function vectorsText({ style, variant, path, extracted, vectors }: MadeVectors): string {
  const layers = vectors.layers.map(({ layer, key, value }) =>
    `  layer ${layer}: length of the key ${norm(key).toFixed(3)}, of the value ${norm(value).toFixed(3)}`
  );
  const { site = "", pairs = "?" } = vectors.metadata;
  return [
    `${style}, ${variant}: ${pairs} pairs, keys ${vectors.keys}${extracted ? "" : " (made before)"}`,
    ...site.split("; read at, ").map((part, i) => `  ${i === 0 ? part : `read at, ${part}`}`),
    ...layers,
    `  ${path}`,
  ].join("\n");
}
