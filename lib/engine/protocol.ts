/**
 * What the client and its worker say to each other.
 * @module
 */
import type {
  BranchEvent,
  DecoderStats,
  ForwardOptions,
  ForwardResult,
  GenerateManyOptions,
  KvEdit,
  KvRow,
  KvSlot,
  LoadOptions,
  PrefillOptions,
  Sample,
  SampleOptions,
} from "./types.ts";

/** Options without what cannot be sent. */
export type Sendable<T> = Omit<T, "signal" | "onToken">;

/** A prefix as the client knows it: the worker holds the rest under `prefix`. */
export interface PrefixReply {
  /** The worker's name for it. */
  readonly prefix: number;
  /** Tokens in it. */
  readonly length: number;
  /** Tokens that were not computed again. */
  readonly cachedTokens: number;
  /** `[vocabSize]`, after its last token. */
  readonly logits: Float32Array;
}

/** Calls that are answered: what is sent and what comes back. */
export interface Calls {
  /** Loads the model, once. */
  load: { request: { dir: string; options: Sendable<LoadOptions> }; reply: null };
  /** Decoder.forward. */
  forward: { request: { ids: readonly number[]; options: Sendable<ForwardOptions> }; reply: ForwardResult };
  /** Decoder.prefill. */
  prefill: { request: { ids: readonly number[]; options: Sendable<PrefillOptions> }; reply: PrefixReply };
  /** Prefix.extend. */
  extend: {
    request: { prefix: number; ids: readonly number[]; options: Sendable<PrefillOptions> };
    reply: PrefixReply;
  };
  /** Prefix.readKV. */
  readKV: { request: { prefix: number; slot: KvSlot }; reply: KvRow[] };
  /** Decoder.generateMany. */
  generate: {
    request: {
      continuations: readonly { readonly prefix: number; readonly options: SampleOptions }[];
      options: Sendable<GenerateManyOptions>;
      stream: boolean;
    };
    reply: Sample[][];
  };
  /** Decoder.selfTest. */
  selfTest: { request: null; reply: string[] };
  /** Decoder.stats. */
  stats: { request: null; reply: DecoderStats };
  /** Closes the model. */
  close: { request: null; reply: null };
}

/** A call on its way to the worker. */
export type CallMessage = {
  [M in keyof Calls]: {
    readonly kind: "call";
    readonly id: number;
    readonly method: M;
    readonly request: Calls[M]["request"];
  };
}[keyof Calls];

/** Everything the worker is sent. */
export type ToWorker =
  | CallMessage
  | { readonly kind: "abort"; readonly id: number }
  | { readonly kind: "edit"; readonly prefix: number; readonly edit: KvEdit }
  | { readonly kind: "dispose"; readonly prefix: number };

/** Everything the worker sends. */
export type FromWorker =
  | { readonly kind: "reply"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly input: boolean; readonly message: string }
  | { readonly kind: "token"; readonly id: number; readonly event: BranchEvent };
