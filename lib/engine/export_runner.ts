/**
 * Runs a ready-made ONNX export in onnx-community's layout: the whole cache goes in and comes out at every step, and
 * branches decode one after another. Exact, and open to capture and steering where the export is fused; slower than
 * the checkpoint itself, whose graphs the engine writes for the purpose.
 * @module
 */
import { dirname } from "node:path";
import { InputError, messageOf } from "../base/errors.ts";
import type { Span } from "./branches.ts";
import type { DecoderConfig } from "./config.ts";
import { checkEnds } from "./export_files.ts";
import { openExport } from "./export_sites.ts";
import { joinFloats } from "./join_floats.ts";
import type { KvStore } from "./kv_store.ts";
import type { DecodeBatch, ModelRunner, PrefillRun, TestedGraph } from "./model_runner.ts";
import { readOnnx } from "./onnx_reader.ts";
import { selfTest } from "./self_test.ts";
import { type Feed, floats, longs, openSession, type Session, type SessionOptions } from "./session.ts";
import { softmax } from "./sampling.ts";
import { actsOn, steerFeeds } from "./steering.ts";
import type { ForwardResult } from "./types.ts";

const CHUNK = 1024;

/** Keys, or values, of one sequence in one layer: `[kvHeads, length, headDim]`. */
type Rows = Float32Array;

interface Cache {
  readonly length: number;
  /** Per layer. */
  readonly keys: readonly Rows[];
  readonly values: readonly Rows[];
}

/** An export's sessions. */
export class ExportRunner implements ModelRunner {
  /** The model's shape. */
  readonly config: DecoderConfig;
  /** Tokens prefilled and decode steps run since it was opened. */
  readonly counts = { prefilledTokens: 0, decodeSteps: 0 };
  readonly #path: string;
  readonly #inputs: ReadonlySet<string>;
  readonly #options: SessionOptions;
  #plain: Promise<Session> | undefined;
  #open: Promise<{ session: Session; sites: ReadonlyMap<string, string> }> | undefined;
  readonly #tested = new Set<TestedGraph>();

  private constructor(
    config: DecoderConfig,
    path: string,
    inputs: ReadonlySet<string>,
    options: SessionOptions,
  ) {
    this.config = config;
    this.#path = path;
    this.#inputs = inputs;
    this.#options = options;
  }

  /** Opens an export. @throws {InputError} when its inputs and outputs are not those of a decoder of this shape. */
  static async open(config: DecoderConfig, path: string, options: SessionOptions): Promise<ExportRunner> {
    const bytes = await Deno.readFile(path);
    const file = readOnnx(bytes, path);
    checkEnds(file, config, path);
    const runner = new ExportRunner(config, path, new Set(file.inputs.map(({ name }) => name)), options);
    runner.#plain = openSession({ bytes, folder: dirname(path), externalData: [] }, options);
    try {
      await runner.#plain;
    } catch (cause) { // onnxruntime also refuses weights outside the folder, links out of it included
      throw new InputError(`onnxruntime refuses ${path}: ${messageOf(cause)}. Fetch or export it again.`, {
        cause,
      });
    }
    return runner;
  }

  /** The session, and the names of its outputs by site when it is open. */
  async #session(open: boolean): Promise<{ session: Session; sites: ReadonlyMap<string, string> }> {
    if (!open) return { session: await (this.#plain as Promise<Session>), sites: new Map() };
    this.#open ??= (async () => {
      const { bytes, sites } = openExport(await Deno.readFile(this.#path), this.#path, this.config);
      const model = { bytes, folder: dirname(this.#path), externalData: [] };
      return { session: await openSession(model, this.#options), sites };
    })();
    return await this.#open;
  }

  /** See {@linkcode ModelRunner.test}. */
  async test(graph: TestedGraph): Promise<string[]> {
    this.#tested.add(graph); // the test itself uses the graph
    try {
      return await selfTest(this, graph);
    } catch (error) {
      this.#tested.delete(graph);
      throw error;
    }
  }

  /** See {@linkcode ModelRunner.prefill}. */
  async prefill(store: KvStore, ids: readonly number[], run: PrefillRun): Promise<ForwardResult> {
    const { vocabSize } = this.config;
    const steers = run.steers.filter((steer) => actsOn(steer, "prompt"));
    const open = steers.length > 0 || run.capture.some((site) => !/^[kv]\./.test(site));
    if (open && !this.#tested.has("prefill")) await this.test("prefill");
    const { session, sites } = await this.#session(open);
    const logits: Float32Array[] = [];
    const captured = new Map<string, Float32Array[]>(run.capture.map((site) => [site, []]));
    const named = run.capture.flatMap((site) => sites.get(site) ?? []);
    store.changed ||= steers.length > 0;
    store.reserve(store.used + ids.length);
    let cache = this.#cacheOf(store, { start: 0, length: store.used });
    for (let from = 0; from < ids.length; from += CHUNK) {
      run.signal?.throwIfAborted();
      const chunk = ids.slice(from, from + CHUNK);
      const isLast = from + chunk.length === ids.length;
      const wanted = [...this.#presents(), ...named, ...(isLast || run.allLogits ? ["logits"] : [])];
      const outputs = await session.run({
        ...this.#feeds(chunk, cache, run.allLogits),
        ...(open ? steerFeeds(this.config, steers, chunk.length, isLast ? chunk.length - 1 : -1) : {}),
      }, wanted);
      const before = cache.length;
      cache = this.#presentOf(outputs, before + chunk.length);
      for (let layer = 0; layer < this.config.numLayers; layer++) {
        const rows = (list: readonly Rows[]) => this.#newRows(list[layer] as Rows, before, chunk.length);
        const [keys, values] = [rows(cache.keys), rows(cache.values)];
        store.write(layer, keys, values);
        captured.get(`k.${layer}`)?.push(keys);
        captured.get(`v.${layer}`)?.push(values);
      }
      store.note(chunk);
      store.used += chunk.length;
      this.counts.prefilledTokens += chunk.length;
      const found = outputs["logits"];
      if (found !== undefined) logits.push(run.allLogits ? found : found.slice(-vocabSize));
      for (const [site, parts] of captured) {
        const name = sites.get(site);
        if (name !== undefined) parts.push(outputs[name] as Float32Array);
      }
    }
    return {
      logits: joinFloats(logits),
      captured: Object.fromEntries([...captured].map(([site, parts]) => [site, joinFloats(parts)])),
    };
  }

  /** See {@linkcode ModelRunner.startBatch}. */
  startBatch(store: KvStore, spans: readonly Span[]): DecodeBatch {
    let caches = spans.map((span) => this.#cacheOf(store, span));
    return {
      admit: (changed, all) => {
        for (const span of all.slice(caches.length)) caches.push(this.#cacheOf(changed, span));
      },
      keep: (indices) => void (caches = indices.map((index) => caches[index] as Cache)),
      step: async (tokens, run) => {
        const steers = run.steers.filter((steer) => actsOn(steer, "response"));
        const open = steers.length > 0;
        if (open && !this.#tested.has("decode")) await this.test("decode");
        const { session } = await this.#session(open);
        const logits: Float32Array[] = [];
        for (const [branch, token] of tokens.entries()) {
          const cache = caches[branch] as Cache;
          const outputs = await session.run({
            ...this.#feeds([token], cache, false),
            ...(open ? steerFeeds(this.config, steers, 1, -1) : {}),
          }, [...this.#presents(), "logits"]);
          caches[branch] = this.#presentOf(outputs, cache.length + 1);
          logits.push(outputs["logits"] as Float32Array);
        }
        this.counts.decodeSteps++;
        const probabilities = run.drawn?.branches.map((branch, i) =>
          softmax(logits[branch] as Float32Array, run.drawn?.temperatures[i])
        );
        return { logits: joinFloats(logits), probabilities: probabilities && joinFloats(probabilities) };
      },
    };
  }

  #feeds(ids: readonly number[], cache: Cache, allLogits: boolean): Record<string, Feed> {
    const { numLayers, numKvHeads, headDim } = this.config;
    const total = cache.length + ids.length;
    const feeds: Record<string, Feed> = {
      input_ids: longs(ids, 1, ids.length),
      attention_mask: longs(new Array<number>(total).fill(1), 1, total),
      position_ids: longs(ids.map((_, i) => cache.length + i), 1, ids.length),
      num_logits_to_keep: longs([allLogits ? 0 : 1]),
    };
    for (let layer = 0; layer < numLayers; layer++) {
      for (const [which, list] of [["key", cache.keys], ["value", cache.values]] as const) {
        feeds[`past_key_values.${layer}.${which}`] = floats(
          list[layer] as Rows,
          1,
          numKvHeads,
          cache.length,
          headDim,
        );
      }
    }
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => this.#inputs.has(name)));
  }

  #presents(): string[] {
    return Array.from(
      { length: this.config.numLayers },
      (_, layer) => ["key", "value"].map((which) => `present.${layer}.${which}`),
    ).flat();
  }

  #presentOf(outputs: Readonly<Record<string, Float32Array>>, length: number): Cache {
    const all = (which: string) =>
      Array.from(
        { length: this.config.numLayers },
        (_, layer) => outputs[`present.${layer}.${which}`] as Rows,
      );
    return { length, keys: all("key"), values: all("value") };
  }

  /** Rows of a store, laid out as the export reads them. */
  #cacheOf(store: KvStore, { start, length }: Span): Cache {
    const { numKvHeads, headDim } = this.config;
    const turned = (rows: Float32Array): Rows => {
      const out = new Float32Array(numKvHeads * length * headDim);
      for (let row = 0; row < length; row++) {
        for (let head = 0; head < numKvHeads; head++) {
          const at = ((start + row) * numKvHeads + head) * headDim;
          out.set(rows.subarray(at, at + headDim), (head * length + row) * headDim);
        }
      }
      return out;
    };
    return { length, keys: store.keys.map(turned), values: store.values.map(turned) };
  }

  /** The last `count` rows of a cache after `before`, as a store has them: `[count, kvHeads, headDim]`. */
  #newRows(rows: Rows, before: number, count: number): Float32Array {
    const { numKvHeads, headDim } = this.config;
    const out = new Float32Array(count * numKvHeads * headDim);
    for (let head = 0; head < numKvHeads; head++) {
      for (let row = 0; row < count; row++) {
        const at = (head * (before + count) + before + row) * headDim;
        out.set(rows.subarray(at, at + headDim), (row * numKvHeads + head) * headDim);
      }
    }
    return out;
  }

  /** Closes the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled([this.#plain, this.#open?.then(({ session }) => session)]);
    this.#plain = this.#open = undefined;
    for (const result of opened) {
      if (result.status === "fulfilled") await result.value?.[Symbol.asyncDispose]();
    }
  }
}
