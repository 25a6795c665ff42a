/**
 * What a user may choose of the factory of steering vectors: settings, and a YAML file of them.
 * @module
 */
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { KV_SLOT } from "../backends/steering.ts";
import { nearestName, type Variant } from "../backends/variants.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { getModelVariant, loadExperimentConfig, type VariantMode } from "./experiment_config.ts";
import { PAIR_FORMS, type PairForm } from "./pair_prompts.ts";
import { STYLES } from "./style.ts";

const strengths = z.array(z.number()).min(1).max(32);

/** The settings of the factory; everything has a default. */
export const factoryConfigSchema = z.strictObject({
  /** Fewer pairs, questions and strengths. */
  test: z.boolean().default(false),
  /** A YAML file of settings, see {@linkcode readFactoryFile}; what is set here wins over it. */
  config: z.string().min(1).nullable().default(null),
  /** Styles that ship, or YAML files of your own, separated by commas; null for those that ship. */
  styles: z.string().min(1).nullable().default(null),
  /** The experiment whose config.json names variants; null for models.json alone. */
  experiment: z.string().min(1).nullable().default(null),
  /** The variant that is steered; null for the experiment's default, or `model`. */
  modelVariant: z.string().min(1).nullable().default(null),
  /** The variant that vectors are read from; null for the experiment's default, or the one that is steered. */
  vectorsFrom: z.string().min(1).nullable().default(null),
  /** The variant that answers in each style; null for the pairs that ship. */
  teacher: z.string().min(1).nullable().default(null),
  /** A folder of `{style}_pairs.jsonl` to use in place of a teacher's or those that ship. */
  pairs: z.string().min(1).nullable().default(null),
  /** Most pairs of a style; null for all, or 24 in a test. */
  maxPairs: z.int().min(2).nullable().default(null),
  /** What differs between the two texts of a pair; null for instructions, or for answers where somebody wrote some. */
  form: z.enum(PAIR_FORMS).nullable().default(null),
  /** Worked examples before the question, for form `examples`. */
  shots: z.int().min(1).max(64).default(3),
  /** The token that is read, from the end of each text; null for the one that vectors are added to, or of answers the last. */
  token: z.int().max(-1).nullable().default(null),
  /** Takes keys with their positions, as they are cached. */
  rawKeys: z.boolean().default(false),
  /** Layers read and steered: `8-15`, `2,3`; null for the default of the model's depth. */
  layers: z.string().min(1).nullable().default(null),
  /** c_k: how many times keys are added; every one with every c_v. Null for 0 and 1. */
  keys: strengths.nullable().default(null),
  /** c_v: how many times values are added; null for 1, 2, 4 and 8, or 1, 3 and 8 in a test. */
  values: strengths.nullable().default(null),
  /** A .jsonl file of questions ({"question", "answer"?}) or a .txt file; null for our own. */
  questions: z.string().min(1).nullable().default(null),
  /** Most questions, half of them to choose strengths on and half to report on; null for 60, or 24 in a test. */
  maxQuestions: z.int().min(4).nullable().default(null),
  /** Share of coherent answers that a strength needs to be chosen. */
  coherentShare: z.number().gt(0).max(1).default(0.75),
  /** Most tokens of an answer; null for 400, or 80 in a test. */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  temperature: z.number().min(0).max(2).default(0),
  /** Draws questions, the split and random vectors, and seeds answers above temperature 0. */
  seed: z.int().default(0),
});

/** The settings of the factory, checked and with defaults. */
export type FactoryConfig = Omit<z.output<typeof factoryConfigSchema>, "form" | "token"> & {
  /** What differs between the two texts of a pair. */
  readonly form: PairForm;
  /** The token that is read, from the end of each text. */
  readonly token: number;
  /** What names of files say of form and keys: `_examples_raw`; empty for the defaults. */
  readonly mark: string;
  /** What the YAML file says besides. */
  readonly file: FactoryFile;
};

/** What a YAML file may set. */
export const factoryFileSchema = z.strictObject({
  teacher_model: z.string().min(1).optional(),
  target_model: z.string().min(1).optional(),
  device: z.enum(["auto", "cpu", "webgpu", "cuda"]).default("auto"),
  load_in_8bit: z.boolean().default(false),
  api_delay: z.number().nonnegative().optional(),
  regenerate_datasets: z.boolean().default(false),
  additional_questions: z.array(z.string().trim().min(1)).default([]),
  styles: z.array(z.string().min(1)).min(1).optional(),
  target_layers: z.array(z.int().nonnegative()).min(1).optional(),
});

/** A YAML file of settings, checked and with defaults. */
export type FactoryFile = z.output<typeof factoryFileSchema>;

/**
 * Reads a YAML file of settings:
 *
 * ```yaml
 * teacher_model: gpt-4o-mini   # a variant, or the name its server knows it by
 * target_model: pocket
 * device: auto                 # auto is the variant's own
 * load_in_8bit: true           # runs the target in q8
 * api_delay: 1.0               # seconds between two requests to the teacher
 * regenerate_datasets: false   # makes pairs anew from the teacher's answers although there are some
 * additional_questions: []     # asked of the teacher besides each style's own
 * styles: [step_by_step_reasoning]
 * target_layers: [8, 9, 10]
 * ```
 *
 * @throws {InputError} when it cannot be read, or naming each wrong field.
 */
export function readFactoryFile(path: string | null): FactoryFile {
  if (path === null) return factoryFileSchema.parse({});
  let source: unknown;
  try {
    source = parseYaml(Deno.readTextFileSync(path)) ?? {};
  } catch (error) {
    throw new InputError(`Cannot read the settings ${path}: ${messageOf(error)}`, { cause: error });
  }
  const parsed = factoryFileSchema.safeParse(source);
  if (parsed.success) return parsed.data;
  throw new InputError(`${path} has wrong fields; correct them:\n${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/**
 * Settings with those of their YAML file behind them, and form and token as they are. Where a teacher or a folder gives
 * answers, they are read, at their ends; else prompts are, where vectors are added.
 *
 * @throws {InputError} when the file is wrong.
 */
export function withFactoryFile(settings: z.output<typeof factoryConfigSchema>): FactoryConfig {
  const file = readFactoryFile(settings.config);
  const teacher = settings.teacher ?? file.teacher_model ?? null;
  const usual = teacher === null && settings.pairs === null ? "instructions" : "answers";
  const form = settings.form ?? usual;
  return {
    ...settings,
    file,
    form,
    mark: `${form === usual ? "" : `_${form}`}${settings.rawKeys ? "_raw" : ""}`,
    token: settings.token ?? (form === "answers" ? -1 : KV_SLOT),
    styles: settings.styles ?? file.styles?.join() ?? null,
    teacher,
    modelVariant: settings.modelVariant ?? file.target_model ?? null,
    layers: settings.layers ?? file.target_layers?.join() ?? null,
  };
}

/** The styles of a config, as they were named. */
export function stylesOf({ styles }: Pick<FactoryConfig, "styles">): string[] {
  return styles === null
    ? [...STYLES]
    : [...new Set(styles.split(",").map((name) => name.trim()).filter((name) => name !== ""))];
}

/** A variant by its name, or by the name its server or hub knows it by. @throws {InputError} */
export function variantNamed(known: ReadonlyMap<string, Variant>, name: string): Variant {
  const found = known.get(name) ??
    [...known.values()].find((variant) => variant.backend !== "simulated" && variant.model === name);
  if (found !== undefined) return found;
  const names = [...known.keys()];
  const near = nearestName(names, name);
  throw new InputError(
    `There is no variant for the model ${JSON.stringify(name)}.${
      near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`
    } Add it to models.json, or choose of: ${names.join(", ")}.`,
  );
}

/**
 * The variants that are steered.
 *
 * @param model the shared setting `model`, which counts where nothing else names one.
 * @throws {InputError} when there is none of a name.
 */
export async function targetVariants(
  config: FactoryConfig,
  model: string,
  known: ReadonlyMap<string, Variant>,
): Promise<Variant[]> {
  const { experiment, modelVariant } = config;
  const given = (modelVariant ?? model).split(",").map((name) => name.trim()).filter((name) => name !== "");
  const variants: Variant[] = [];
  const own = experiment === null ? null : await loadExperimentConfig(experiment);
  if (experiment !== null && own?.path && modelVariant === null) {
    variants.push(await getModelVariant(experiment, null, "application"));
  } else {
    for (const name of new Set(given)) variants.push(await oneVariant(config, name, "application", known));
  }
  return variants.map((variant) => asFileSays(variant, config.file));
}

/** The variant that vectors are read from, for one that is steered. @throws {InputError} */
export async function extractionVariant(
  config: FactoryConfig,
  target: Variant,
  known: ReadonlyMap<string, Variant>,
): Promise<Variant> {
  const { experiment, vectorsFrom } = config;
  if (vectorsFrom !== null) {
    return asFileSays(await oneVariant(config, vectorsFrom, "extraction", known), config.file);
  }
  if (experiment === null || (await loadExperimentConfig(experiment)).path === null) return target;
  return asFileSays(await getModelVariant(experiment, null, "extraction"), config.file);
}

async function oneVariant(
  { experiment }: FactoryConfig,
  name: string,
  mode: VariantMode,
  known: ReadonlyMap<string, Variant>,
): Promise<Variant> {
  return experiment === null ? variantNamed(known, name) : await getModelVariant(experiment, name, mode);
}

/** A variant on the device and in the arithmetic that the file asks for. */
function asFileSays(variant: Variant, { device, load_in_8bit }: FactoryFile): Variant {
  if (variant.backend !== "local") return variant;
  return {
    ...variant,
    ...(device === "auto" ? {} : { device }),
    ...(load_in_8bit ? { dtype: "q8" as const } : {}),
  };
}
