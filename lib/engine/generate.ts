/**
 * Draws continuations of prefixes, all samples of a batch together, one token each per step.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import { type Batch, planBatches, type Start } from "./batches.ts";
import type { Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import { inUse, KvStore } from "./kv_store.ts";
import type { DecodeBatch, ModelRunner } from "./model_runner.ts";
import { lengthLimit } from "./rope_table.ts";
import { drawToken, logProbability, sampleToken, type SamplingOptions } from "./sampling.ts";
import { TextStream } from "./text_stream.ts";
import type { DecoderTokenizer } from "./tokenizer.ts";
import type { BranchEvent, Sample, SampleOptions, Steer } from "./types.ts";

/** A prefix and how it is to be continued. */
export interface Request extends Start {
  /** Already checked. */
  readonly options: SampleOptions;
}

interface Branch {
  readonly request: number;
  readonly sample: number;
  readonly span: Span;
  readonly options: SampleOptions;
  readonly sampling: SamplingOptions;
  readonly random: Random;
  readonly stream: TextStream;
  /** Most tokens it may draw. */
  readonly budget: number;
  /** `[vocabSize]`, for its next token: undefined when `probabilities` are enough. */
  logits: Float32Array | undefined;
  /** `[vocabSize]`, for its next token, at its temperature; undefined when they are to be made from the logits. */
  probabilities: Float32Array | undefined;
  readonly tokens: number[];
  readonly logprobs: number[];
  finishReason: Sample["finishReason"] | undefined;
}

/** What all requests of a call have in common. */
export interface GenerateRun {
  /** Steerings in force. */
  readonly steers: readonly Steer[];
  /** Told of every token. */
  readonly onToken?: ((event: BranchEvent) => void) | undefined;
  /** Stops between steps. */
  readonly signal?: AbortSignal | undefined;
}

/** The samples of a call that was stopped before it began. */
export function abortedSamples(n = 1): Sample[] {
  return Array.from({ length: n }, () => ({ tokens: [], text: "", finishReason: "aborted" }));
}

/** Runs until every sample of every request has ended. @returns the samples of each request. */
export async function generateSamples(
  runner: ModelRunner,
  tokenizer: DecoderTokenizer,
  requests: readonly Request[],
  run: GenerateRun,
): Promise<Sample[][]> {
  const samples: Sample[][] = requests.map(() => []);
  for (const batch of planBatches(runner.config, requests)) {
    using _use = inUse([batch.store]); // frees one that was put together for this batch
    const branches = branchesOf(batch, requests, tokenizer, runner.config);
    const ends = new Set(tokenizer.eosIds);
    const over = await decode(runner, beginning(runner, batch, branches), branches, ends, run);
    for (const group of Map.groupBy(over, ({ request }) => request).values()) {
      const { store } = requests[group[0]?.request as number] as Request;
      await decode(runner, await recomputed(runner, store, group, run), group, ends, run);
    }
    for (const branch of branches) (samples[branch.request] as Sample[])[branch.sample] = sampleOf(branch);
  }
  return samples;
}

function branchesOf(
  batch: Batch,
  requests: readonly Request[],
  tokenizer: DecoderTokenizer,
  config: DecoderConfig,
): Branch[] {
  return batch.members.flatMap(({ index: request, span }) => {
    const { options, logits, store } = requests[request] as Request;
    const skipSpecialTokens = options.skipSpecialTokens ?? true;
    return Array.from({ length: options.n ?? 1 }, (_, sample): Branch => ({
      request,
      sample,
      span,
      options,
      sampling: {
        temperature: options.temperature ?? 0,
        topP: options.topP ?? 1,
        topK: options.topK ?? 0,
      },
      random: createRandom(options.seeds?.[sample] ?? sample),
      stream: new TextStream((ids) => tokenizer.decode(ids, { skipSpecialTokens }), options.stop),
      budget: Math.min(
        options.maxNewTokens,
        (store.changed ? lengthLimit(config, span.length) : config.contextWindow) - span.length,
      ),
      logits,
      probabilities: undefined,
      tokens: [],
      logprobs: [],
      finishReason: undefined,
    }));
  });
}

/** What branches decode over. */
interface Stage {
  readonly cache: DecodeBatch;
  /** Most tokens of a sequence, prefix included, that can be fed in this stage. */
  readonly limit: number;
}

function beginning(runner: ModelRunner, { store }: Batch, branches: readonly Branch[]): Stage {
  const spans = branches.map(({ span }) => span);
  const limit = Math.min(...spans.map(({ length }) => lengthLimit(runner.config, length))); // the same for all of a batch
  return { cache: runner.startBatch(store, spans), limit };
}

/**
 * Computes the prefix of one request's branches, which are equally long, and what they have drawn with the positions
 * of a longer sequence, and leaves the logits for their next tokens.
 */
async function recomputed(
  runner: ModelRunner,
  before: KvStore,
  branches: readonly Branch[],
  { steers, signal }: GenerateRun,
): Promise<Stage> {
  const { config } = runner;
  const { span: { length }, tokens: { length: drawn } } = branches[0] as Branch;
  const store = new KvStore(config, length);
  store.atLeast = length + drawn;
  const prefix = before.tokens.slice(0, length);
  await runner.prefill(store, prefix, { steers: [], allLogits: false, capture: [] });
  const cache = runner.startBatch(store, branches.map(() => ({ start: 0, length })));
  for (let step = 0; step < drawn && !signal?.aborted; step++) {
    const tokens = branches.map((branch) => branch.tokens[step] as number);
    await advance(branches, tokens, cache, steers, config);
  }
  return { cache, limit: config.contextWindow };
}

/** Runs one step and gives each branch what its next token is drawn from. */
async function advance(
  branches: readonly Branch[],
  tokens: readonly number[],
  cache: DecodeBatch,
  steers: readonly Steer[],
  { vocabSize }: DecoderConfig,
): Promise<void> {
  const drawn = [...branches.keys()].filter((i) => !isGreedy(branches[i] as Branch));
  const temperatures = drawn.map((i) => (branches[i] as Branch).sampling.temperature);
  const { logits, probabilities } = await cache.step(tokens, {
    steers,
    logits: branches.some((branch) => isGreedy(branch) || branch.options.logprobs === true),
    ...(drawn.length > 0 ? { drawn: { branches: drawn, temperatures } } : {}),
  });
  const row = (all: Float32Array | undefined, at: number) =>
    all?.subarray(at * vocabSize, (at + 1) * vocabSize);
  for (const [i, branch] of branches.entries()) branch.logits = row(logits, i);
  for (const [at, i] of drawn.entries()) (branches[i] as Branch).probabilities = row(probabilities, at);
}

function isGreedy({ sampling }: Branch): boolean {
  return sampling.temperature === 0;
}

/** Draws until all branches have ended or reached the limit. @returns those that go on past the limit. */
async function decode(
  runner: ModelRunner,
  { cache, limit }: Stage,
  branches: readonly Branch[],
  ends: ReadonlySet<number>,
  { steers, onToken, signal }: GenerateRun,
): Promise<Branch[]> {
  const over: Branch[] = [];
  let active = branches;
  while (!signal?.aborted) {
    for (const branch of active) {
      const { token, text } = draw(branch, ends);
      onToken?.({ request: branch.request, sample: branch.sample, token, text });
    }
    const going = [...active.keys()].filter((row) => {
      const branch = active[row] as Branch;
      if (branch.finishReason !== undefined) return false;
      const fits = branch.span.length + branch.tokens.length <= limit;
      if (!fits) over.push(branch);
      return fits;
    });
    if (going.length === 0) return over;
    cache.keep(going);
    active = going.map((row) => active[row] as Branch);
    const tokens = active.map((branch) => branch.tokens.at(-1) as number);
    await advance(active, tokens, cache, steers, runner.config);
  }
  for (const branch of branches) {
    if (branch.finishReason !== undefined) continue;
    branch.finishReason = "aborted";
    finish(branch);
  }
  return [];
}

/** Draws the branch's next token and gives the text that is now certain. */
function draw(branch: Branch, ends: ReadonlySet<number>): { token: number; text: string } {
  const { logits, probabilities, sampling, options, stream, tokens } = branch;
  const uniform = isGreedy(branch) ? 0 : branch.random.next();
  const token = probabilities === undefined
    ? sampleToken(logits as Float32Array, sampling, uniform)
    : drawToken(probabilities, sampling, uniform);
  tokens.push(token);
  if (options.logprobs) branch.logprobs.push(logProbability(logits as Float32Array, token));
  let text = "";
  if (!options.ignoreEos && ends.has(token)) branch.finishReason = "stop";
  else {
    text = stream.push(token);
    if (stream.stopped) branch.finishReason = "stop";
    else if (tokens.length >= branch.budget) branch.finishReason = "length";
  }
  if (branch.finishReason !== undefined) text += finish(branch);
  return { token, text };
}

/** Ends the text of a branch: what was held back may hold a stop string after all. */
function finish(branch: Branch): string {
  const text = branch.stream.finish();
  if (branch.stream.stopped && branch.finishReason === "length") branch.finishReason = "stop";
  return text;
}

function sampleOf({ tokens, stream, finishReason, options, logprobs }: Branch): Sample {
  return {
    tokens,
    text: stream.text,
    finishReason: finishReason as Sample["finishReason"],
    ...(options.logprobs ? { logprobs } : {}),
  };
}
