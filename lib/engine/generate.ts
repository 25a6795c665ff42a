/**
 * Draws continuations of prefixes, all samples of a batch together, one token each per step.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import { type Batch, planBatches, type Start } from "./batches.ts";
import { BranchCache, type Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import { lengthLimit } from "./rope_table.ts";
import type { Runner } from "./runner.ts";
import { logProbability, sampleToken, type SamplingOptions } from "./sampling.ts";
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
  /** `[vocabSize]`, for its next token. */
  logits: Float32Array;
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
  runner: Runner,
  tokenizer: DecoderTokenizer,
  requests: readonly Request[],
  run: GenerateRun,
): Promise<Sample[][]> {
  const samples: Sample[][] = requests.map(() => []);
  for (const batch of planBatches(runner.config, requests)) {
    const branches = branchesOf(batch, requests, tokenizer, runner.config);
    await decodeBatch(runner, batch, branches, new Set(tokenizer.eosIds), run);
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
    const { options, logits } = requests[request] as Request;
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
      budget: Math.min(options.maxNewTokens, lengthLimit(config, span.length) - span.length),
      logits,
      tokens: [],
      logprobs: [],
      finishReason: undefined,
    }));
  });
}

async function decodeBatch(
  runner: Runner,
  batch: Batch,
  branches: readonly Branch[],
  ends: ReadonlySet<number>,
  { steers, onToken, signal }: GenerateRun,
): Promise<void> {
  const { config } = runner;
  const cache = new BranchCache(config, branches.map(({ span }) => span));
  let active = branches;
  while (!signal?.aborted) {
    for (const branch of active) {
      const { token, text } = draw(branch, ends);
      onToken?.({ request: branch.request, sample: branch.sample, token, text });
    }
    const going = [...active.keys()].filter((row) => active[row]?.finishReason === undefined);
    if (going.length === 0) break;
    cache.keep(going);
    active = going.map((row) => active[row] as Branch);
    const tokens = active.map((branch) => branch.tokens.at(-1) as number);
    const logits = await runner.decode(batch.store, cache, tokens, steers);
    for (const [row, branch] of active.entries()) {
      branch.logits = logits.subarray(row * config.vocabSize, (row + 1) * config.vocabSize);
    }
  }
  for (const branch of branches) {
    if (branch.finishReason !== undefined) continue;
    branch.finishReason = "aborted";
    finish(branch);
  }
}

/** Draws the branch's next token and gives the text that is now certain. */
function draw(branch: Branch, ends: ReadonlySet<number>): { token: number; text: string } {
  const { logits, sampling, options, stream, tokens } = branch;
  const token = sampleToken(logits, sampling, sampling.temperature === 0 ? 0 : branch.random.next());
  tokens.push(token);
  if (options.logprobs) branch.logprobs.push(logProbability(logits, token));
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
