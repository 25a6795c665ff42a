/**
 * A checkpoint folder in Hugging Face layout: its JSON files and its weights.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { checkInside, readShardIndex } from "./shard_index.ts";
import { joinFloats } from "./join_floats.ts";
import { readSafetensorsHeader, readTensor, type TensorEntry } from "./safetensors.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Weights that checkpoints carry but no graph reads: buffers, the head of tied models, and what sees images. */
const IGNORED =
  /rotary_emb\.inv_freq$|\.masked_bias$|^lm_head\.weight$|^(?:model\.)?(?:vision_tower|multi_modal_projector)\./;

/** The name that a decoder's weight has when the decoder is not part of a larger model. */
function decoderName(name: string): string {
  return name.replace(/^(?:model\.language_model|language_model\.model)\./, "model.")
    .replace(/^language_model\.lm_head\./, "lm_head.");
}

/**
 * Reads a JSON file of a checkpoint.
 *
 * @returns the parsed value, or undefined when the file does not exist.
 * @throws {InputError} when it is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is not JSON: fetch or write the file again.`, { cause });
  }
}

/** What a graph needs of a checkpoint's weights; {@linkcode Weights} says what the members do. */
export type WeightReader = Pick<Weights, keyof Weights>;

/** The weights of a checkpoint, read when asked for and remembered until {@linkcode Weights.release}. */
export class Weights {
  readonly #dir: string;
  readonly #entries: ReadonlyMap<string, TensorEntry>;
  #adjust: ((name: string, tensor: Float32Array) => void) | undefined;
  readonly #used = new Set<string>();
  readonly #loaded = new Map<string, Float32Array>();

  private constructor(dir: string, entries: ReadonlyMap<string, TensorEntry>) {
    this.#dir = dir;
    this.#entries = new Map([...entries].map(([name, entry]) => [decoderName(name), entry]));
  }

  /**
   * Reads and checks the headers of `model.safetensors`, or of all shards named by its index.
   *
   * @throws {InputError} when weights are missing, malformed, or named in the index but not in the shard.
   */
  static async open(dir: string): Promise<Weights> {
    const indexPath = join(dir, INDEX);
    if (!await exists(indexPath)) {
      const single = join(dir, SINGLE);
      if (!await exists(single)) throw noWeights(dir);
      await checkInside(dir, SINGLE);
      return new Weights(dir, await readSafetensorsHeader(single));
    }
    const shards = new Map<string, Map<string, TensorEntry>>();
    const entries = new Map<string, TensorEntry>();
    for (const [name, shard] of await readShardIndex(indexPath)) {
      let tensors = shards.get(shard);
      if (tensors === undefined) {
        await checkInside(dir, shard);
        tensors = await readSafetensorsHeader(join(dir, shard));
        shards.set(shard, tensors);
      }
      const entry = tensors.get(name);
      if (entry === undefined) {
        throw new InputError(
          `${indexPath} says that ${name} is in ${shard}, but it is not there: fetch both again.`,
        );
      }
      entries.set(name, entry);
    }
    return new Weights(dir, entries);
  }

  /**
   * Reads tensors of the shapes `[rows[i], ...rest]` and joins them along the first axis.
   *
   * @throws {InputError} when one is missing or has another shape.
   */
  async read(names: readonly string[], rows: readonly number[], ...rest: number[]): Promise<Float32Array> {
    const key = names.join("|");
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const parts: Float32Array[] = [];
    for (const [i, name] of names.entries()) parts.push(await this.#one(name, [rows[i] as number, ...rest]));
    const joined = joinFloats(parts);
    this.#loaded.set(key, joined);
    return joined;
  }

  async #one(name: string, shape: readonly number[]): Promise<Float32Array> {
    const tensor = await readTensor(name, this.#entry(name, shape));
    this.#adjust?.(name, tensor);
    return tensor;
  }

  #entry(name: string, shape: readonly number[]): TensorEntry {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      throw new InputError(
        `The checkpoint ${this.#dir} lacks the tensor ${name} that its config.json calls for.`,
      );
    }
    if (entry.shape.join() !== shape.join()) {
      throw new InputError(
        `Tensor ${name} of ${entry.file} has the shape [${entry.shape}]; config.json calls for [${shape}].`,
      );
    }
    this.#used.add(name);
    return entry;
  }

  /**
   * Checks tensors as {@linkcode Weights.read} does and counts them as used, without reading them.
   *
   * @throws {InputError} when one is missing or has another shape.
   */
  expect(names: readonly string[], rows: readonly number[], ...rest: number[]): void {
    for (const [i, name] of names.entries()) this.#entry(name, [rows[i] as number, ...rest]);
  }

  /** Lets `change` alter every tensor read from now on, in place. */
  adjust(change: (name: string, tensor: Float32Array) => void): void {
    this.#adjust = change;
  }

  /** Shapes of all tensors, by name. */
  get shapes(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#entries].map(([name, { shape }]) => [name, shape]));
  }

  /** Paths of the files that the weights lie in, in the order of their names. */
  get files(): string[] {
    return [...new Set([...this.#entries.values()].map(({ file }) => file))].sort();
  }

  /** `value` rounded as the elements of the tensor `name` are stored; as float32 when there is no such tensor. */
  rounded(name: string, value: number): number {
    const dtype = this.#entries.get(name)?.dtype;
    if (dtype === "F16") return Math.f16round(value);
    if (dtype !== "BF16") return Math.fround(value);
    const bits = new Uint32Array(Float32Array.of(value).buffer);
    const word = bits[0] as number;
    bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
    return new Float32Array(bits.buffer)[0] as number;
  }

  /**
   * Checks that the graph read every weight, so that none is silently left out of the model.
   *
   * @throws {InputError} naming the first weights that were not read.
   */
  checkAllUsed(): void {
    const unused = [...this.#entries.keys()].filter((name) => !this.#used.has(name) && !IGNORED.test(name));
    if (unused.length > 0) {
      throw new InputError(
        `The checkpoint ${this.#dir} holds ${unused.length} tensors that its architecture has no place for ` +
          `(${
            unused.slice(0, 3).join(", ")
          }): config.json names the wrong architecture or leaves something out.`,
      );
    }
  }

  /** Forgets the tensors read so far; they are read again when asked for again. */
  release(): void {
    this.#loaded.clear();
  }
}

function noWeights(dir: string): InputError {
  const pickles = [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) =>
    /\.(bin|pt|pth|ckpt|pkl)$/.test(name)
  );
  return new InputError(
    `${dir} holds neither ${SINGLE} nor ${INDEX}. The engine reads safetensors only` +
      (pickles.length === 0
        ? "."
        : `: ${
          pickles.slice(0, 2).join(", ")
        } may be pickled, which can run code when it is opened. Convert it ` +
          "where you trust it, or fetch a revision with safetensors."),
  );
}

/** Whether a folder holds the weights of a checkpoint. */
export async function hasWeights(dir: string): Promise<boolean> {
  return await exists(join(dir, INDEX)) || await exists(join(dir, SINGLE));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
