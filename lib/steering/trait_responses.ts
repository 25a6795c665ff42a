/**
 * A model's responses to the prompts of a trait, collected so that a stopped collection goes on where it was.
 * @module
 */
import { join } from "node:path";
import { createCaller } from "../backends/caller.ts";
import { modelIdentity } from "../backends/model_identity.ts";
import type { Backend } from "../backends/backend.ts";
import type { Steerable } from "../backends/steerable.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { openAttempts } from "../runs/attempts.ts";
import type { Prompt, Row } from "../runs/experiment.ts";
import { lockRun } from "../runs/lock.ts";
import { planHash } from "../runs/plan_hash.ts";
import { countRows, startRun } from "../runs/runner.ts";
import type { TokenText } from "./capture.ts";
import { type Trait, TRAIT_SIDES, type TraitPrompt, type TraitSide } from "./traits.ts";

/** Changes when the same trait would be asked in another way. */
const VERSION = 1;

/** How responses are drawn. */
export interface ResponseSampling {
  /** Most tokens of a response; 0 where only prompts are read. */
  readonly maxOutputTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Seeds responses above temperature 0. */
  readonly seed: number;
  /** Only the first so many pairs; null for all. */
  readonly pairs: number | null;
}

/** A model open for asking and for reading activations. */
export type SteerableBackend = Backend & { readonly steerable: Steerable };

/** One response. */
export interface TraitResponse extends TokenText {
  /** Which side. */
  readonly side: TraitSide;
  /** 0-based line of the trait. */
  readonly pair: number;
  /** The response; empty where none was drawn. */
  readonly response: string;
  /** Why it ended; null where none was drawn. */
  readonly finishReason: string | null;
}

/** The row of one response. */
export interface ResponseRow extends Row {
  /** Which side. */
  readonly side: TraitSide;
  /** 0-based line of the trait. */
  readonly pair: number;
  /** What the model is given. */
  readonly prompt: TraitPrompt;
}

/** Asks a backend whose model runs in this process. @throws {InputError} for any other. */
export function asSteerable(backend: Backend): SteerableBackend {
  if (backend.steerable !== undefined) return backend as SteerableBackend;
  throw new InputError(
    `The variant ${backend.variant.name} does not run in this process: its activations cannot be read. Give one with ` +
      '"backend": "local".',
  );
}

/** The rows of a trait, side by side so that a stopped collection has whole pairs. @throws {InputError} for long prompts. */
export function responseRows(trait: Trait, model: Steerable, sampling: ResponseSampling): ResponseRow[] {
  const identity = modelIdentity(model.variant);
  const pairs = Math.min(trait.positive.length, sampling.pairs ?? Infinity);
  return Array.from({ length: pairs }, (_, pair) => pair).flatMap((pair) =>
    TRAIT_SIDES.map((side): ResponseRow => {
      const prompt = trait[side][pair] as TraitPrompt;
      const { maxOutputTokens, temperature, seed } = sampling;
      const asked: Json = {
        messages: prompt.messages.map(({ role, content }) => ({ role, content })),
        text: prompt.text,
      };
      return {
        id: hashJson({
          kind: "trait-response",
          version: VERSION,
          model: identity,
          asked,
          maxOutputTokens,
          temperature,
          seed,
        }),
        params: { side, pair },
        recipe: { trait: trait.name, side, pair },
        tokens: promptIds(model, prompt).length,
        maxTokens: maxOutputTokens,
        skip: null,
        side,
        pair,
        prompt,
      };
    })
  );
}

function promptIds(model: Steerable, { messages, text }: TraitPrompt): number[] {
  return model.promptIds(messages, text);
}

/** What {@linkcode collectResponses} needs. */
export interface CollectOptions {
  /** Where attempts and responses are written. */
  readonly folder: string;
  /** How responses are drawn. */
  readonly sampling: ResponseSampling;
  /** Told after each response. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Stops the collection; what is done is kept. */
  readonly signal?: AbortSignal;
}

/**
 * Draws the responses that are not there yet and gives all of them. Every one is on disk before the next thing happens;
 * the same call goes on after a stop. Writes `positive.jsonl` and `negative.jsonl`, for people, when all are there.
 *
 * @returns responses by pair; pairs of which one side failed are left out.
 * @throws {InputError} when the folder cannot be written, another process is at it, or no response could be had.
 * @throws the signal's reason when it is aborted.
 */
export async function collectResponses(
  trait: Trait,
  backend: SteerableBackend,
  { folder, sampling, onProgress, signal }: CollectOptions,
): Promise<TraitResponse[]> {
  const { steerable: model } = backend;
  const rows = responseRows(trait, model, sampling);
  if (sampling.maxOutputTokens === 0) return rows.map((row) => responseOf(model, row, "", null));
  using _lock = await lockRun(join(folder, ".lock"));
  using store = await openAttempts(join(folder, "attempts.jsonl"), {
    experiment: `extract ${trait.name}`,
    variant: backend.variant.name,
    model: "model" in backend.variant ? backend.variant.model : null,
    mode: "full",
    plan: planHash(rows),
    rows: rows.length,
    shard: null,
  });
  const unique = [...new Map(rows.map((row) => [row.id, row])).values()];
  const caller = createCaller(backend);
  const { temperature, seed } = sampling;
  const run = startRun({
    rows: unique,
    prompt: ({ prompt: { messages, text }, tokens }): Prompt => ({
      messages,
      tokens,
      ...(text === "" ? {} : { prefix: text }),
    }),
    sampling: { temperature, seed },
    caller,
    tokenizer: (await backend.tokenizer()).name,
    store,
    graceMs: 0,
    onAttempt: () => onProgress?.(countRows(unique, store).done, unique.length),
    ...(signal === undefined ? {} : { signal }),
  });
  const summary = await run.done;
  signal?.throwIfAborted();
  if (summary.error !== null) throw summary.error;
  const responses = rows.map((row) => {
    const attempt = store.read(row.id);
    return attempt?.status === "done" ? responseOf(model, row, attempt.output, attempt.finish_reason) : null;
  });
  const whole = responses.filter((one, i) => one !== null && responses[i ^ 1] !== null) as TraitResponse[];
  if (whole.length === 0) {
    const failed = store.read(rows[0]?.id ?? "")?.error?.message ?? "no response came";
    throw new InputError(`No pair of ${trait.name} has two responses: ${failed}`);
  }
  for (const side of TRAIT_SIDES) await writeSide(join(folder, `${side}.jsonl`), trait, whole, side);
  return whole;
}

function responseOf(
  model: Steerable,
  { side, pair, prompt }: ResponseRow,
  response: string,
  finishReason: string | null,
): TraitResponse {
  const ids = promptIds(model, prompt);
  const answer = response === "" ? [] : model.decoder.encode(response);
  return { side, pair, response, finishReason, ids: [...ids, ...answer], promptTokens: ids.length };
}

async function writeSide(
  path: string,
  trait: Trait,
  responses: readonly TraitResponse[],
  side: TraitSide,
): Promise<void> {
  const lines = responses.filter((one) => one.side === side).map(({ pair, response, finishReason }) => {
    const { messages, text } = trait[side][pair] as TraitPrompt;
    const asked = text === "" ? { messages } : { text };
    return JSON.stringify({ pair, ...asked, response, finish_reason: finishReason }) + "\n";
  });
  await writeAtomic(path, lines.join(""));
}
