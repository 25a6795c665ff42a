/**
 * One continuation of a prefix while it is drawn.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import type { DecoderConfig } from "./config.ts";
import type { KvStore } from "./kv_store.ts";
import { lengthLimit } from "./rope_table.ts";
import { drawToken, likeliestTokens, logProbability, sampleToken, type SamplingOptions } from "./sampling.ts";
import { TextStream } from "./text_stream.ts";
import type { DecoderTokenizer } from "./tokenizer.ts";
import type { Sample, SampleOptions, TokenEvent, TokenLogprob } from "./types.ts";

/** A prefix and how it is to be continued. */
export interface Request {
  /** Holds its keys and values in its first `length` rows. */
  readonly store: KvStore;
  /** Its tokens. */
  readonly length: number;
  /** `[vocabSize]`, after its last token. */
  readonly logits: Float32Array;
  /** Already checked. */
  readonly options: SampleOptions;
}

/** What the next token of a branch is drawn from. One of the two is there. */
export interface NextToken {
  /** `[vocabSize]` */
  readonly logits: Float32Array | undefined;
  /** `[vocabSize]`, at the branch's temperature; made from the logits where they are missing. */
  readonly probabilities?: Float32Array | undefined;
}

/** A sample in the making. */
export class Branch {
  /** Holds the prefix. */
  readonly store: KvStore;
  /** Tokens of the prefix. */
  readonly length: number;
  /** Drawn so far. */
  readonly tokens: number[] = [];
  /** Why it has ended; undefined while it goes on. */
  finishReason: Sample["finishReason"] | undefined;
  readonly #options: SampleOptions;
  readonly #sampling: SamplingOptions;
  readonly #random: Random;
  readonly #stream: TextStream;
  readonly #budget: number;
  readonly #logprobs: number[] = [];
  readonly #topLogprobs: TokenLogprob[][] = [];

  /** Sample number `sample` of a request. */
  constructor(request: Request, sample: number, tokenizer: DecoderTokenizer, config: DecoderConfig) {
    const { store, length, options } = request;
    this.store = store;
    this.length = length;
    this.#options = options;
    this.#sampling = {
      temperature: options.temperature ?? 0,
      topP: options.topP ?? 1,
      topK: options.topK ?? 0,
    };
    this.#random = createRandom(options.seeds?.[sample] ?? sample);
    const skipSpecialTokens = options.skipSpecialTokens ?? true;
    this.#stream = new TextStream((ids) => tokenizer.decode(ids, { skipSpecialTokens }), options.stop);
    this.#budget = Math.min(
      options.maxNewTokens,
      (store.changed ? lengthLimit(config, length) : config.contextWindow) - length,
    );
  }

  /** 0 when it takes the likeliest token. */
  get temperature(): number {
    return this.#sampling.temperature;
  }

  /** Whether its tokens cannot be drawn from probabilities alone. */
  get needsLogits(): boolean {
    return this.temperature === 0 || this.#wantsLogprobs;
  }

  get #wantsLogprobs(): boolean {
    return this.#options.logprobs === true || (this.#options.topLogprobs ?? 0) > 0;
  }

  /** Draws the next token. */
  draw({ logits, probabilities }: NextToken, ends: ReadonlySet<number>): Omit<TokenEvent, "sample"> {
    const { topLogprobs = 0, ignoreEos } = this.#options;
    const uniform = this.temperature === 0 ? 0 : this.#random.next();
    const token = probabilities === undefined
      ? sampleToken(logits as Float32Array, this.#sampling, uniform)
      : drawToken(probabilities, this.#sampling, uniform);
    this.tokens.push(token);
    const scores: { logprob?: number; topLogprobs?: TokenLogprob[] } = {};
    if (this.#wantsLogprobs) {
      this.#logprobs.push(scores.logprob = logProbability(logits as Float32Array, token));
    }
    if (topLogprobs > 0) {
      this.#topLogprobs.push(scores.topLogprobs = likeliestTokens(logits as Float32Array, topLogprobs));
    }
    let text = "";
    if (!ignoreEos && ends.has(token)) this.finishReason = "stop";
    else {
      text = this.#stream.push(token);
      if (this.#stream.stopped) this.finishReason = "stop";
      else if (this.tokens.length >= this.#budget) this.finishReason = "length";
    }
    if (this.finishReason !== undefined) text += this.#finish();
    return { token, text, ...scores };
  }

  /** Ends it where it is. */
  abort(): void {
    this.finishReason = "aborted";
    this.#finish();
  }

  /** Ends the text: what was held back may hold a stop string after all. */
  #finish(): string {
    const text = this.#stream.finish();
    if (this.#stream.stopped && this.finishReason === "length") this.finishReason = "stop";
    return text;
  }

  /** What was drawn. It must have ended. */
  sample(): Sample {
    const { logprobs, topLogprobs = 0 } = this.#options;
    return {
      tokens: this.tokens,
      text: this.#stream.text,
      finishReason: this.finishReason as Sample["finishReason"],
      ...(logprobs || topLogprobs > 0 ? { logprobs: this.#logprobs } : {}),
      ...(topLogprobs > 0 ? { topLogprobs: this.#topLogprobs } : {}),
    };
  }
}
