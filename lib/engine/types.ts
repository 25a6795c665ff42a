/**
 * What the engine offers, whether it runs in a worker or in this thread.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import type { DecoderConfig } from "./config.ts";
import type { DecoderTokenizer, RenderOptions } from "./tokenizer.ts";

export type { Message };

/** What computes. */
export type Device = "cpu" | "webgpu" | "cuda";

/** Options of {@linkcode loadDecoder}. */
export interface LoadOptions {
  /**
   * Arithmetic with the weight matrices: `fp32` (the default), or blocks of 8 or 4 bits. Quantised matrices are made
   * at the first load and kept. With them logits depend a little on how many tokens are computed at once, so that
   * equal tokens across batches of different sizes are promised for `fp32` only.
   */
  readonly dtype?: "fp32" | "q8" | "q4";
  /** Folder of a PEFT LoRA adapter for this model; it runs beside the weights. */
  readonly lora?: string;
  /** Adds the adapter into the weights instead: faster, and quantised with them. */
  readonly mergeLora?: boolean;
  /** Where to run; `cpu` unless given. An InputError says what is absent for the others. */
  readonly device?: Device;
  /** Threads to use; all cores unless given. */
  readonly threads?: number;
  /** Most bytes of keys and values kept for {@linkcode PrefillOptions.reuse}; 256 MiB unless given. */
  readonly cacheBytes?: number;
  /** Branch, tag or commit of a hub repository; `main` unless given. */
  readonly revision?: string;
  /**
   * Where downloads are kept: the hub libraries' own cache folder unless given. Quantised matrices are kept in
   * `quantized` in it, or in `probebook/quantized` of the user's cache folder.
   */
  readonly cacheDir?: string;
  /** Loads a hub repository from the disk alone. */
  readonly offline?: boolean;
  /** Stops loading. */
  readonly signal?: AbortSignal;
}

/** Where a steering vector acts. `response` and `prompt` tell generated tokens from prefilled ones. */
export type SteerPhase = "all" | "prompt" | "response" | "last_prompt";

/**
 * A change at one site, for each token in the phase. Several at one site act one after another: those in force in the
 * order they were made, then those of the call.
 */
export interface Steer {
  /** The output of a block, of its attention, or of its MLP, as captured under these names. */
  readonly component: "residual" | "attn_out" | "mlp_out";
  /** 0-based block. */
  readonly layer: number;
  /** `[hiddenSize]`; to ablate, `[directions, hiddenSize]` too, whose whole span is projected out. */
  readonly vector: Float32Array;
  /** add: how many times the vector is added. ablate: the part removed (1: all). clamp: the projection set. */
  readonly coef: number;
  /** `add`: x + coef v. `ablate`: x - coef (x.u)u. `clamp`: x + (coef - x.u)u. u is v at length 1. */
  readonly mode: "add" | "ablate" | "clamp";
  /** Which tokens it acts on. */
  readonly phase: SteerPhase;
}

/** A steering in force until it is disposed of. */
export type SteerHandle = Disposable;

/** Options of a forward pass. */
export interface ForwardOptions {
  /** Sites to capture: `residual.N`, `resid_mid.N`, `attn_out.N`, `mlp_out.N`, `k.N`, `v.N`, N a 0-based block. */
  readonly capture?: readonly string[];
  /** Steerings of this pass alone, beside those in force. */
  readonly steer?: readonly Steer[];
  /** Stops between chunks, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a forward pass gives. */
export interface ForwardResult {
  /** `[tokens, vocabSize]` */
  readonly logits: Float32Array;
  /**
   * By site, `[tokens, hiddenSize]`; `k.N` (positions applied) and `v.N` are `[tokens, kvHeads * headDim]`.
   * `residual.N` is taken after steering.
   */
  readonly captured: Readonly<Record<string, Float32Array>>;
}

/** Options of a prefill. */
export interface PrefillOptions {
  /** Steerings of this call alone, beside those in force. */
  readonly steer?: readonly Steer[];
  /**
   * Starts from the longest beginning that an earlier `reuse` prefill has computed, and keeps this one for later.
   * Prefills steered at the prompt neither use nor fill this cache.
   */
  readonly reuse?: boolean;
  /** Stops between chunks, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A change of one cached position: `key += scaleK * key`, `value += scaleV * value`. */
export interface KvEdit {
  /** 0-based block. */
  readonly layer: number;
  /** Cached position; negative counts from the end. */
  readonly slot: number;
  /** `[kvHeads * headDim]`, added to the key as cached (positions applied). */
  readonly key?: Float32Array;
  /** `[kvHeads * headDim]` */
  readonly value?: Float32Array;
  /** Factor of `key`; 1 unless given. */
  readonly scaleK?: number;
  /** Factor of `value`; 1 unless given. */
  readonly scaleV?: number;
}

/** Which rows of a prefix's cache are read. */
export interface KvSlot {
  /** 0-based blocks. */
  readonly layers: readonly number[];
  /** Cached position; negative counts from the end. */
  readonly slot: number;
}

/** What one layer has cached of one position. */
export interface KvRow {
  /** 0-based block. */
  readonly layer: number;
  /** `[kvHeads * headDim]`, positions applied. */
  readonly key: Float32Array;
  /** `[kvHeads * headDim]` */
  readonly value: Float32Array;
}

/** A piece of generated text. */
export interface TokenEvent {
  /** Which sample. */
  readonly sample: number;
  /** The token drawn. */
  readonly token: number;
  /** Text that is now certain; may be empty, never half a character, never part of a stop string. */
  readonly text: string;
  /** Natural-log probability of the token, where the call asks for it. */
  readonly logprob?: number;
  /** The likeliest tokens in its place, likeliest first, where the call asks for them. */
  readonly topLogprobs?: readonly TokenLogprob[];
}

/** A piece of generated text, and which of several prefixes it continues. */
export interface BranchEvent extends TokenEvent {
  /** Index of the prefix among those given. */
  readonly request: number;
}

/** How one prefix is continued. */
export interface SampleOptions {
  /** Samples to draw, decoded together over one copy of the prefix; 1 unless given. */
  readonly n?: number;
  /** Most tokens to draw, per sample. */
  readonly maxNewTokens: number;
  /** 0 (the default) takes the likeliest token. */
  readonly temperature?: number;
  /** Keeps the likeliest tokens that together reach this probability. */
  readonly topP?: number;
  /** Keeps this many of the likeliest tokens. */
  readonly topK?: number;
  /** One seed per sample; a sample depends on its seed, not on its neighbours. Default 0, 1, 2, ... */
  readonly seeds?: readonly (number | string)[];
  /** Generation ends where one of these would appear; it is left out of the text. */
  readonly stop?: readonly string[];
  /** Goes on after end tokens. */
  readonly ignoreEos?: boolean;
  /** Also gives each token's log-probability. */
  readonly logprobs?: boolean;
  /** Also gives this many of the likeliest tokens at each step, and each token's log-probability; at most 100. */
  readonly topLogprobs?: number;
  /** Leaves special tokens out of the text; true unless given. */
  readonly skipSpecialTokens?: boolean;
}

/** What a call of generate has once, however many samples it draws. */
export interface GenerateRunOptions {
  /** Steerings of this call alone, beside those in force. */
  readonly steer?: readonly Steer[];
  /** Stops between steps; samples then end as `aborted` with what they have. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Prefix.generate}. */
export interface GenerateOptions extends SampleOptions, GenerateRunOptions {
  /** Called for each token as it is drawn. */
  readonly onToken?: (event: TokenEvent) => void;
}

/** Options of {@linkcode Decoder.generateMany}. */
export interface GenerateManyOptions extends GenerateRunOptions {
  /** Called for each token as it is drawn. */
  readonly onToken?: (event: BranchEvent) => void;
}

/** A prefix to continue, and how. */
export interface Continuation extends SampleOptions {
  /** Belongs to the same model. */
  readonly prefix: Prefix;
}

/** What a decoder has done since it was loaded, and what it holds. */
export interface DecoderStats {
  /** Prompt tokens computed, those of {@linkcode Decoder.forward} included. */
  readonly prefilledTokens: number;
  /** Prompt tokens that the cache of {@linkcode PrefillOptions.reuse} spared. */
  readonly reusedTokens: number;
  /** Tokens drawn. */
  readonly generatedTokens: number;
  /** Passes that drew them, one token in each branch at a time. */
  readonly decodeSteps: number;
  /** Bytes of keys and values that the cache of `reuse` holds. */
  readonly cacheBytes: number;
}

/** A token and its natural-log probability. */
export interface TokenLogprob {
  /** Its id. */
  readonly token: number;
  /** Before temperature and filters. */
  readonly logprob: number;
}

/** One generated continuation. */
export interface Sample {
  /** All generated tokens, an end token and those of a stop string included. */
  readonly tokens: number[];
  /** Their text, without end tokens and from a stop string on nothing. */
  readonly text: string;
  /** `length`: maxNewTokens or the context window was reached. */
  readonly finishReason: "stop" | "length" | "aborted";
  /** Natural-log probability of each token under the model, before temperature and filters. */
  readonly logprobs?: number[];
  /** For each token drawn, the likeliest tokens in its place, likeliest first. */
  readonly topLogprobs?: TokenLogprob[][];
}

/** A sequence whose keys and values are computed. Disposing of it frees them when no other prefix shares them. */
export interface Prefix extends Disposable {
  /** Tokens in it. */
  readonly length: number;
  /** How many of them came from the cache of `reuse`. */
  readonly cachedTokens: number;
  /** `[vocabSize]`: logits after its last token. */
  readonly logits: Float32Array;
  /** A longer prefix that shares this one's keys and values; this one stays as it is. @throws {InputError} */
  extend(ids: readonly number[], options?: PrefillOptions): Promise<Prefix>;
  /** Changes cached keys and values of this prefix alone; its logits stay those computed before. @throws {InputError} */
  editKV(edit: KvEdit): void;
  /** Copies what layers have cached of one position. @throws {InputError} */
  readKV(slot: KvSlot): Promise<KvRow[]>;
  /** Draws continuations. @throws {InputError} also when not one token more fits the context window. */
  generate(options: GenerateOptions): Promise<Sample[]>;
}

/** A decoder model, loaded. */
export interface Decoder extends AsyncDisposable {
  /** The model's shape. */
  readonly config: DecoderConfig;
  /** The model's tokenizer; it works in the calling thread. */
  readonly tokenizer: DecoderTokenizer;
  /** Blocks. */
  readonly numLayers: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Most positions, prompt and new tokens together. */
  readonly contextWindow: number;
  /** Token ids of a text; see {@linkcode DecoderTokenizer.encode}. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  /** Text of token ids; see {@linkcode DecoderTokenizer.decode}. */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** The chat template's text for messages; see {@linkcode DecoderTokenizer.renderChat}. */
  renderChat(messages: readonly Message[], options?: RenderOptions): string;
  /** Logits of every token, and what is captured. @throws {InputError} */
  forward(ids: readonly number[], options?: ForwardOptions): Promise<ForwardResult>;
  /** Computes keys and values of a prompt, in chunks. @throws {InputError} when it is empty or too long. */
  prefill(ids: readonly number[], options?: PrefillOptions): Promise<Prefix>;
  /**
   * Draws continuations of several prefixes together, one token in each branch per step; those that `extend` one
   * another share what they hold. Calls that are under way at the same time share their steps too: one joins while
   * others are going on, unless its response is steered. A sample is what {@linkcode Prefix.generate} draws with its seed, whatever else is
   * in the batch: to the token in fp32, not so in q8 and q4, whose arithmetic depends on the batch.
   *
   * @returns the samples of each continuation, in the order given.
   * @throws {InputError}
   */
  generateMany(
    continuations: readonly Continuation[],
    options?: GenerateManyOptions,
  ): Promise<Sample[][]>;
  /**
   * Tests that what is captured and steered can be trusted: steering and editing by zero change no bit, and the parts
   * of the residual stream add up. The first use of either runs its part of these tests by itself.
   *
   * @returns what was tested, in words.
   * @throws {InputError} naming the first test that failed.
   */
  selfTest(): Promise<string[]>;
  /** What has been computed so far. */
  stats(): Promise<DecoderStats>;
  /** Steers every later pass until the handle is disposed of. @throws {InputError} */
  steer(steer: Steer): SteerHandle;
}
