/**
 * Draws what a job asks for.
 * @module
 */
import type { SampleReader } from "../backends/local_chat.ts";
import type { Sample } from "../engine/mod.ts";
import type { Job, Prompt, Served } from "./job.ts";
import type { Scored } from "./answer.ts";
import { type PromptLogprobs, promptLogprobs } from "./prompt_logprobs.ts";

/** A token of a choice, as it is drawn. */
export interface DrawnToken {
  /** Which choice. */
  readonly choice: number;
  /** The token. */
  readonly token: number;
  /** Text that is now certain; may be empty. */
  readonly text: string;
  /** Reasoning that is now certain; may be empty. */
  readonly reasoning: string;
  /** How likely it was, where that is asked for. */
  readonly scored: Scored | null;
}

/** Parts of an answer and of its reasoning. */
export type Pieces = Pick<DrawnToken, "text" | "reasoning">;

/** A sample as it is answered. */
export interface DrawnSample extends Sample {
  /** What the model thought, where its format tells that from the answer. */
  readonly reasoning: string | null;
  /** The ends of reasoning and text, where no token brought them. */
  readonly late: Pieces;
}

/** What was drawn. */
export interface Drawn {
  /** One for each choice. */
  readonly samples: readonly DrawnSample[];
  /** Tokens of all samples that are reasoning. */
  readonly reasoningTokens: number;
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
  const reading = job.newReader === null ? undefined : new Reading(job.prompts.length * job.n, job.newReader);
  const drawn = continuations.length === 0 ? [] : await decoder.generateMany(continuations, {
    signal,
    onToken: ({ request, sample, token, text, logprob, topLogprobs = [] }) => {
      const choice = request * job.n + sample;
      onToken?.({
        choice,
        token,
        ...(reading ? reading.push(choice, token) : { text, reasoning: "" }),
        scored: logprob === undefined ? null : { token, logprob, top: topLogprobs },
      });
    },
  });
  signal.throwIfAborted();
  const nothing: Sample = { tokens: [], text: "", finishReason: "length", logprobs: [] };
  const samples = continuations.length === 0
    ? Array.from({ length: job.prompts.length * job.n }, () => nothing)
    : drawn.flat();
  return {
    ...reading?.finish(samples) ??
      {
        samples: samples.map((sample) => ({ ...sample, reasoning: null, late: NOTHING })),
        reasoningTokens: 0,
      },
    prompts,
    promptTokens: job.prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    cachedTokens,
  };
}

const NOTHING: Pieces = { text: "", reasoning: "" };

/** Tells the answers of samples from their reasoning, as their tokens come. */
class Reading {
  readonly #readers: readonly SampleReader[];
  #fresh = NOTHING;

  constructor(choices: number, newReader: NonNullable<Job["newReader"]>) {
    const onText = (text: string) => this.#add({ text, reasoning: "" });
    const onReasoning = (reasoning: string) => this.#add({ text: "", reasoning });
    this.#readers = Array.from({ length: choices }, () => newReader({ onText, onReasoning }));
  }

  /** What a token brought. */
  push(choice: number, token: number): Pieces {
    this.#readers[choice]?.push(token);
    return this.#take();
  }

  finish(samples: readonly Sample[]): Pick<Drawn, "samples" | "reasoningTokens"> {
    let reasoningTokens = 0;
    return {
      samples: samples.map((sample, choice) => {
        const answer = (this.#readers[choice] as SampleReader).finish();
        reasoningTokens += answer.reasoningTokens;
        const { text, reasoning } = answer;
        const finishReason = answer.stopped ? "stop" : sample.finishReason;
        return { ...sample, text, reasoning, finishReason, late: this.#take() };
      }),
      reasoningTokens,
    };
  }

  #add({ text, reasoning }: Pieces): void {
    this.#fresh = { text: this.#fresh.text + text, reasoning: this.#fresh.reasoning + reasoning };
  }

  #take(): Pieces {
    const fresh = this.#fresh;
    this.#fresh = NOTHING;
    return fresh;
  }
}

async function scored(
  { ids, echo }: Prompt,
  { logprobs }: Job,
  decoder: Served["decoder"],
  signal: AbortSignal,
): Promise<PromptLogprobs | null> {
  return echo === null || logprobs === null ? null : await promptLogprobs(decoder, ids, logprobs, signal);
}
