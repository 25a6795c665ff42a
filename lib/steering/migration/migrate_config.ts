/**
 * An experiment's config.json in today's form.
 * @module
 */
import { z } from "zod";
import { InputError, messageOf } from "../../base/errors.ts";

/** A configuration in today's form. */
export interface NewConfig {
  /** The variants that are used where none is named. */
  readonly defaults: { readonly extraction: string; readonly application: string };
  /** The models. */
  readonly model_variants: Readonly<Record<string, { readonly model: string; readonly lora?: string }>>;
}

const name = z.string().regex(/^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/, "a name such as base or rm_lora");
const spec = z.looseObject({ model: z.string().min(1), lora: z.string().min(1).nullish() });
const newSchema = z.looseObject({
  defaults: z.looseObject({ extraction: name.optional(), application: name.optional() }).default({}),
  model_variants: z.record(name, spec).refine(
    (variants) => Object.keys(variants).length > 0,
    "needs a variant",
  ),
});
const text = z.string().min(1).nullish();
const oldSchema = z.looseObject({
  extraction_model: text,
  application_model: text,
  model: text,
  extraction_lora: text,
  application_lora: text,
  lora: text,
});

/** Names of the variants of an older configuration that tells two models apart. */
const BASE = "base", INSTRUCT = "instruct";
/** How names of models end that were tuned to chat. */
const CHAT = /(?:^|[-_.])(?:it|instruct|chat|sft|dpo|rlhf)$/i;

/**
 * Brings a configuration into today's form. Older ones name an `extraction_model` and an `application_model`, or one
 * `model`: two become the variants base and instruct, one becomes base, or instruct where its name ends like a chat
 * model's. `variant` renames the one model.
 *
 * @param path names the file in messages
 * @throws {InputError} when the text is no configuration, or `variant` is none of its models.
 */
export function migrateConfig(json: string, path: string, variant: string | null): NewConfig {
  let config: unknown;
  try {
    config = JSON.parse(json);
  } catch (cause) {
    throw new InputError(`${path} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const migrated = isNew(config) ? fromNew(config, path) : fromOld(config, path, variant);
  if (variant !== null && !Object.hasOwn(migrated.model_variants, variant)) {
    throw new InputError(
      `${path} has no model variant ${JSON.stringify(variant)}: give one of ${
        Object.keys(migrated.model_variants).join(", ")
      } with --model-variant, or leave it out.`,
    );
  }
  return migrated;
}

function isNew(config: unknown): boolean {
  return typeof config === "object" && config !== null && "model_variants" in config;
}

function fromNew(config: unknown, path: string): NewConfig {
  const { defaults, model_variants } = parsed(newSchema, config, path);
  const names = Object.keys(model_variants);
  const extraction = defaults.extraction ?? names[0] as string;
  const application = defaults.application ?? extraction;
  for (const wanted of [extraction, application]) {
    if (!names.includes(wanted)) {
      throw new InputError(`${path}: the default ${wanted} is none of its variants: ${names.join(", ")}.`);
    }
  }
  return {
    defaults: { extraction, application },
    model_variants: Object.fromEntries(
      Object.entries(model_variants).map((
        [name, { model, lora }],
      ) => [name, { model, ...(lora ? { lora } : {}) }]),
    ),
  };
}

function fromOld(config: unknown, path: string, variant: string | null): NewConfig {
  const old = parsed(oldSchema, config, path);
  const modelOf = (model: string | null | undefined, lora: string | null | undefined) => {
    const adapter = lora ?? old.lora;
    return model ? { model, ...(adapter ? { lora: adapter } : {}) } : null;
  };
  const first = modelOf(old.extraction_model ?? old.model, old.extraction_lora);
  const second = modelOf(old.application_model ?? old.model, old.application_lora);
  const [extraction, application] = [first ?? second, second ?? first];
  if (extraction === null || application === null) {
    throw new InputError(
      `${path} names no model: it needs model_variants, or extraction_model and application_model, or model.`,
    );
  }
  if (JSON.stringify(extraction) !== JSON.stringify(application)) {
    return {
      defaults: { extraction: BASE, application: INSTRUCT },
      model_variants: { [BASE]: extraction, [INSTRUCT]: application },
    };
  }
  const only = variant ?? (CHAT.test(extraction.model) ? INSTRUCT : BASE);
  return { defaults: { extraction: only, application: only }, model_variants: { [only]: extraction } };
}

function parsed<T>(schema: z.ZodType<T>, config: unknown, path: string): T {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  throw new InputError(`${path} has wrong fields; correct them:\n${z.prettifyError(result.error)}`, {
    cause: result.error,
  });
}
