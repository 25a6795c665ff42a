/**
 * What a decoder does the same way wherever it computes: text, and the list of steerings in force.
 * @module
 */
import type { DecoderConfig } from "./config.ts";
import { checkSteer } from "./steering.ts";
import type { DecoderTokenizer, RenderOptions } from "./tokenizer.ts";
import type {
  Continuation,
  Decoder,
  DecoderStats,
  ForwardOptions,
  ForwardResult,
  GenerateManyOptions,
  GenerateOptions,
  Message,
  PrefillOptions,
  Prefix,
  Sample,
  Steer,
  SteerHandle,
} from "./types.ts";

/** A decoder without its arithmetic. */
export abstract class DecoderBase implements Decoder {
  /** The model's shape. */
  readonly config: DecoderConfig;
  /** The model's tokenizer. */
  readonly tokenizer: DecoderTokenizer;
  readonly #steers = new Set<Steer>();

  /** Nothing is in force at first. */
  constructor(config: DecoderConfig, tokenizer: DecoderTokenizer) {
    this.config = config;
    this.tokenizer = tokenizer;
  }

  /** Blocks. */
  get numLayers(): number {
    return this.config.numLayers;
  }

  /** Width of the residual stream. */
  get hiddenSize(): number {
    return this.config.hiddenSize;
  }

  /** Most positions, prompt and new tokens together. */
  get contextWindow(): number {
    return this.config.contextWindow;
  }

  /** Token ids of a text. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[] {
    return this.tokenizer.encode(text, options);
  }

  /** Text of token ids. */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string {
    return this.tokenizer.decode(ids, options);
  }

  /** The chat template's text for messages. @throws {InputError} */
  renderChat(messages: readonly Message[], options?: RenderOptions): string {
    return this.tokenizer.renderChat(messages, options);
  }

  /** Steers every later pass until the handle is disposed of. @throws {InputError} */
  steer(steer: Steer): SteerHandle {
    checkSteer(this.config, steer);
    const own = { ...steer, vector: steer.vector.slice() };
    this.#steers.add(own);
    return { [Symbol.dispose]: () => void this.#steers.delete(own) };
  }

  /** The steerings in force and those of one call. @throws {InputError} */
  steersFor(own: readonly Steer[] = []): Steer[] {
    for (const steer of own) checkSteer(this.config, steer);
    return [...this.#steers, ...own];
  }

  /** Draws continuations of one prefix. @throws {InputError} */
  async generateFrom(prefix: Prefix, options: GenerateOptions): Promise<Sample[]> {
    const { steer, onToken, signal, ...how } = options;
    const [samples] = await this.generateMany([{ prefix, ...how }], {
      ...(steer ? { steer } : {}),
      ...(signal ? { signal } : {}),
      ...(onToken ? { onToken: ({ sample, token, text }) => onToken({ sample, token, text }) } : {}),
    });
    return samples as Sample[];
  }

  /** See {@linkcode Decoder.forward}. */
  abstract forward(ids: readonly number[], options?: ForwardOptions): Promise<ForwardResult>;
  /** See {@linkcode Decoder.prefill}. */
  abstract prefill(ids: readonly number[], options?: PrefillOptions): Promise<Prefix>;
  /** See {@linkcode Decoder.generateMany}. */
  abstract generateMany(
    continuations: readonly Continuation[],
    options?: GenerateManyOptions,
  ): Promise<Sample[][]>;
  /** See {@linkcode Decoder.selfTest}. */
  abstract selfTest(): Promise<string[]>;
  /** See {@linkcode Decoder.stats}. */
  abstract stats(): Promise<DecoderStats>;
  /** Frees the model. */
  abstract [Symbol.asyncDispose](): Promise<void>;
}
