/**
 * What computes a model's tokens: the engine's own graphs, or a ready-made export.
 * @module
 */
import type { Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import type { KvStore } from "./kv_store.ts";
import type { ForwardResult, Steer } from "./types.ts";

/** Which graph is tested: the one that prefills, or the one that decodes. */
export type TestedGraph = "prefill" | "decode";

/** What a prefill is asked for. */
export interface PrefillRun {
  /** Steerings in force; those of generated tokens are passed over. */
  readonly steers: readonly Steer[];
  /** Logits of all tokens, not only of the last. */
  readonly allLogits: boolean;
  /** Names of further outputs wanted, each `[tokens, ...]`. */
  readonly capture: readonly string[];
  /** Stops between chunks. */
  readonly signal?: AbortSignal | undefined;
}

/** What a decode step is asked for. */
export interface StepRun {
  /** Steerings in force; those of prompts are passed over. */
  readonly steers: readonly Steer[];
  /** Whether logits are wanted. */
  readonly logits: boolean;
  /** Branches whose next token is drawn, and their temperatures, which are above 0. */
  readonly drawn?: { readonly branches: readonly number[]; readonly temperatures: readonly number[] };
}

/** What a decode step gives. */
export interface StepResult {
  /** `[branches, vocabSize]`, when wanted. */
  readonly logits: Float32Array | undefined;
  /** `[drawn branches, vocabSize]`, softmax of the logits over the temperatures; undefined when none are drawn. */
  readonly probabilities: Float32Array | undefined;
}

/** Branches that are decoded together, one token each per step. */
export interface DecodeBatch {
  /** Adds branches between steps: the first spans are those of the branches it has, all of a store that may be new. */
  admit(store: KvStore, spans: readonly Span[]): void;
  /** Keeps only the branches at these indices. */
  keep(indices: readonly number[]): void;
  /** Runs one token in each branch. */
  step(tokens: readonly number[], run: StepRun): Promise<StepResult>;
}

/** Runs a model. */
export interface ModelRunner extends AsyncDisposable {
  /** The model's shape. */
  readonly config: DecoderConfig;
  /** Tokens prefilled and decode steps run since it was opened. */
  readonly counts: { prefilledTokens: number; decodeSteps: number };
  /**
   * Computes `ids` after the rows in the store and appends theirs.
   *
   * @returns logits `[vocabSize]` of the last token, or `[ids.length, vocabSize]`; and what was captured.
   * @throws the signal's reason; the store then holds the chunks done so far.
   */
  prefill(store: KvStore, ids: readonly number[], run: PrefillRun): Promise<ForwardResult>;
  /** Begins branches after rows of a store. The store must not change while they are decoded. */
  startBatch(store: KvStore, spans: readonly Span[]): DecodeBatch;
  /**
   * Tests a graph that is steered and captured from; its first use does so by itself.
   *
   * @returns what was tested, in words.
   * @throws {InputError} when it fails.
   */
  test(graph: TestedGraph): Promise<string[]>;
}
