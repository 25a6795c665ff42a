/**
 * What the unsteered model makes of an answer: how likely it finds it, and how large its activations are.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import type { Steerable } from "../backends/steerable.ts";
import type { SteerPhase } from "../engine/types.ts";
import { norm } from "./steering_vector.ts";

/** What one forward pass over a prompt and its answer gives. */
export interface AnswerReading {
  /** Mean negative log-likelihood of the answer's tokens, in nats; null when it has none. */
  readonly nll: number | null;
  /** Mean length of the activations by site, over the tokens of the phase; null where it has none. */
  readonly norms: Readonly<Record<string, number | null>>;
}

/** Options of {@linkcode readAnswer}. */
export interface ReadAnswerOptions {
  /** Sites whose activations are measured: `residual.2`; none when left out. */
  readonly sites?: readonly string[];
  /** The tokens that steering acts on; `response` when left out. */
  readonly phase?: SteerPhase;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** Token ids of a chat with the answer in the assistant's turn, cut to the window, and where the answer begins. */
export function answerTokens(
  model: Steerable,
  messages: readonly Message[],
  answer: string,
): { readonly ids: number[]; readonly start: number } {
  const prompt = model.promptIds(messages);
  const whole = model.promptIds(messages, answer);
  let start = 0;
  while (start < prompt.length && start < whole.length && prompt[start] === whole[start]) start++;
  return { ids: whole.slice(0, model.decoder.contextWindow), start };
}

/**
 * Reads an answer with the unsteered model, in one forward pass.
 *
 * @throws {InputError} when a site does not exist.
 */
export async function readAnswer(
  model: Steerable,
  messages: readonly Message[],
  answer: string,
  options: ReadAnswerOptions = {},
): Promise<AnswerReading> {
  const { sites = [], phase = "response", signal } = options;
  const { ids, start } = answerTokens(model, messages, answer);
  const { logits, captured } = await model.decoder.forward(ids, {
    capture: [...sites],
    ...(signal ? { signal } : {}),
  });
  const vocabulary = logits.length / ids.length;
  let sum = 0;
  for (let at = Math.max(1, start); at < ids.length; at++) {
    const row = logits.subarray((at - 1) * vocabulary, at * vocabulary);
    sum += logSumExp(row) - (row[ids[at] as number] as number);
  }
  const count = ids.length - Math.max(1, start);
  const [from, to] = phase === "response"
    ? [start, ids.length]
    : phase === "prompt"
    ? [0, start]
    : phase === "last_prompt"
    ? [start - 1, start]
    : [0, ids.length];
  const norms = Object.fromEntries(sites.map((site) => {
    const rows = captured[site] as Float32Array;
    const width = rows.length / ids.length;
    let total = 0;
    for (let t = from; t < to; t++) total += norm(rows.subarray(t * width, (t + 1) * width));
    return [site, to > from ? total / (to - from) : null];
  }));
  return { nll: count > 0 ? sum / count : null, norms };
}

function logSumExp(row: Float32Array): number {
  let most = -Infinity;
  for (const x of row) if (x > most) most = x;
  let sum = 0;
  for (const x of row) sum += Math.exp(x - most);
  return most + Math.log(sum);
}
