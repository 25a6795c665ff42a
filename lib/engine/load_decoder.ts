/**
 * A decoder that computes in a worker of its own, so that the calling thread stays free.
 * @module
 */
import { checkEdit, checkLoadOptions, foreignPrefix } from "./checks.ts";
import type { DecoderConfig } from "./config.ts";
import { DecoderBase } from "./decoder_base.ts";
import { checkpointFolders, readConfig } from "./local_decoder.ts";
import type { PrefixReply } from "./protocol.ts";
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
import { WorkerLink } from "./worker_link.ts";

/**
 * Loads a checkpoint folder (config.json, safetensors, tokenizer.json, chat template) into a worker; or that of a
 * hub repository `OWNER/NAME`, which is downloaded first where it is not on the disk.
 *
 * @example
 * ```ts ignore
 * await using model = await loadDecoder("models/pocket");
 * using prefix = await model.prefill(model.encode(model.renderChat([{ role: "user", content: "Hello" }])));
 * const [sample] = await prefix.generate({ maxNewTokens: 20 });
 * ```
 * @throws {InputError} for options, files and architectures that the engine does not run.
 */
export async function loadDecoder(dirOrRepo: string, options: LoadOptions = {}): Promise<Decoder> {
  const { signal, ...rest } = options;
  checkLoadOptions(dirOrRepo, options);
  signal?.throwIfAborted();
  const { dir, adapter } = await checkpointFolders(dirOrRepo, options);
  const config = await readConfig(dir);
  const link = new WorkerLink();
  try {
    const [tokenizer] = await Promise.all([
      loadTokenizer(dir),
      link.call("load", { dir, options: { ...rest, ...adapter } }, { signal }),
    ]);
    return new WorkerDecoder(link, config, tokenizer);
  } catch (error) {
    link.terminate();
    throw error;
  }
}

class WorkerDecoder extends DecoderBase {
  readonly #link: WorkerLink;

  constructor(link: WorkerLink, config: DecoderConfig, tokenizer: DecoderTokenizer) {
    super(config, tokenizer);
    this.#link = link;
  }

  /** The options as they are sent: with the steerings in force, without what cannot be sent. */
  sendable<T extends { readonly steer?: readonly Steer[]; readonly signal?: AbortSignal }>(options: T) {
    const { signal: _, ...rest } = options;
    return { ...rest, steer: this.steersFor(options.steer) };
  }

  override async forward(ids: readonly number[], options: ForwardOptions = {}): Promise<ForwardResult> {
    return await this.#link.call("forward", { ids, options: this.sendable(options) }, options);
  }

  override async prefill(ids: readonly number[], options: PrefillOptions = {}): Promise<Prefix> {
    const reply = await this.#link.call("prefill", { ids, options: this.sendable(options) }, options);
    return new WorkerPrefix(this, this.#link, reply);
  }

  override async generateMany(
    continuations: readonly Continuation[],
    options: GenerateManyOptions = {},
  ): Promise<Sample[][]> {
    const { onToken, ...rest } = options;
    const request = {
      continuations: continuations.map(({ prefix, ...how }) => ({
        prefix: WorkerPrefix.idOf(prefix, this),
        options: how,
      })),
      options: this.sendable(rest),
      stream: onToken !== undefined,
    };
    return await this.#link.call("generate", request, options);
  }

  override async selfTest(): Promise<string[]> {
    return await this.#link.call("selfTest", null);
  }

  override async stats(): Promise<DecoderStats> {
    return await this.#link.call("stats", null);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.call("close", null).catch(() => {}); // a worker that failed is closed already
    this.#link.terminate();
  }
}

class WorkerPrefix implements Prefix {
  readonly length: number;
  readonly cachedTokens: number;
  readonly logits: Float32Array;
  readonly #decoder: WorkerDecoder;
  readonly #link: WorkerLink;
  readonly #prefix: number;

  constructor(decoder: WorkerDecoder, link: WorkerLink, reply: PrefixReply) {
    this.#decoder = decoder;
    this.#link = link;
    this.#prefix = reply.prefix;
    this.length = reply.length;
    this.cachedTokens = reply.cachedTokens;
    this.logits = reply.logits;
  }

  async extend(ids: readonly number[], options: PrefillOptions = {}): Promise<Prefix> {
    const request = { prefix: this.#prefix, ids, options: this.#decoder.sendable(options) };
    return new WorkerPrefix(this.#decoder, this.#link, await this.#link.call("extend", request, options));
  }

  editKV(edit: KvEdit): void {
    checkEdit(this.#decoder.config, this.length, edit);
    this.#link.tell({ kind: "edit", prefix: this.#prefix, edit });
  }

  async readKV(slot: KvSlot): Promise<KvRow[]> {
    return await this.#link.call("readKV", { prefix: this.#prefix, slot });
  }

  async generate(options: GenerateOptions): Promise<Sample[]> {
    return await this.#decoder.generateFrom(this, options);
  }

  /** The worker's name for a prefix. @throws {InputError} when it is of another model. */
  static idOf(prefix: Prefix, decoder: WorkerDecoder): number {
    if (prefix instanceof WorkerPrefix && prefix.#decoder === decoder) return prefix.#prefix;
    throw foreignPrefix();
  }

  [Symbol.dispose](): void {
    this.#link.tell({ kind: "dispose", prefix: this.#prefix });
  }
}
