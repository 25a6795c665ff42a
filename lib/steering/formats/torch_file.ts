/**
 * Reads `.pt` files as `torch.save` writes them since version 1.6: a zip archive with a pickle that describes tensors,
 * and their numbers. Views are read as views: offset, shape and strides into their storage. Nothing is executed.
 * @module
 */
import { InputError } from "../../base/errors.ts";
import { fromBfloat16 } from "../../engine/safetensors.ts";
import { NumpyArray, type StorageRef, TensorView, torchHost } from "./torch_names.ts";
import { PickleError, PickleTuple, unpickle } from "./unpickle.ts";
import { type ZipEntry, ZipFile } from "./zip_file.ts";

/** A tensor of a file. */
export interface TorchTensor {
  /** How its elements were stored: `float32`, `bfloat16`, `int64`, ... */
  readonly dtype: string;
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Elements from one index to the next, as stored. */
  readonly stride: readonly number[];
  /** Elements of the storage that it is a view of. */
  readonly storageElements: number;
  /** Row by row: float32 for floats of up to 32 bits, float64 for all others; whole numbers are exact. */
  readonly data: Float32Array | Float64Array;
}

/** What a file may hold. */
export type TorchValue =
  | null
  | boolean
  | number
  | string
  | TorchTensor
  | readonly TorchValue[]
  | ReadonlyMap<string | number, TorchValue>;

/** Most bytes of a pickle. */
const MAX_PICKLE = 2 ** 26;
/** Most elements of all tensors together: 2 GiB of float64. */
const MAX_ELEMENTS = 2 ** 28;
/** Most values, and how deep they may lie in one another. */
const MAX_VALUES = 100_000;
const MAX_NESTING = 50;

/**
 * Reads a whole file.
 *
 * @throws {InputError} when it is not a sound file, is of the old format without an archive, or its pickle asks for
 * anything but tensors, numbers, texts, lists and dictionaries of them.
 */
export async function readTorchFile(path: string): Promise<TorchValue> {
  using zip = await openArchive(path);
  const reader = new TorchReader(zip, path);
  return await reader.read();
}

/**
 * Reads the one tensor of a file, or one of several by its path of keys (`layers.3`).
 *
 * @throws {InputError} as {@linkcode readTorchFile}, and when there is no such tensor; it says which there are.
 */
export async function readTorchTensor(path: string, key?: string): Promise<TorchTensor> {
  const found = new Map<string, TorchTensor>();
  const collect = (value: TorchValue, name: string) => {
    if (isTensor(value)) found.set(name, value);
    else if (value instanceof Map) {
      for (const [k, v] of value) collect(v, name === "" ? `${k}` : `${name}.${k}`);
    } else if (Array.isArray(value)) {
      value.forEach((v, i) => collect(v, name === "" ? `${i}` : `${name}.${i}`));
    }
  };
  collect(await readTorchFile(path), "");
  const tensor = key === undefined ? (found.size === 1 ? [...found.values()][0] : undefined) : found.get(key);
  if (tensor !== undefined) return tensor;
  const names = [...found.keys()].slice(0, 20).map((name) => JSON.stringify(name)).join(", ");
  throw new InputError(
    key === undefined
      ? `${path} holds ${found.size} tensors, not one: name one of ${names || "none"}.`
      : `${path} has no tensor ${JSON.stringify(key)}: it has ${names || "none"}.`,
  );
}

/** Whether a value is a tensor. */
export function isTensor(value: TorchValue): value is TorchTensor {
  return typeof value === "object" && value !== null && "dtype" in value;
}

async function openArchive(path: string): Promise<ZipFile> {
  try {
    return await ZipFile.open(path);
  } catch (error) {
    if (error instanceof InputError && await beginsWithPickle(path)) {
      throw new InputError(
        `${path} is a bare pickle, as torch.save wrote before version 1.6: only archives are read. Where you trust ` +
          "the file, load it in torch and save it again.",
        { cause: error },
      );
    }
    throw error;
  }
}

async function beginsWithPickle(path: string): Promise<boolean> {
  const start = new Uint8Array(2);
  try {
    using file = await Deno.open(path);
    await file.read(start);
  } catch {
    return false;
  }
  return start[0] === 0x80 && (start[1] as number) <= 5;
}

class TorchReader {
  readonly #zip: ZipFile;
  readonly #path: string;
  readonly #tensors = new Map<TensorView, TorchTensor>();
  #folder = "";
  #elements = 0;
  #values = 0;

  constructor(zip: ZipFile, path: string) {
    [this.#zip, this.#path] = [zip, path];
  }

  async read(): Promise<TorchValue> {
    const pickles = [...this.#zip.entries.values()].filter(({ name }) => /^[^/]*\/data\.pkl$/.test(name));
    const [pickle] = pickles;
    if (pickle === undefined || pickles.length > 1) {
      throw this.#bad(`it has ${pickles.length} entries data.pkl`);
    }
    if (pickle.size > MAX_PICKLE) throw this.#bad(`its pickle has ${pickle.size} bytes`);
    this.#folder = pickle.name.slice(0, -"data.pkl".length);
    const order = this.#zip.entries.get(`${this.#folder}byteorder`);
    if (order !== undefined && order.size < 100) {
      const text = new TextDecoder().decode(await this.#zip.read(order));
      if (text.trim() !== "little") {
        throw this.#bad(`its byte order is ${JSON.stringify(text)}; little is read`);
      }
    }
    try {
      return await this.#value(unpickle(await this.#zip.read(pickle), torchHost()), 0, new Set());
    } catch (error) {
      if (error instanceof PickleError) throw this.#bad(error.message, error);
      throw error;
    }
  }

  async #value(value: unknown, depth: number, above: Set<unknown>): Promise<TorchValue> {
    if (++this.#values > MAX_VALUES || depth > MAX_NESTING) {
      throw this.#bad("it holds too many values in one another");
    }
    if (
      value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "string"
    ) {
      return value;
    }
    if (value instanceof TensorView) return await this.#tensor(value);
    if (value instanceof NumpyArray) return await this.#tensor(value.view);
    if (above.has(value)) throw this.#bad("it holds a value that holds itself");
    above.add(value);
    try {
      if (value instanceof PickleTuple || Array.isArray(value)) {
        const items: TorchValue[] = [];
        for (const item of Array.isArray(value) ? value : value.items) {
          items.push(await this.#value(item, depth + 1, above));
        }
        return items;
      }
      if (value instanceof Map) {
        const items = new Map<string | number, TorchValue>();
        for (const [key, item] of value) items.set(key, await this.#value(item, depth + 1, above));
        return items;
      }
    } finally {
      above.delete(value);
    }
    throw this.#bad("it holds a value that is neither tensor, number, text, list nor dictionary");
  }

  async #tensor(view: TensorView): Promise<TorchTensor> {
    const known = this.#tensors.get(view);
    if (known !== undefined) return known;
    const { source, offset, shape, stride } = view;
    const count = shape.reduce((product, n) => product * n, 1);
    this.#elements += count;
    if (this.#elements > MAX_ELEMENTS) throw this.#bad(`its tensors have more than ${MAX_ELEMENTS} elements`);
    const last = shape.reduce((sum, n, axis) => sum + (n - 1) * (stride[axis] as number), offset);
    const { bytes } = source.type;
    const [region, elements] = "bytes" in source
      ? [source.bytes.slice(offset * bytes), source.bytes.length / bytes]
      : [count === 0 ? new Uint8Array() : await this.#region(source, offset, last), source.elements];
    if (count > 0 && last >= elements) throw this.#bad(`a tensor reaches element ${last} of ${elements}`);
    const data = this.#gather(this.#decode(region, source.type.dtype), count, shape, stride);
    const tensor = { dtype: source.type.dtype, shape, stride, storageElements: elements, data };
    this.#tensors.set(view, tensor);
    return tensor;
  }

  /** The bytes of the elements `first` to `last` of a storage. */
  async #region({ key, type, elements }: StorageRef, first: number, last: number): Promise<Uint8Array> {
    const entry: ZipEntry | undefined = this.#zip.entries.get(`${this.#folder}data/${key}`);
    if (entry === undefined) throw this.#bad(`it lacks the storage ${JSON.stringify(key.slice(0, 100))}`);
    if (elements * type.bytes !== entry.size) {
      throw this.#bad(`its storage ${key} of ${elements} ${type.dtype} has ${entry.size} bytes`);
    }
    if (last >= elements) throw this.#bad(`a tensor reaches element ${last} of ${elements}`);
    return await this.#zip.readPart(entry, first * type.bytes, (last - first + 1) * type.bytes);
  }

  #decode(bytes: Uint8Array, dtype: string): Float32Array | Float64Array {
    const { buffer } = bytes.slice();
    switch (dtype) {
      case "float32":
        return new Float32Array(buffer);
      case "float64":
        return new Float64Array(buffer);
      case "float16":
        return new Float32Array(new Float16Array(buffer));
      case "bfloat16":
        return fromBfloat16(new Uint16Array(buffer));
      case "int64": {
        return Float64Array.from(new BigInt64Array(buffer), (value) => {
          if (!Number.isSafeInteger(Number(value))) throw this.#bad(`it holds the whole number ${value}`);
          return Number(value);
        });
      }
      case "int32":
        return new Float64Array(new Int32Array(buffer));
      case "int16":
        return new Float64Array(new Int16Array(buffer));
      case "int8":
        return new Float64Array(new Int8Array(buffer));
      default: // uint8, bool
        return new Float64Array(new Uint8Array(buffer));
    }
  }

  /** The elements of a view in row order; `from` begins at its first element. */
  #gather(
    from: Float32Array | Float64Array,
    count: number,
    shape: readonly number[],
    stride: readonly number[],
  ): Float32Array | Float64Array {
    const out = from instanceof Float32Array ? new Float32Array(count) : new Float64Array(count);
    const index = new Array<number>(shape.length).fill(0);
    let at = 0;
    for (let i = 0; i < count; i++) {
      out[i] = from[at] as number;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const next = (index[axis] as number) + 1;
        at += stride[axis] as number;
        if (next < (shape[axis] as number)) {
          index[axis] = next;
          break;
        }
        index[axis] = 0;
        at -= next * (stride[axis] as number);
      }
    }
    return out;
  }

  #bad(reason: string, cause?: unknown): InputError {
    return new InputError(`${this.#path} is not read: ${reason}.`, { cause });
  }
}
