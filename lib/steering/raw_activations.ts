/**
 * Activations of whole texts, prompt and response, token by token, kept in files.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { modelIdentity } from "../backends/model_identity.ts";
import type { Steerable } from "../backends/steerable.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { hashJson } from "../base/hash.ts";
import { readSafetensors, readTensor } from "../engine/safetensors.ts";
import { encodeSafetensors } from "../engine/write_safetensors.ts";
import { answerTokens } from "./answer_readings.ts";
import { questionMessages } from "./sweep_rows.ts";

/** A prompt with a response to it. */
export interface RecordedResponse {
  /** Names its files. */
  readonly id: string;
  /** What was asked. */
  readonly prompt: string;
  /** What was answered. */
  readonly response: string;
}

/** The activations of one text. */
export interface RawActivations extends RecordedResponse {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their texts. */
  readonly tokens: readonly string[];
  /** Where the response begins among them. */
  readonly responseStart: number;
  /** By site (`residual.2`), `[tokens, width]`. */
  readonly activations: Readonly<Record<string, Float32Array>>;
}

const FORMAT = "probebook-raw-activations-1";

const metadataSchema = z.object({
  format: z.literal(FORMAT),
  key: z.string(),
  prompt: z.string(),
  response: z.string(),
  ids: z.string().transform((text) => JSON.parse(text) as unknown).pipe(z.array(z.int().nonnegative())),
  tokens: z.string().transform((text) => JSON.parse(text) as unknown).pipe(z.array(z.string())),
  response_start: z.string().transform(Number).pipe(z.int().nonnegative()),
});

/** The file of a text's activations. */
export function rawFile(folder: string, id: string): string {
  return join(folder, `${id}.safetensors`);
}

/** Options of {@linkcode captureRaw}. */
export interface CaptureOptions {
  /** Sites to capture: `residual.2`. */
  readonly sites: readonly string[];
  /** Where the files go. */
  readonly folder: string;
  /** Called after each text. */
  readonly onText?: (done: number, of: number) => void;
  /** Stops between texts, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Captures the activations of prompts with their responses, in one forward pass each; the responses may be another
 * model's. Texts whose file is there already, of the same model and text, are left as they are, and sites that a file
 * lacks are added to it.
 *
 * @returns how many were captured anew.
 * @throws {InputError} when a site does not exist, or a file cannot be written.
 */
export async function captureRaw(
  model: Steerable,
  texts: readonly RecordedResponse[],
  options: CaptureOptions,
): Promise<number> {
  const { folder, signal, onText } = options;
  const identity = modelIdentity(model.variant);
  let captured = 0;
  for (const [i, { id, prompt, response }] of texts.entries()) {
    signal?.throwIfAborted();
    const path = rawFile(folder, id);
    const key = hashJson([FORMAT, identity, prompt, response]);
    const there = await sitesOf(path, key);
    if (!options.sites.every((site) => there.includes(site))) {
      const sites = [...new Set([...there, ...options.sites])].sort();
      const { ids, start } = answerTokens(model, questionMessages(prompt), response);
      const result = await model.decoder.forward(ids, { capture: sites, ...(signal ? { signal } : {}) });
      const tensors = Object.fromEntries(sites.map((site) => {
        const data = result.captured[site] as Float32Array;
        return [site, { dtype: "F32" as const, shape: [ids.length, data.length / ids.length], data }];
      }));
      await writeAtomic(
        path,
        encodeSafetensors(tensors, {
          format: FORMAT,
          key,
          prompt,
          response,
          ids: JSON.stringify(ids),
          tokens: JSON.stringify(tokenTextsOf(model, ids)),
          response_start: String(start),
        }),
      );
      captured++;
    }
    onText?.(i + 1, texts.length);
  }
  return captured;
}

/** The sites that a file holds, when it is of this model and text; none when there is no such file. */
async function sitesOf(path: string, key: string): Promise<string[]> {
  try {
    const { tensors, metadata } = await readSafetensors(path);
    return metadata["key"] === key ? [...tensors.keys()] : [];
  } catch (error) {
    if (error instanceof InputError) return []; // missing or damaged: captured anew
    throw error;
  }
}

/**
 * Reads the activations of a text.
 *
 * @param sites those that are wanted.
 * @throws {InputError} when the file is missing or damaged, or lacks a site.
 */
export async function readRaw(folder: string, id: string, sites: readonly string[]): Promise<RawActivations> {
  const path = rawFile(folder, id);
  const { tensors, metadata } = await readSafetensors(path);
  const bad = (why: string) =>
    new InputError(`${path} holds no activations of ours (${why}): delete it, and project again.`);
  let parsed: z.ZodSafeParseResult<z.output<typeof metadataSchema>>;
  try {
    parsed = metadataSchema.safeParse(metadata);
  } catch {
    throw bad("its metadata is damaged");
  }
  if (!parsed.success) throw bad("its metadata is another's");
  const { prompt, response, ids, tokens, response_start: responseStart } = parsed.data;
  if (tokens.length !== ids.length || responseStart > ids.length) throw bad("its tokens do not fit");
  const activations: Record<string, Float32Array> = {};
  for (const site of sites) {
    const entry = tensors.get(site);
    if (entry === undefined || entry.shape.length !== 2 || entry.shape[0] !== ids.length) {
      throw bad(`no ${site}`);
    }
    activations[site] = await readTensor(site, entry);
  }
  return { id, prompt, response, ids, tokens, responseStart, activations };
}

/** The text that each token adds; one that ends inside a character adds nothing, and the token that ends it adds it. */
function tokenTextsOf({ decoder }: Steerable, ids: readonly number[]): string[] {
  const before = decoder.encode("a"); // some decoders drop the space that a text begins with
  const skip = decoder.decode(before).length;
  const texts: string[] = [];
  let start = 0;
  for (let i = 0; i < ids.length; i++) {
    const text = decoder.decode([...before, ...ids.slice(start, i + 1)]).slice(skip);
    const whole = !text.endsWith("\ufffd") || i === ids.length - 1;
    texts.push(whole ? text : "");
    if (whole) start = i + 1;
  }
  return texts;
}
