/**
 * Model variants: the named entries of `models/models.json`.
 * @module
 */
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import type { Json } from "../base/hash.ts";

const tokens = z.number().int().positive();
const environmentName = z.string().regex(
  /^[A-Z][A-Z0-9_]*$/,
  "an environment variable such as OPENAI_API_KEY",
);
const share = z.number().min(0).max(1);

const common = {
  description: z.string().min(1),
  contextWindow: tokens,
  trainedWindow: tokens.optional(),
  maxOutputTokens: tokens.default(4096),
  limits: z.strictObject({
    tokensPerMinute: tokens.nullable().optional(),
    requestsPerMinute: tokens.nullable().optional(),
    concurrency: tokens.optional(),
  }).default({}),
  price: z.strictObject({
    inputPerMTok: z.number().nonnegative(),
    outputPerMTok: z.number().nonnegative(),
    cachedPerMTok: z.number().nonnegative().optional(),
  }).optional(),
  priceModel: z.string().min(1).optional(),
};

const harmony = {
  format: z.literal("harmony").optional(),
  harmony: z.strictObject({
    reasoningEffort: z.enum(["low", "medium", "high"]).optional(),
    currentDate: z.iso.date().optional(),
    knowledgeCutoff: z.string().regex(/^\d{4}-\d{2}$/, "a month such as 2024-06").optional(),
  }).optional(),
};
const reasoning = z.strictObject({
  open: z.string().min(1),
  close: z.string().min(1),
}).optional();
const HARMONY_UNUSED = '"harmony" says what a rendered prompt holds: it needs "format": "harmony"';

const localSpec = z.strictObject({
  backend: z.literal("local"),
  ...common,
  ...harmony,
  model: z.string().min(1),
  revision: z.string().min(1).optional(),
  reasoning,
  dtype: z.enum(["fp32", "q8", "q4"]).default("fp32"),
  device: z.enum(["cpu", "webgpu", "cuda"]).default("cpu"),
  lora: z.string().min(1).optional(),
}).refine((v) => v.harmony === undefined || v.format === "harmony", { message: HARMONY_UNUSED });

const apiSpec = z.strictObject({
  backend: z.literal("api"),
  ...common,
  ...harmony,
  model: z.string().min(1),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  baseUrlEnv: environmentName.optional(),
  apiKeyEnv: environmentName.optional(),
  protocol: z.enum(["chat", "completions", "responses"]).default("chat"),
  promptTemplate: z.string().includes("{user}").optional(),
  reasoning,
  deployment: z.enum(["local", "cloud"]).default("cloud"),
  maxTokensField: z.enum(["max_tokens", "max_completion_tokens"]).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  provider: z.string().min(1).optional(),
  revision: z.string().min(1).optional(),
  lora: z.string().min(1).optional(),
  dtype: z.string().min(1).optional(),
  extraBody: z.record(z.string(), z.json()).default({}),
}).refine((v) => v.baseUrl !== undefined || v.baseUrlEnv !== undefined, {
  message: "an api variant needs baseUrl or baseUrlEnv",
}).refine((v) => v.promptTemplate === undefined || (v.protocol === "completions" && v.format === undefined), {
  message:
    '"promptTemplate" is how a raw prompt is written: it needs "protocol": "completions" and no "format"',
}).refine((v) => v.harmony === undefined || (v.format === "harmony" && v.protocol === "completions"), {
  message:
    `${HARMONY_UNUSED} and "protocol": "completions". A chat server renders the prompt itself: tell it with ` +
    '"extraBody": {"reasoning_effort": "low"}',
});

const simulatedSpec = z.strictObject({
  backend: z.literal("simulated"),
  ...common,
  mode: z.enum(["decay", "truncate", "loop", "refuse", "pad", "err", "anchors"]),
  seed: z.number().int().default(0),
  curve: z.strictObject({
    top: share.default(0.98),
    floor: share.default(0.02),
    halfLength: z.number().positive().default(20_000),
    steepness: z.number().positive().default(1.2),
    dip: share.default(0.3),
  }).prefault({}),
  window: tokens.default(8192),
  errorRate: share.default(0.3),
  latencyMs: z.number().nonnegative().default(0),
});

const KEBAB_CASE = /^[a-z0-9]+([.-][a-z0-9]+)*$/;
const fileSchema = z.strictObject({
  variants: z.record(z.string(), z.discriminatedUnion("backend", [localSpec, apiSpec, simulatedSpec])),
}).superRefine(({ variants }, context) => {
  for (const name of Object.keys(variants)) {
    if (KEBAB_CASE.test(name)) continue;
    const message = "a variant's name is kebab-case, such as gpt-oss-20b";
    context.addIssue({ code: "custom", message, path: ["variants", name] });
  }
});

/** Fields that every variant has. */
export interface VariantBase {
  /** Its name in models.json, kebab-case. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Most tokens of prompt and output together. */
  readonly contextWindow: number;
  /** The window the model was trained in, where it is smaller than the one it runs in. */
  readonly trainedWindow?: number | undefined;
  /** Most tokens one answer may have. */
  readonly maxOutputTokens: number;
  /** Limits of its own; null means none. What is left out is decided by {@linkcode limitsOf}. */
  readonly limits: {
    readonly tokensPerMinute?: number | null | undefined;
    readonly requestsPerMinute?: number | null | undefined;
    readonly concurrency?: number | undefined;
  };
  /** US dollars per million tokens; wins over every price table. */
  readonly price?: {
    readonly inputPerMTok: number;
    readonly outputPerMTok: number;
    readonly cachedPerMTok?: number | undefined;
  } | undefined;
  /** The model's name in the price table, where it differs from `model`. */
  readonly priceModel?: string | undefined;
}

/** How a model is spoken to. */
export interface FormatOptions {
  /**
   * `harmony`: the model speaks OpenAI's Harmony format, as gpt-oss does. Prompts of in-process models and of protocol
   * `completions` are then rendered here and answers split into reasoning and answer; a chat server does that itself,
   * and what it left unread is put right.
   */
  readonly format?: "harmony" | undefined;
  /** What the system message of a rendered Harmony prompt says, where it is not the format's default. */
  readonly harmony?: {
    readonly reasoningEffort?: "low" | "medium" | "high" | undefined;
    readonly currentDate?: string | undefined;
    readonly knowledgeCutoff?: string | undefined;
  } | undefined;
  /** How the assistant's turn opens and closes its reasoning, where {@linkcode reasoningMarks} would be wrong. */
  readonly reasoning?: ReasoningMarks | undefined;
}

/** What stands around the reasoning in an assistant's turn, byte for byte. */
export interface ReasoningMarks {
  /** Before it: `<think>` and a line break. */
  readonly open: string;
  /** Between it and the answer: a line break, `</think>` and a blank line. */
  readonly close: string;
}

/** An in-process model. */
export interface LocalVariant extends VariantBase, FormatOptions {
  /** Tells the kinds of variant apart. */
  readonly backend: "local";
  /** As written: a folder relative to models.json, or a Hugging Face id. */
  readonly model: string;
  /** Absolute folder of the checkpoint, or null when `model` is a Hugging Face id. */
  readonly folder: string | null;
  /** Revision of a Hugging Face id. */
  readonly revision?: string | undefined;
  /** Arithmetic of the weights; `fp32` when left out. */
  readonly dtype: "fp32" | "q8" | "q4";
  /** Where it runs; `cpu` when left out. */
  readonly device: "cpu" | "webgpu" | "cuda";
  /** A LoRA put over the weights, as written: a folder relative to models.json, or a Hugging Face id. */
  readonly lora?: string | undefined;
  /** Absolute folder of the LoRA, where `lora` is a folder. */
  readonly loraFolder?: string | undefined;
}

/** A model behind an OpenAI-compatible server. */
export interface ApiVariant extends VariantBase, FormatOptions {
  /** Tells the kinds of variant apart. */
  readonly backend: "api";
  /** The name the server knows the model by. */
  readonly model: string;
  /** Where the server is; the default when `baseUrlEnv` is set and its variable is not. */
  readonly baseUrl?: string | undefined;
  /** Environment variable that says where the server is. */
  readonly baseUrlEnv?: string | undefined;
  /** Environment variable that holds the key. */
  readonly apiKeyEnv?: string | undefined;
  /** Which endpoint is asked; `chat` when left out. `responses` takes neither stop texts, top-k nor seeds. */
  readonly protocol: "chat" | "completions" | "responses";
  /**
   * How a raw prompt of protocol `completions` is written, up to the assistant's turn: the model's chat template with
   * `{user}` in place of what the user says. Without it a message is sent as it stands.
   */
  readonly promptTemplate?: string | undefined;
  /** Whose hardware: decides the default tokens per minute (local 50,000; cloud 200,000) and whether it costs. */
  readonly deployment: "local" | "cloud";
  /** Name of the output cap in the request; OpenAI's newer models want `max_completion_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens" | undefined;
  /** Further headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The company that serves the model, as the price table names it (`openai`, `openrouter`). */
  readonly provider?: string | undefined;
  /** Which revision the server runs; recorded, not sent. */
  readonly revision?: string | undefined;
  /** Which LoRA the server runs; recorded, not sent. */
  readonly lora?: string | undefined;
  /** Which arithmetic the server runs; recorded, not sent. */
  readonly dtype?: string | undefined;
  /** Further fields of every request body. */
  readonly extraBody: Readonly<Record<string, Json>>;
}

/** A simulated model with known behaviour; see `openSimulated`. */
export interface SimulatedVariant extends VariantBase {
  /** Tells the kinds of variant apart. */
  readonly backend: "simulated";
  /** What it does. */
  readonly mode: "decay" | "truncate" | "loop" | "refuse" | "pad" | "err" | "anchors";
  /** All its chance comes from this and the request. */
  readonly seed: number;
  /** The accuracy of mode `decay`; see `simulatedAccuracy`. */
  readonly curve: AccuracyCurve;
  /** Tokens that mode `truncate` keeps. */
  readonly window: number;
  /** Share of tries that fail in mode `err`, 0..1. */
  readonly errorRate: number;
  /** Milliseconds each answer takes. */
  readonly latencyMs: number;
}

/** How a simulated model's accuracy falls; see `simulatedAccuracy`. */
export interface AccuracyCurve {
  /** Accuracy on the shortest inputs, 0..1. */
  readonly top: number;
  /** Accuracy on endless inputs, 0..1. */
  readonly floor: number;
  /** Length in tokens at which half of the fall has happened. */
  readonly halfLength: number;
  /** How sharp the fall is. */
  readonly steepness: number;
  /** Share of the accuracy lost in the middle of the input, 0..1. */
  readonly dip: number;
}

/** A named entry of `models/models.json`, checked and with its defaults filled in. */
export type Variant = LocalVariant | ApiVariant | SimulatedVariant;

/** Reads an environment variable; `Deno.env` does. */
export interface Environment {
  /** The variable's value; undefined when it is not set. */
  get(name: string): string | undefined;
}

/** The models.json in use: `PROBEBOOK_MODELS`, or the one that ships. */
export function modelsPath(env: Environment = Deno.env): string {
  return env.get("PROBEBOOK_MODELS") || fileURLToPath(new URL("../../models/models.json", import.meta.url));
}

/**
 * Reads and checks every variant of a models.json, by name.
 *
 * @param path a models.json; `PROBEBOOK_MODELS` or the one that ships when left out.
 * @throws {InputError} when the file is missing, is not JSON, or a field is wrong (each is named).
 */
export async function loadVariants(path: string = modelsPath()): Promise<ReadonlyMap<string, Variant>> {
  const text = await readTextIfExists(path).catch((cause) => {
    throw new InputError(
      `Cannot read the variants file ${path}: point PROBEBOOK_MODELS at a readable file.`,
      {
        cause,
      },
    );
  });
  if (text === undefined) {
    throw new InputError(
      `There is no variants file at ${path}: create it as {"variants": {...}} (models/models.json ships as an ` +
        `example) or point PROBEBOOK_MODELS at yours.`,
    );
  }
  return parseVariants(text, path);
}

/**
 * Checks the text of a models.json. Local folders are resolved against the file's own folder.
 *
 * @throws {InputError} naming every wrong field.
 */
export function parseVariants(text: string, path: string): ReadonlyMap<string, Variant> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    throw new InputError(`${path} has wrong fields; correct them:\n${z.prettifyError(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  const variants = new Map<string, Variant>();
  for (const [name, spec] of Object.entries(parsed.data.variants)) {
    if (spec.backend !== "local") variants.set(name, { ...spec, name });
    else {
      const folderOf = (text: string) =>
        text.startsWith(".") || isAbsolute(text) ? resolve(dirname(path), text) : null;
      const loraFolder = spec.lora === undefined ? null : folderOf(spec.lora);
      variants.set(name, {
        ...spec,
        name,
        folder: folderOf(spec.model),
        ...(loraFolder === null ? {} : { loraFolder }),
      });
    }
  }
  return variants;
}

/**
 * One variant by name.
 *
 * @throws {InputError} when there is none of that name: lists what exists, nearest first.
 */
export async function getVariant(name: string, path: string = modelsPath()): Promise<Variant> {
  return pickVariant(await loadVariants(path), name, path);
}

/** As {@linkcode getVariant}, from variants already loaded. @throws {InputError} */
export function pickVariant(variants: ReadonlyMap<string, Variant>, name: string, path?: string): Variant {
  const variant = variants.get(name);
  if (variant) return variant;
  const names = [...variants.keys()];
  const nearest = nearestName(names, name);
  const hint = nearest === undefined ? "" : ` Did you mean ${JSON.stringify(nearest)}?`;
  throw new InputError(
    `There is no variant ${JSON.stringify(name)}${path ? ` in ${path}` : ""}.${hint} ` +
      `Variants: ${names.join(", ") || "none"}.`,
  );
}

/** The name that was perhaps meant: the nearest, where it is near enough. */
export function nearestName(names: readonly string[], meant: string): string | undefined {
  const nearest = names.toSorted((a, b) => distance(a, meant) - distance(b, meant))[0];
  return nearest !== undefined && distance(nearest, meant) <= Math.max(2, meant.length / 3)
    ? nearest
    : undefined;
}

/** A variant's name in file names: `gpt-oss-20b` -> `gpt_oss_20b`. */
export function snakeName(name: string): string {
  return name.replaceAll(/[-.]/g, "_");
}

/** Whose hardware a variant runs on: in-process and simulated variants are `local`. */
export function deploymentOf(variant: Variant): "local" | "cloud" {
  return variant.backend === "api" ? variant.deployment : "local";
}

/** Names of the environment variables a variant needs and does not have. Values are never shown. */
export function missingEnvironment(variant: Variant, env: Environment = Deno.env): string[] {
  if (variant.backend !== "api") return [];
  const missing: string[] = [];
  const { baseUrl, baseUrlEnv, apiKeyEnv } = variant;
  if (baseUrl === undefined && baseUrlEnv !== undefined && !env.get(baseUrlEnv)) missing.push(baseUrlEnv);
  if (apiKeyEnv !== undefined && !env.get(apiKeyEnv)) missing.push(apiKeyEnv);
  return missing;
}

/** Where a variant's server is, by its environment variable, else by models.json; undefined when neither says. */
export function serverUrl(
  variant: Pick<ApiVariant, "baseUrl" | "baseUrlEnv">,
  env: Environment = Deno.env,
): string | undefined {
  return (variant.baseUrlEnv && env.get(variant.baseUrlEnv)) || variant.baseUrl;
}

/** How fast a variant may be asked. null means no limit. */
export interface Limits {
  /** Prompt and output tokens in any sliding minute. */
  readonly tokensPerMinute: number | null;
  /** Requests in any sliding minute. */
  readonly requestsPerMinute: number | null;
  /** Most requests under way at once. */
  readonly maxConcurrency: number;
}

const DEPLOYMENT_TOKENS_PER_MINUTE = { local: 50_000, cloud: 200_000 };
const DEFAULT_CONCURRENCY = { local: 4, api: 4, simulated: 16 };

/**
 * A variant's limits: `MAX_TOKENS_PER_MINUTE`, then its own `limits`, then the default of its deployment.
 * In-process and simulated variants have none unless models.json sets them.
 *
 * @throws {InputError} when `MAX_TOKENS_PER_MINUTE` is not a positive whole number.
 */
export function limitsOf(variant: Variant, env: Environment = Deno.env): Limits {
  const { limits } = variant;
  const isApi = variant.backend === "api";
  const fallback = isApi ? DEPLOYMENT_TOKENS_PER_MINUTE[variant.deployment] : null;
  const override = env.get("MAX_TOKENS_PER_MINUTE");
  if (isApi && override && !/^[1-9]\d*$/.test(override)) {
    throw new InputError(
      `MAX_TOKENS_PER_MINUTE is ${
        JSON.stringify(override)
      }: give a positive whole number, or leave it empty.`,
    );
  }
  const own = limits.tokensPerMinute === undefined ? fallback : limits.tokensPerMinute;
  return {
    tokensPerMinute: isApi && override ? Number(override) : own,
    requestsPerMinute: limits.requestsPerMinute ?? null,
    maxConcurrency: limits.concurrency ?? DEFAULT_CONCURRENCY[variant.backend],
  };
}
