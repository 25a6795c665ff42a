/**
 * Draws continuations of a prefix, all samples together, one token each per step.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import { BranchCache } from "./branches.ts";
import type { KvStore } from "./kv_store.ts";
import type { Runner } from "./runner.ts";
import { logProbability, sampleToken } from "./sampling.ts";
import { TextStream } from "./text_stream.ts";
import type { DecoderTokenizer } from "./tokenizer.ts";
import type { GenerateOptions, Sample, Steer } from "./types.ts";

/** The prefix that is continued. */
export interface Start {
  /** Holds its keys and values in its first `length` rows. */
  readonly store: KvStore;
  /** Its tokens. */
  readonly length: number;
  /** `[vocabSize]`, after its last token. */
  readonly logits: Float32Array;
}

interface Branch {
  readonly index: number;
  readonly random: Random;
  readonly stream: TextStream;
  readonly tokens: number[];
  readonly logprobs: number[];
  finishReason: Sample["finishReason"] | undefined;
}

/** Runs until every sample has ended; options are already checked. */
export async function generateSamples(
  runner: Runner,
  tokenizer: DecoderTokenizer,
  start: Start,
  steers: readonly Steer[],
  options: GenerateOptions,
): Promise<Sample[]> {
  const { n = 1, signal, logprobs = false } = options;
  const skipSpecialTokens = options.skipSpecialTokens ?? true;
  const { config } = runner;
  const budget = Math.min(options.maxNewTokens, config.contextWindow - start.length);
  const branches = Array.from({ length: n }, (_, index): Branch => ({
    index,
    random: createRandom(options.seeds?.[index] ?? index),
    stream: new TextStream((ids) => tokenizer.decode(ids, { skipSpecialTokens }), options.stop),
    tokens: [],
    logprobs: [],
    finishReason: undefined,
  }));
  const ends = new Set(options.ignoreEos ? [] : tokenizer.eosIds);
  const sampling = {
    temperature: options.temperature ?? 0,
    topP: options.topP ?? 1,
    topK: options.topK ?? 0,
  };

  const take = (branch: Branch, logits: Float32Array) => {
    const token = sampleToken(logits, sampling, sampling.temperature === 0 ? 0 : branch.random.next());
    branch.tokens.push(token);
    if (logprobs) branch.logprobs.push(logProbability(logits, token));
    let text = "";
    if (ends.has(token)) branch.finishReason = "stop";
    else {
      text = branch.stream.push(token);
      if (branch.stream.stopped) branch.finishReason = "stop";
      else if (branch.tokens.length >= budget) branch.finishReason = "length";
    }
    if (branch.finishReason !== undefined) text += end(branch);
    options.onToken?.({ sample: branch.index, token, text });
  };
  /** What was held back may hold a stop string after all. */
  const end = (branch: Branch): string => {
    const text = branch.stream.finish();
    if (branch.stream.stopped && branch.finishReason === "length") branch.finishReason = "stop";
    return text;
  };

  const cache = new BranchCache(config, start.length, n);
  let active = branches;
  let rows: (branch: number) => Float32Array = () => start.logits;
  while (!signal?.aborted) {
    for (const [row, branch] of active.entries()) take(branch, rows(row));
    const going = [...active.keys()].filter((row) => active[row]?.finishReason === undefined);
    if (going.length === 0) break;
    cache.keep(going);
    active = going.map((row) => active[row] as Branch);
    const tokens = active.map((branch) => branch.tokens.at(-1) as number);
    const logits = await runner.decode(start.store, start.length, cache, tokens, steers);
    rows = (row) => logits.subarray(row * config.vocabSize, (row + 1) * config.vocabSize);
  }
  for (const branch of branches) {
    if (branch.finishReason !== undefined) continue;
    branch.finishReason = "aborted";
    end(branch);
  }
  return branches.map((branch) => ({
    tokens: branch.tokens,
    text: branch.stream.text,
    finishReason: branch.finishReason as Sample["finishReason"],
    ...(logprobs ? { logprobs: branch.logprobs } : {}),
  }));
}
