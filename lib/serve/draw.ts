/**
 * Draws what a job asks for.
 * @module
 */
import type { Sample } from "../engine/mod.ts";
import type { Job, Prompt, Served } from "./job.ts";
import { type PromptLogprobs, promptLogprobs } from "./prompt_logprobs.ts";

/** A token of a choice, as it is drawn. */
export interface DrawnToken {
  /** Which choice. */
  readonly choice: number;
  /** The token. */
  readonly token: number;
  /** Text that is now certain; may be empty. */
  readonly text: string;
}

/** What was drawn. */
export interface Drawn {
  /** One for each choice. */
  readonly samples: readonly Sample[];
  /** For each prompt that is echoed with log-probabilities; else null. */
  readonly prompts: readonly (PromptLogprobs | null)[];
  /** Tokens of all prompts. */
  readonly promptTokens: number;
  /** Of these, tokens that were not computed again. */
  readonly cachedTokens: number;
}

/** Options of {@linkcode draw}. */
export interface DrawOptions {
  /** Ends it; it then fails with the signal's reason. */
  readonly signal: AbortSignal;
  /** Called once, when the prompts are read and the first token is about to be drawn. */
  readonly onBegin?: (prompts: Drawn["prompts"]) => void;
  /** Called for each token. */
  readonly onToken?: (token: DrawnToken) => void;
}

/**
 * Reads the prompts and draws all choices together; the engine puts them into steps with those of other calls.
 *
 * @throws {InputError} @throws the signal's reason when it fires first.
 */
export async function draw(job: Job, { decoder }: Served, options: DrawOptions): Promise<Drawn> {
  const { signal, onBegin, onToken } = options;
  using held = new DisposableStack();
  const prompts: (PromptLogprobs | null)[] = [];
  const continuations = [];
  let cachedTokens = 0;
  for (const prompt of job.prompts) {
    signal.throwIfAborted();
    prompts.push(await scored(prompt, job, decoder, signal));
    if (prompt.options === null) continue;
    const prefix = held.use(await decoder.prefill(prompt.ids, { reuse: true, signal }));
    cachedTokens += prefix.cachedTokens;
    continuations.push({ prefix, ...prompt.options });
  }
  onBegin?.(prompts);
  const drawn = continuations.length === 0 ? [] : await decoder.generateMany(continuations, {
    signal,
    ...(onToken
      ? {
        onToken: ({ request, sample, token, text }) =>
          onToken({ choice: request * job.n + sample, token, text }),
      }
      : {}),
  });
  signal.throwIfAborted();
  const nothing: Sample = { tokens: [], text: "", finishReason: "length", logprobs: [] };
  return {
    samples: continuations.length === 0
      ? Array.from({ length: job.prompts.length * job.n }, () => nothing)
      : drawn.flat(),
    prompts,
    promptTokens: job.prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    cachedTokens,
  };
}

async function scored(
  { ids, echo }: Prompt,
  { logprobs }: Job,
  decoder: Served["decoder"],
  signal: AbortSignal,
): Promise<PromptLogprobs | null> {
  return echo === null || logprobs === null ? null : await promptLogprobs(decoder, ids, logprobs, signal);
}
