/**
 * Which models an experiment uses: `data/experiments/{experiment}/config.json` beside models.json.
 *
 * ```json
 * {
 *   "defaults": { "extraction": "base", "application": "instruct" },
 *   "model_variants": {
 *     "base": { "model": "OWNER/BASE" },
 *     "instruct": { "model": "OWNER/INSTRUCT" },
 *     "tuned": { "model": "OWNER/INSTRUCT", "lora": "OWNER/ADAPTER" }
 *   }
 * }
 * ```
 * @module
 */
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadVariants, modelsPath, nearestName, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { checkSegment } from "./layout.ts";

/** What a variant is wanted for: to read activations from, or to be steered. */
export type VariantMode = "extraction" | "application";

/** Where experiments and models are described. */
export interface ConfigOptions {
  /** The folder of experiments; `data/experiments` of this project when left out. */
  readonly experiments?: string;
  /** The models.json; the one in use when left out. */
  readonly models?: string;
}

const name = z.string().regex(/^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/, "a name such as base or rm_lora");
const specSchema = z.strictObject({
  model: z.string().min(1),
  lora: z.string().min(1).optional(),
  revision: z.string().min(1).optional(),
  dtype: z.enum(["fp32", "q8", "q4"]).optional(),
  device: z.enum(["cpu", "webgpu", "cuda"]).optional(),
  contextWindow: z.int().positive().optional(),
  maxOutputTokens: z.int().positive().optional(),
  description: z.string().min(1).optional(),
});
type VariantSpec = z.output<typeof specSchema>;
const fileSchema = z.strictObject({
  defaults: z.strictObject({ extraction: name.optional(), application: name.optional() }).default({}),
  model_variants: z.record(name, specSchema).default({}),
});

/** What config.json says of an experiment, with the variants of models.json behind its own. */
export interface ExperimentConfig {
  /** The experiment. */
  readonly experiment: string;
  /** Its file; null when it has none, and the variants are those of models.json. */
  readonly path: string | null;
  /** The variant that is used where none is named. */
  readonly defaults: Readonly<Record<VariantMode, string>>;
  /** By name, the experiment's own first. */
  readonly variants: ReadonlyMap<string, Variant>;
}

/** Where an experiment is without a config.json, or with one that names no default. */
const DEFAULT_VARIANT = "pocket";
/** Positions of a hub model whose config.json does not lie here. */
const UNKNOWN_WINDOW = 8192;

const known = new Map<string, { readonly stamp: string; readonly config: ExperimentConfig }>();

/**
 * Reads an experiment's configuration. It is read once, and again when a file has changed.
 *
 * @throws {InputError} when the name cannot be a folder's or a field of the file is wrong.
 */
export async function loadExperimentConfig(
  experiment: string,
  options: ConfigOptions = {},
): Promise<ExperimentConfig> {
  checkSegment("experiment", experiment);
  const folder = options.experiments ??
    fileURLToPath(new URL("../../data/experiments", import.meta.url));
  const path = join(folder, experiment, "config.json");
  const models = options.models ?? modelsPath();
  const key = JSON.stringify([path, models]);
  const stamp = `${await stampOf(path)} ${await stampOf(models)}`;
  const cached = known.get(key);
  if (cached?.stamp === stamp) return cached.config;
  const config = await read(experiment, path, models);
  known.set(key, { stamp, config });
  return config;
}

async function read(experiment: string, path: string, models: string): Promise<ExperimentConfig> {
  const shared = await loadVariants(models);
  const text = await readTextIfExists(path);
  if (text === undefined) {
    const fallback = shared.has(DEFAULT_VARIANT) ? DEFAULT_VARIANT : [...shared.keys()][0] ?? DEFAULT_VARIANT;
    const defaults = { extraction: fallback, application: fallback };
    return { experiment, path: null, defaults, variants: shared };
  }
  const parsed = fileSchema.safeParse(parseJson(text, path));
  if (!parsed.success) {
    throw new InputError(`${path} has wrong fields; correct them:\n${z.prettifyError(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  const { defaults, model_variants: specs } = parsed.data;
  const variants = new Map<string, Variant>();
  for (const [variant, spec] of Object.entries(specs)) {
    variants.set(variant, await variantOf(variant, spec, shared, dirname(path)));
  }
  for (const [variant, entry] of shared) if (!variants.has(variant)) variants.set(variant, entry);
  const first = Object.keys(specs)[0] ?? DEFAULT_VARIANT;
  const extraction = defaults.extraction ?? first;
  const chosen = { extraction, application: defaults.application ?? extraction };
  for (const [mode, wanted] of Object.entries(chosen)) {
    if (!variants.has(wanted)) {
      throw new InputError(
        `${path}: the default for ${mode}, ${wanted}, is no variant. ${listed(variants, wanted)}`,
      );
    }
  }
  return { experiment, path, defaults: chosen, variants };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A variant of models.json with changes, or the checkpoint of a folder or hub repository. */
async function variantOf(
  name: string,
  spec: VariantSpec,
  shared: ReadonlyMap<string, Variant>,
  folder: string,
): Promise<Variant> {
  const { model, lora, ...changes } = spec;
  const folderOf = (text: string) =>
    text.startsWith(".") || isAbsolute(text) ? resolve(folder, text) : undefined;
  const loraFolder = lora === undefined ? undefined : folderOf(lora);
  const adapter = lora === undefined ? {} : { lora, ...(loraFolder === undefined ? {} : { loraFolder }) };
  const base = shared.get(model);
  if (base === undefined) {
    const own = folderOf(model) ?? null;
    return {
      backend: "local",
      description: `${model}${lora === undefined ? "" : ` with ${lora}`}`,
      model,
      folder: own,
      contextWindow: own === null ? UNKNOWN_WINDOW : await windowOf(own),
      maxOutputTokens: 4096,
      limits: {},
      dtype: "fp32",
      device: "cpu",
      ...defined(changes),
      ...adapter,
      name,
    };
  }
  if (base.backend === "simulated") return { ...base, name };
  // A server knows an adapter by a name of its own, and is asked for it by that name.
  if (base.backend === "api") return { ...base, ...(lora === undefined ? {} : { model: lora, lora }), name };
  return { ...base, ...defined(changes), ...adapter, name };
}

/** The fields that are given. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const checkpointSchema = z.looseObject({ max_position_embeddings: z.int().positive() });

async function windowOf(folder: string): Promise<number> {
  const text = await readTextIfExists(join(folder, "config.json")).catch(() => undefined);
  try {
    return checkpointSchema.parse(JSON.parse(text ?? "")).max_position_embeddings;
  } catch {
    return UNKNOWN_WINDOW;
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { mtime, size } = await Deno.stat(path);
    return `${mtime?.getTime()}/${size}`;
  } catch {
    return "none";
  }
}

/** The variant that is used for something where none is named. @throws {InputError} */
export async function getDefaultVariant(
  experiment: string,
  mode: VariantMode,
  options: ConfigOptions = {},
): Promise<string> {
  return (await loadExperimentConfig(experiment, options)).defaults[mode];
}

/** The names of the variants of an experiment, its own first. @throws {InputError} */
export async function listModelVariants(experiment: string, options: ConfigOptions = {}): Promise<string[]> {
  return [...(await loadExperimentConfig(experiment, options)).variants.keys()];
}

/**
 * A variant of an experiment: the one of a name, or without a name the default of the mode.
 *
 * @throws {InputError} when there is none of that name: lists those that exist.
 */
export async function getModelVariant(
  experiment: string,
  variant: string | null | undefined,
  mode: VariantMode,
  options: ConfigOptions = {},
): Promise<Variant> {
  const { variants, defaults, path } = await loadExperimentConfig(experiment, options);
  const wanted = variant ?? defaults[mode];
  const found = variants.get(wanted);
  if (found !== undefined) return found;
  throw new InputError(
    `The experiment ${experiment} has no model variant ${JSON.stringify(wanted)}${
      path === null ? "" : ` (${path})`
    }. ${listed(variants, wanted)}`,
  );
}

function listed(variants: ReadonlyMap<string, Variant>, wanted: string): string {
  const names = [...variants.keys()];
  const near = nearestName(names, wanted);
  const hint = near === undefined ? "" : `Did you mean ${JSON.stringify(near)}? `;
  return `${hint}Variants: ${names.join(", ") || "none"}.`;
}
