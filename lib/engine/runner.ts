/**
 * Runs the graphs of one model: chunks of prefill into a store, and single decode steps.
 * @module
 */
import { eitherAttention, maskName, windowsOf } from "./attention_graph.ts";
import { BranchCache, type Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import { buildDecoderGraph } from "./decoder_graph.ts";
import { freeFloats } from "./free_floats.ts";
import { joinFloats } from "./join_floats.ts";
import type { KvStore } from "./kv_store.ts";
import type {
  DecodeBatch,
  ModelRunner,
  PrefillRun,
  StepResult,
  StepRun,
  TestedGraph,
} from "./model_runner.ts";
import { type OpenWeights, openWeights, type WeightOptions } from "./open_weights.ts";
import { RopeTables } from "./rope_table.ts";
import {
  type Feed,
  flag,
  floats,
  ints,
  longs,
  openSession,
  type Session,
  type SessionOptions,
} from "./session.ts";
import { selfTest } from "./self_test.ts";
import { actsOn, steerFeeds } from "./steering.ts";
import type { ForwardResult } from "./types.ts";

/** Tokens computed at once: larger chunks are no faster and hold more memory. */
const CHUNK = 1024;

/** A model's sessions, opened when first needed. */
export class Runner implements ModelRunner {
  /** The model's shape. */
  readonly config: DecoderConfig;
  readonly #source: OpenWeights;
  readonly #options: SessionOptions;
  readonly #rope: RopeTables;
  /** Made when first needed: sizes are to be believed once the weights have been read. */
  #unread: Readonly<Record<string, Feed>> | undefined;
  /** Tokens prefilled and decode steps run since it was opened. */
  readonly counts = { prefilledTokens: 0, decodeSteps: 0 };
  readonly #sessions = new Map<boolean, Promise<Session>>();
  readonly #tested = new Set<TestedGraph>();

  private constructor(config: DecoderConfig, source: OpenWeights, options: SessionOptions) {
    this.config = config;
    this.#source = source;
    this.#options = options;
    this.#rope = new RopeTables(config);
  }

  /** Opens the sessions of plain prefill and decode. @throws {InputError} when the weights do not fit the config. */
  static async open(
    config: DecoderConfig,
    dir: string,
    options: SessionOptions & WeightOptions,
  ): Promise<Runner> {
    const source = await openWeights(config, dir, options);
    const runner = new Runner(config, source, options);
    try {
      await runner.#session(false);
      source.weights.checkAllUsed();
    } catch (error) {
      await runner[Symbol.asyncDispose]();
      throw error;
    }
    source.weights.release();
    return runner;
  }

  /** A session; `open` ones can be steered and captured from. */
  #session(open: boolean): Promise<Session> {
    let session = this.#sessions.get(open);
    if (session === undefined) {
      session = buildDecoderGraph(this.config, this.#source.weights, {
        attention: eitherAttention(this.config),
        open,
        selectRows: true,
        probabilities: true,
        matrices: this.#source.matrices,
        adapter: this.#source.adapter,
      })
        .then((model) => openSession(model, this.#options));
      this.#sessions.set(open, session);
      if (open) session = session.finally(() => this.#source.weights.release());
    }
    return session;
  }

  /**
   * Tests a graph that is steered and captured from; its first use does so by itself.
   *
   * @returns what was tested, in words.
   * @throws {InputError} when it fails.
   */
  async test(graph: TestedGraph): Promise<string[]> {
    this.#tested.add(graph); // the test itself uses the graph
    try {
      return await selfTest(this, graph);
    } catch (error) {
      this.#tested.delete(graph);
      throw error;
    }
  }

  /**
   * Computes `ids` after the rows in the store and appends theirs.
   *
   * @returns logits `[vocabSize]` of the last token, or `[ids.length, vocabSize]`; and what was captured.
   * @throws the signal's reason; the store then holds the chunks done so far.
   */
  async prefill(store: KvStore, ids: readonly number[], run: PrefillRun): Promise<ForwardResult> {
    const steers = run.steers.filter((steer) => actsOn(steer, "prompt"));
    const open = steers.length > 0 || run.capture.some((site) => !/^[kv]\./.test(site));
    if (open && !this.#tested.has("prefill")) await this.test("prefill");
    const session = await this.#session(open);
    const fetches = this.#layers((layer) => [`k.${layer}`, `v.${layer}`]);
    for (const site of run.capture) if (!fetches.includes(site)) fetches.push(site);
    const logits: Float32Array[] = [];
    const captured = new Map<string, Float32Array[]>(run.capture.map((site) => [site, []]));
    const length = store.used + ids.length;
    store.reserve(length);
    store.changed ||= steers.length > 0;
    for (let from = 0; from < ids.length; from += CHUNK) {
      run.signal?.throwIfAborted();
      const chunk = ids.slice(from, from + CHUNK);
      const isLast = from + chunk.length === ids.length;
      const rows = run.allLogits ? [...chunk.keys()] : [chunk.length - 1];
      const wanted = isLast || run.allLogits ? [...fetches, "logits"] : fetches;
      const feeds = {
        ...this.#prefillFeeds(store, chunk, rows),
        ...this.#rope.feeds(store.used + chunk.length, Math.max(length, store.atLeast)),
        ...(open ? steerFeeds(this.config, steers, chunk.length, isLast ? chunk.length - 1 : -1) : {}),
      };
      const outputs = await session.run(feeds, wanted);
      for (let layer = 0; layer < this.config.numLayers; layer++) {
        const [keys, values] = [outputs[`k.${layer}`], outputs[`v.${layer}`]] as [Float32Array, Float32Array];
        store.write(layer, keys, values);
        if (!captured.has(`k.${layer}`)) freeFloats(keys);
        if (!captured.has(`v.${layer}`)) freeFloats(values);
      }
      store.note(chunk);
      store.used += chunk.length;
      this.counts.prefilledTokens += chunk.length;
      if (outputs["logits"] !== undefined) logits.push(outputs["logits"]);
      for (const [site, parts] of captured) parts.push(outputs[site] as Float32Array);
    }
    return {
      logits: joinFloats(logits),
      captured: Object.fromEntries([...captured].map(([site, parts]) => [site, joinFloats(parts)])),
    };
  }

  #prefillFeeds(store: KvStore, chunk: readonly number[], rows: readonly number[]): Record<string, Feed> {
    const past = store.used;
    const total = past + chunk.length;
    const feeds: Record<string, Feed> = {
      ids: longs(chunk, chunk.length),
      rows: longs(rows, rows.length),
      ...drawFeeds(undefined),
      position_ids: longs(chunk.map((_, i) => past + i), 1, chunk.length),
      decoding: flag(false),
      seqlens_k: ints([total - 1], 1),
      total_length: ints([total]),
      ...this.#storeFeeds(store, past),
      ...(this.#unread ??= unreadByPrefill(this.config)),
    };
    return feeds;
  }

  /** See {@linkcode ModelRunner.startBatch}. */
  startBatch(store: KvStore, spans: readonly Span[]): DecodeBatch {
    const branches = new BranchCache(this.config, spans);
    return {
      admit(changed, all) {
        store = changed;
        branches.admit(all);
      },
      keep: (indices) => branches.keep(indices),
      step: (tokens, run) => this.decode(store, branches, tokens, run),
    };
  }

  /** Runs one token in each branch of the store's prefixes. */
  async decode(
    store: KvStore,
    branches: BranchCache,
    tokens: readonly number[],
    run: StepRun,
  ): Promise<StepResult> {
    const steers = run.steers.filter((steer) => actsOn(steer, "response"));
    if (steers.length > 0 && !this.#tested.has("decode")) await this.test("decode");
    const session = await this.#session(steers.length > 0);
    const length = Math.max(...branches.positions) + 1;
    const fetches = this.#layers((layer) => [`k.${layer}`, `v.${layer}`]);
    if (run.logits) fetches.push("logits");
    if (run.drawn !== undefined) fetches.push("probabilities");
    const outputs = await session.run({
      ids: longs(tokens, tokens.length),
      ...branches.feeds(),
      ...this.#rope.feeds(length, Math.max(length, store.atLeast)),
      rows: longs([...tokens.keys()], tokens.length),
      ...drawFeeds(run.drawn),
      decoding: flag(true),
      // Read by prefill alone.
      seqlens_k: ints([0], 1),
      total_length: ints([1]),
      ...this.#storeFeeds(store, branches.past),
      ...(steers.length > 0 ? steerFeeds(this.config, steers, tokens.length, -1) : {}),
    }, fetches);
    branches.append(outputs);
    this.counts.decodeSteps++;
    return { logits: outputs["logits"], probabilities: outputs["probabilities"] };
  }

  /** The first `rows` rows of the store, as they lie there. */
  #storeFeeds(store: KvStore, rows: number): Record<string, Feed> {
    const { numKvHeads, headDim } = this.config;
    const feeds: Record<string, Feed> = {};
    for (let layer = 0; layer < this.config.numLayers; layer++) {
      feeds[`prefix_k.${layer}`] = floats(store.keys[layer] as Float32Array, rows, numKvHeads, headDim);
      feeds[`prefix_v.${layer}`] = floats(store.values[layer] as Float32Array, rows, numKvHeads, headDim);
    }
    return feeds;
  }

  #layers(names: (layer: number) => string[]): string[] {
    return Array.from({ length: this.config.numLayers }, (_, layer) => names(layer)).flat();
  }

  /** Closes the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const result of await Promise.allSettled(sessions)) {
      if (result.status === "fulfilled") await result.value[Symbol.asyncDispose]();
    }
  }
}

/** The inputs that probabilities are made from: of the first row, unread, where nothing is drawn. */
function drawFeeds(drawn: StepRun["drawn"]): Record<string, Feed> {
  const { branches, temperatures } = drawn ?? { branches: [0], temperatures: [1] };
  return {
    drawn: longs(branches, branches.length),
    cooling: floats(Float32Array.from(temperatures, (t) => 1 / t), branches.length, 1),
  };
}

/** Something for the inputs that only decoding reads. */
function unreadByPrefill(config: DecoderConfig): Record<string, Feed> {
  const { numKvHeads, headDim, numLayers } = config;
  const feeds: Record<string, Feed> = {
    split: longs([1, 1, 1], 3),
    scores_shape: longs([1, 1, 1, 1], 4),
    weights_shape: longs([1, 1, 1], 3),
  };
  const row = new Float32Array(numKvHeads * headDim);
  for (const window of windowsOf(config)) feeds[maskName(window)] = floats(row, 1, 1, 1);
  for (let layer = 0; layer < numLayers; layer++) {
    for (const which of ["k", "v"]) {
      feeds[`suffix_${which}.${layer}`] = floats(row, 1, numKvHeads, 1, headDim);
    }
  }
  return feeds;
}
