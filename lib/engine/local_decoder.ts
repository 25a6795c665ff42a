/**
 * A decoder in this thread. It blocks the thread while it computes; {@linkcode loadDecoder} runs it in a worker.
 * @module
 */
import { join } from "node:path";
import { availableParallelism } from "node:os";
import { InputError } from "../base/errors.ts";
import { isRepository } from "../base/hub_repository.ts";
import { checkEdit, checkGenerate, checkIds, checkLoadOptions, checkSites, foreignPrefix } from "./checks.ts";
import { hasWeights, readJson } from "./checkpoint.ts";
import { type DecoderConfig, parseConfig } from "./config.ts";
import { DecoderBase } from "./decoder_base.ts";
import type { Request } from "./branch.ts";
import { DecodeLoop } from "./decode_loop.ts";
import { checkDevice } from "./device.ts";
import { fetchCheckpoint, type HubOptions } from "./hub.ts";
import { inUse, KvStore } from "./kv_store.ts";
import type { WeightOptions } from "./open_weights.ts";
import { PrefixCache } from "./prefix_cache.ts";
import { lengthLimit } from "./rope_table.ts";
import type { ModelRunner } from "./model_runner.ts";
import { findExport } from "./export_files.ts";
import { ExportRunner } from "./export_runner.ts";
import { Runner } from "./runner.ts";
import type { SessionOptions } from "./session.ts";
import { actsOn } from "./steering.ts";
import { type DecoderTokenizer, loadTokenizer } from "./tokenizer.ts";
import type {
  Continuation,
  Decoder,
  DecoderStats,
  ForwardOptions,
  ForwardResult,
  GenerateManyOptions,
  GenerateOptions,
  KvEdit,
  KvRow,
  KvSlot,
  LoadOptions,
  PrefillOptions,
  Prefix,
  Sample,
  Steer,
} from "./types.ts";

const DEFAULT_CACHE_BYTES = 256 * 2 ** 20;

/**
 * Reads and checks the config.json of a checkpoint folder.
 *
 * @throws {InputError} when it is missing, malformed, or of a model the engine does not run.
 */
export async function readConfig(dir: string): Promise<DecoderConfig> {
  const path = join(dir, "config.json");
  const json = await readJson(path);
  if (json === undefined) {
    throw new InputError(
      `There is no ${path}: give the folder of a Hugging Face decoder checkpoint, or its OWNER/NAME on the hub.`,
    );
  }
  return parseConfig(json, path);
}

/**
 * The folder itself, or that of the hub repository it names, downloaded where needed. A folder wins over a repository.
 *
 * @throws {InputError} when there is neither.
 */
async function checkpointFolder(dirOrRepo: string, options: HubOptions): Promise<string> {
  const isFolder = await Deno.stat(dirOrRepo).then((stat) => stat.isDirectory, () => false);
  return isFolder || !isRepository(dirOrRepo) ? dirOrRepo : await fetchCheckpoint(dirOrRepo, options);
}

/**
 * The folders of a model and of the adapter its options name; each may be a hub repository. The revision is the
 * model's.
 *
 * @throws {InputError} when one cannot be had.
 */
export async function checkpointFolders(
  dirOrRepo: string,
  options: LoadOptions,
): Promise<{ readonly dir: string; readonly adapter: { readonly lora?: string } }> {
  const { revision: _, ...shared } = options;
  return {
    dir: await checkpointFolder(dirOrRepo, options),
    adapter: options.lora === undefined ? {} : { lora: await checkpointFolder(options.lora, shared) },
  };
}

/**
 * Loads a checkpoint folder or hub repository into this thread.
 *
 * @throws {InputError} for options, files and architectures that the engine does not run.
 */
export async function loadLocalDecoder(dirOrRepo: string, options: LoadOptions = {}): Promise<Decoder> {
  checkLoadOptions(dirOrRepo, options);
  const { threads = availableParallelism(), device = "cpu", signal } = options;
  signal?.throwIfAborted();
  const { dir, adapter } = await checkpointFolders(dirOrRepo, options);
  await checkDevice(device);
  const config = await readConfig(dir);
  const tokenizer = await loadTokenizer(dir);
  const runner = await openRunner(config, dir, { ...options, ...adapter, threads, device, signal });
  return new LocalDecoder(runner, tokenizer, options.cacheBytes ?? DEFAULT_CACHE_BYTES);
}

/** Runs the checkpoint of a folder, or its ONNX export when it has no checkpoint. */
async function openRunner(
  config: DecoderConfig,
  dir: string,
  options: SessionOptions & WeightOptions,
): Promise<ModelRunner> {
  const path = await hasWeights(dir) ? undefined : await findExport(dir, options.dtype);
  if (path === undefined) return await Runner.open(config, dir, options);
  if (options.lora !== undefined) {
    throw new InputError(
      `${dir} is an ONNX export, to which no adapter can be added: load the checkpoint it was made from.`,
    );
  }
  return await ExportRunner.open(config, path, options);
}

class LocalDecoder extends DecoderBase {
  readonly #runner: ModelRunner;
  readonly #cache: PrefixCache;
  readonly #loop: DecodeLoop;
  readonly #queue: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;
  #closed = false;
  #reusedTokens = 0;
  #generatedTokens = 0;

  constructor(runner: ModelRunner, tokenizer: DecoderTokenizer, cacheBytes: number) {
    super(runner.config, tokenizer);
    this.#runner = runner;
    this.#cache = new PrefixCache(cacheBytes);
    this.#loop = new DecodeLoop(runner, tokenizer);
  }

  override forward(ids: readonly number[], options: ForwardOptions = {}): Promise<ForwardResult> {
    const { capture = [], signal } = options;
    return this.exclusive(async () => {
      checkIds(this.config, ids, 0);
      checkSites(this.config, capture);
      const store = new KvStore(this.config, ids.length);
      using _use = inUse([store]);
      const steers = this.steersFor(options.steer);
      return await this.#runner.prefill(store, ids, { steers, allLogits: true, capture, signal });
    }, signal);
  }

  override prefill(ids: readonly number[], options: PrefillOptions = {}): Promise<Prefix> {
    return this.exclusive(async () => {
      checkIds(this.config, ids, 0);
      const steers = this.steersFor(options.steer);
      const reuse = options.reuse === true && !steers.some((steer) => actsOn(steer, "prompt"));
      const match = reuse ? this.#cache.match(ids) : undefined;
      const found = match && this.#alike(match.prompt.ids.length, ids.length) ? match : undefined;
      if (found !== undefined && found.common === ids.length && found.prompt.ids.length === ids.length) {
        this.#reusedTokens += ids.length;
        return new LocalPrefix(this, found.prompt.store, ids.length, found.prompt.logits, ids.length);
      }
      // The last token is always computed: its logits are what is wanted.
      const common = found === undefined ? 0 : Math.min(found.common, ids.length - 1);
      const store = found === undefined
        ? new KvStore(this.config, ids.length)
        : this.#from(found.prompt.store, common, ids.length);
      using _use = inUse([store]);
      if (reuse) this.#cache.makeRoom();
      const logits = await this.compute(store, common, ids.slice(common), steers, options.signal);
      this.#reusedTokens += common;
      if (reuse) this.#cache.add({ ids: [...ids], store, logits });
      return new LocalPrefix(this, store, ids.length, logits, common);
    }, options.signal);
  }

  /** Whether sequences of these lengths have the same positions. */
  #alike(a: number, b: number): boolean {
    return lengthLimit(this.config, a) === lengthLimit(this.config, b);
  }

  /** A store whose first `rows` rows are those of `store` and nothing follows them: itself, or a copy. */
  #from(store: KvStore, rows: number, capacity: number): KvStore {
    return store.used === rows ? store : store.fork(this.config, rows, capacity);
  }

  /** Appends `ids` to a store of `past` rows and gives the last token's logits; a failure leaves the store as it was. */
  async compute(
    store: KvStore,
    past: number,
    ids: readonly number[],
    steers: readonly Steer[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    try {
      const { logits } = await this.#runner.prefill(store, ids, {
        steers,
        allLogits: false,
        capture: [],
        signal,
      });
      return logits;
    } catch (error) {
      store.used = past;
      throw error;
    }
  }

  async extend(
    store: KvStore,
    length: number,
    ids: readonly number[],
    options: PrefillOptions,
  ): Promise<Prefix> {
    using _use = inUse([store]);
    return await this.exclusive(async () => {
      checkIds(this.config, ids, length);
      const steers = this.steersFor(options.steer);
      const total = length + ids.length;
      const [longer, past] = this.#alike(length, total)
        ? [this.#from(store, length, total), length]
        : [new KvStore(this.config, total), 0];
      using _longer = inUse([longer]);
      if (past < length && (store.changed || steers.some((steer) => actsOn(steer, "prompt")))) {
        throw new InputError(
          `A prefix of ${length} tokens that is steered or edited cannot be extended to ${total}: past ` +
            `${lengthLimit(this.config, length)} tokens this model has other positions for all tokens, ` +
            "which are computed again. Extend it first.",
        );
      }
      const fresh = [...store.tokens.slice(past, length), ...ids];
      const logits = await this.compute(longer, past, fresh, steers, options.signal);
      return new LocalPrefix(this, longer, total, logits, 0);
    }, options.signal);
  }

  override async generateMany(
    continuations: readonly Continuation[],
    options: GenerateManyOptions = {},
  ): Promise<Sample[][]> {
    const { onToken, signal } = options;
    const steers = this.steersFor(options.steer);
    const requests = continuations.map(({ prefix, ...how }): Request => {
      const start = LocalPrefix.startOf(prefix, this);
      checkGenerate(this.config, start.length, how);
      return { ...start, options: how };
    });
    if (this.#closed) throw closed();
    const drawing = this.#loop.add(requests, { steers, onToken, signal });
    this.#work();
    const samples = await drawing;
    for (const { tokens } of samples.flat()) this.#generatedTokens += tokens.length;
    return samples;
  }

  override selfTest(): Promise<string[]> {
    return this.exclusive(async () => [
      ...await this.#runner.test("prefill"),
      ...await this.#runner.test("decode"),
    ]);
  }

  override stats(): Promise<DecoderStats> {
    return Promise.resolve({
      ...this.#runner.counts,
      reusedTokens: this.#reusedTokens,
      generatedTokens: this.#generatedTokens,
      cacheBytes: this.#cache.bytes,
    });
  }

  /**
   * Runs one thing at a time, in the order asked for, with a decode step of what is being generated between two. A
   * call whose signal fires before its turn leaves the queue at once.
   */
  exclusive<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        const at = this.#queue.indexOf(turn);
        if (at !== -1) this.#queue.splice(at, 1);
        reject(signal?.reason);
      };
      const turn = async () => {
        signal?.removeEventListener("abort", leave);
        if (this.#closed) reject(closed());
        else await work().then(resolve, reject);
      };
      if (signal?.aborted) return leave();
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.push(turn);
      this.#work();
    });
  }

  /** Works until there is nothing left to do. */
  #work(): void {
    this.#working ??= (async () => {
      await Promise.resolve(); // what is asked for in one go is begun together
      for (;;) {
        const turn = this.#queue.shift();
        if (turn === undefined && this.#loop.idle) break;
        await turn?.();
        if (!this.#loop.idle) await this.#loop.step();
      }
      this.#working = undefined;
    })();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    while (this.#working !== undefined) await this.#working;
    this.#closed = true;
    this.#cache.clear();
    await this.#runner[Symbol.asyncDispose]();
  }
}

function closed(): InputError {
  return new InputError("The model is closed: load it again.");
}

class LocalPrefix implements Prefix {
  readonly length: number;
  readonly cachedTokens: number;
  readonly logits: Float32Array;
  readonly #decoder: LocalDecoder;
  #store: KvStore | undefined;

  constructor(
    decoder: LocalDecoder,
    store: KvStore,
    length: number,
    logits: Float32Array,
    cachedTokens: number,
  ) {
    this.#decoder = decoder;
    this.#store = store;
    store.retain();
    this.length = length;
    this.logits = logits;
    this.cachedTokens = cachedTokens;
  }

  #open(): KvStore {
    if (this.#store === undefined) throw new InputError("The prefix was disposed of: prefill again.");
    return this.#store;
  }

  async extend(ids: readonly number[], options: PrefillOptions = {}): Promise<Prefix> {
    return await this.#decoder.extend(this.#open(), this.length, ids, options);
  }

  editKV(edit: KvEdit): void {
    let store = this.#open();
    const slot = checkEdit(this.#decoder.config, this.length, edit);
    if (store.owners > 1) {
      const own = store.fork(this.#decoder.config, this.length, this.length);
      store.release();
      own.retain();
      this.#store = store = own;
    }
    store.edit(slot, edit);
  }

  async readKV({ layers, slot }: KvSlot): Promise<KvRow[]> {
    const store = this.#open();
    const { config } = this.#decoder;
    const rows = layers.map((layer) => store.row(layer, checkEdit(config, this.length, { layer, slot })));
    return await Promise.resolve(rows);
  }

  async generate(options: GenerateOptions): Promise<Sample[]> {
    return await this.#decoder.generateFrom(this, options);
  }

  /** What a prefix is continued from. @throws {InputError} when it is of another model, or was disposed of. */
  static startOf(prefix: Prefix, decoder: LocalDecoder): Omit<Request, "options"> {
    if (!(prefix instanceof LocalPrefix) || prefix.#decoder !== decoder) throw foreignPrefix();
    return { store: prefix.#open(), length: prefix.length, logits: prefix.logits };
  }

  [Symbol.dispose](): void {
    this.#store?.release();
    this.#store = undefined;
  }
}
