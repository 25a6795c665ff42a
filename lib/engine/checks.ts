/**
 * Checks of what callers hand to the engine.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "./config.ts";
import { checkLayer } from "./steering.ts";
import type { KvEdit, LoadOptions, SampleOptions } from "./types.ts";

const loadSchema = z.strictObject({
  dtype: z.enum(["fp32", "q8", "q4"]).optional(),
  lora: z.string().min(1).optional(),
  mergeLora: z.boolean().optional(),
  device: z.enum(["cpu", "webgpu", "cuda"]).optional(),
  threads: z.int().positive().optional(),
  cacheBytes: z.number().nonnegative().optional(),
  revision: z.string().min(1).optional(),
  cacheDir: z.string().min(1).optional(),
  offline: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * Checks the options a model is to be loaded with.
 *
 * @throws {InputError} naming each wrong one and what this version runs.
 */
export function checkLoadOptions(dir: string, options: LoadOptions): void {
  const { error } = loadSchema.safeParse(options);
  if (error !== undefined) {
    throw new InputError(
      `Cannot load ${dir} with these options: ${z.prettifyError(error)}\n` +
        `This version takes ${Object.keys(loadSchema.shape).join(", ")}.`,
      { cause: error },
    );
  }
}

/**
 * Checks token ids that are to follow `past` tokens.
 *
 * @throws {InputError} for no ids, ids outside the vocabulary, and more than the context window holds.
 */
export function checkIds(config: DecoderConfig, ids: readonly number[], past: number): void {
  if (ids.length === 0) throw new InputError("No token ids were given: give at least one.");
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= config.vocabSize);
  if (wrong !== undefined) {
    throw new InputError(
      `Token id ${wrong} does not exist: the vocabulary has ids 0 to ${config.vocabSize - 1}.`,
    );
  }
  if (past + ids.length > config.contextWindow) {
    throw new InputError(
      `${
        past + ids.length
      } tokens do not fit the context window of ${config.contextWindow}: shorten the prompt.`,
    );
  }
}

/**
 * Checks the sites named for capture.
 *
 * @throws {InputError} for a site the model does not have.
 */
export function checkSites(config: DecoderConfig, sites: readonly string[]): void {
  for (const site of sites) {
    const match = /^(?:residual|resid_mid|attn_out|mlp_out|k|v)\.(\d{1,4})$/.exec(site);
    if (match === null) {
      throw new InputError(
        `Unknown site ${JSON.stringify(site.slice(0, 60))}: sites are residual.N, resid_mid.N, attn_out.N, ` +
          "mlp_out.N, k.N and v.N, where N is a block from 0.",
      );
    }
    checkLayer(config, Number(match[1]));
  }
}

/**
 * Checks the options of generate for a prefix of `length` tokens.
 *
 * @throws {InputError} naming the first wrong one.
 */
export function checkGenerate(config: DecoderConfig, length: number, options: SampleOptions): void {
  const { n = 1, maxNewTokens, temperature = 0, topP = 1, topK = 0, seeds } = options;
  const need = (ok: boolean, name: string, value: unknown, expected: string) => {
    if (!ok) throw new InputError(`${name} is ${String(value)}: give ${expected}.`);
  };
  need(Number.isInteger(n) && n >= 1, "n", n, "a whole number of samples, at least 1");
  need(
    Number.isInteger(maxNewTokens) && maxNewTokens >= 1,
    "maxNewTokens",
    maxNewTokens,
    "a whole number from 1",
  );
  need(Number.isFinite(temperature) && temperature >= 0, "temperature", temperature, "a number from 0");
  need(topP > 0 && topP <= 1, "topP", topP, "a number above 0, at most 1");
  need(Number.isInteger(topK) && topK >= 0, "topK", topK, "a whole number, or 0 for all tokens");
  const { topLogprobs = 0 } = options;
  const count = Number.isInteger(topLogprobs) && topLogprobs >= 0 && topLogprobs <= 100;
  need(count, "topLogprobs", topLogprobs, "a whole number from 0 to 100");
  need(
    seeds === undefined || seeds.length === n,
    "The number of seeds",
    seeds?.length,
    `one seed for each of ${n}`,
  );
  if (length + 1 > config.contextWindow) {
    throw new InputError(
      `A prefix of ${length} tokens and 1 new one do not fit the context window of ${config.contextWindow}: ` +
        "shorten the prompt.",
    );
  }
}

/** The error for a prefix that another model has computed. */
export function foreignPrefix(): InputError {
  return new InputError(
    "The prefix belongs to another model: prefill with the model that is to continue it.",
  );
}

/**
 * Checks a KV edit and gives its slot counted from 0.
 *
 * @throws {InputError} for layers, slots or vectors that do not fit.
 */
export function checkEdit(config: DecoderConfig, length: number, edit: KvEdit): number {
  checkLayer(config, edit.layer);
  const slot = edit.slot < 0 ? length + edit.slot : edit.slot;
  if (!Number.isInteger(slot) || slot < 0 || slot >= length) {
    throw new InputError(`Slot ${edit.slot} does not exist: the prefix has slots 0 to ${length - 1}.`);
  }
  const width = config.numKvHeads * config.headDim;
  for (const [name, vector] of Object.entries({ key: edit.key, value: edit.value })) {
    if (vector !== undefined && (vector.length !== width || !vector.every(Number.isFinite))) {
      throw new InputError(
        `The ${name} of a KV edit has ${vector.length} numbers; give ${width} finite ones.`,
      );
    }
  }
  for (const [name, scale] of Object.entries({ scaleK: edit.scaleK ?? 1, scaleV: edit.scaleV ?? 1 })) {
    if (!Number.isFinite(scale)) throw new InputError(`${name} is ${scale}: give a finite number.`);
  }
  return slot;
}
