/**
 * The names that a torch pickle may use, and what they stand for here: descriptions of tensors, never their making.
 * @module
 */
import { type Buildable, PickleError, type PickleHost, type PickleName, PickleTuple } from "./unpickle.ts";

/** How elements are stored. */
export interface ElementType {
  /** `float32`, `int64`, ... */
  readonly dtype: string;
  /** Bytes of one. */
  readonly bytes: number;
}

/** The numbers of a storage: an entry of the archive. */
export interface StorageRef {
  /** Its name in `data/`. */
  readonly key: string;
  /** How elements are stored. */
  readonly type: ElementType;
  /** Elements in it. */
  readonly elements: number;
}

/** A tensor as the pickle describes it: a view into a storage, or into bytes of the pickle itself. */
export class TensorView {
  /** Where its numbers lie. */
  readonly source: StorageRef | { readonly bytes: Uint8Array; readonly type: ElementType };
  /** Elements before its first. */
  readonly offset: number;
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Elements from one index to the next, of each dimension. */
  readonly stride: readonly number[];

  /** Makes a description. */
  constructor(
    source: TensorView["source"],
    offset: number,
    shape: readonly number[],
    stride: readonly number[],
  ) {
    [this.source, this.offset, this.shape, this.stride] = [source, offset, shape, stride];
  }
}

/** Most bytes that texts of the pickle may be turned into. */
const MAX_ENCODED = 2 ** 28;

const type = (dtype: string, bytes: number): ElementType => ({ dtype, bytes });
const STORAGES: Readonly<Record<string, ElementType>> = {
  FloatStorage: type("float32", 4),
  DoubleStorage: type("float64", 8),
  HalfStorage: type("float16", 2),
  BFloat16Storage: type("bfloat16", 2),
  LongStorage: type("int64", 8),
  IntStorage: type("int32", 4),
  ShortStorage: type("int16", 2),
  CharStorage: type("int8", 1),
  ByteStorage: type("uint8", 1),
  BoolStorage: type("bool", 1),
};
const NUMPY_TYPES: Readonly<Record<string, ElementType>> = {
  f2: type("float16", 2),
  f4: type("float32", 4),
  f8: type("float64", 8),
  i1: type("int8", 1),
  i2: type("int16", 2),
  i4: type("int32", 4),
  i8: type("int64", 8),
  u1: type("uint8", 1),
  b1: type("bool", 1),
};

class StorageClass implements PickleName {
  readonly name: string;
  readonly type: ElementType;

  constructor(name: string, type: ElementType) {
    [this.name, this.type] = [name, type];
  }
}

class NumpyType implements Buildable {
  readonly type: ElementType;

  constructor(type: ElementType) {
    this.type = type;
  }

  build(state: unknown): void {
    const order = state instanceof PickleTuple ? state.items[1] : undefined;
    if (order !== "<" && order !== "|" && order !== "=") {
      throw new PickleError(`its numbers are stored in the byte order ${JSON.stringify(order)}`);
    }
  }
}

/** A numpy array: empty until its state comes. */
export class NumpyArray implements Buildable {
  #view: TensorView | null = null;

  /** Takes `(version, shape, dtype, fortran order, bytes)`. */
  build(state: unknown): void {
    const [, shape, dtype, fortran, bytes] = state instanceof PickleTuple ? state.items : [];
    if (!(dtype instanceof NumpyType) || !(bytes instanceof Uint8Array)) {
      throw new PickleError("an array is not made of numbers");
    }
    this.#view = arrayView(bytes, dtype, sizes(shape), fortran === true);
  }

  /** The array, as a view of its bytes. @throws {PickleError} when it never got a state. */
  get view(): TensorView {
    if (this.#view === null) throw new PickleError("an array has no numbers");
    return this.#view;
  }
}

function arrayView(bytes: Uint8Array, dtype: NumpyType, shape: number[], fortran: boolean): TensorView {
  const elements = shape.reduce((product, n) => product * n, 1);
  if (elements * dtype.type.bytes !== bytes.length) {
    throw new PickleError(`an array of the shape [${shape}] has ${bytes.length} bytes`);
  }
  const stride = new Array<number>(shape.length);
  let step = 1;
  const axes = shape.map((_, axis) => axis);
  for (const axis of fortran ? axes : axes.reverse()) {
    stride[axis] = step;
    step *= shape[axis] as number;
  }
  return new TensorView({ bytes, type: dtype.type }, 0, shape, stride);
}

/** The names that a pickle of tensors may use; a new one for each pickle. */
export function torchHost(): PickleHost {
  let encoded = 0;
  const numpy = ["numpy.core", "numpy._core"];
  const known = new Map<string, PickleName>();
  const add = (module: string, name: string, call?: (args: readonly unknown[]) => unknown) =>
    known.set(`${module} ${name}`, { name: `${module}.${name}`, ...(call === undefined ? {} : { call }) });
  for (const [name, type] of Object.entries(STORAGES)) {
    known.set(`torch ${name}`, new StorageClass(name, type));
  }
  add("torch._utils", "_rebuild_tensor_v2", rebuildTensor);
  add("torch._utils", "_rebuild_tensor", rebuildTensor);
  add("torch._utils", "_rebuild_parameter", ([tensor]) => tensor);
  add("torch", "Size", ([items]) => items);
  add("collections", "OrderedDict", () => new Map());
  add("_codecs", "encode", ([text, encoding]) => {
    if (typeof text !== "string" || encoding !== "latin1") {
      throw new PickleError("it encodes what is no latin-1 text");
    }
    encoded += text.length;
    if (encoded > MAX_ENCODED) throw new PickleError("its texts hold too many bytes");
    return latin1(text);
  });
  add("numpy", "ndarray");
  add("numpy", "dtype", ([name]) => numpyType(name));
  for (const module of numpy) {
    add(`${module}.multiarray`, "_reconstruct", () => new NumpyArray());
    add(`${module}.multiarray`, "scalar", ([dtype, bytes]) => {
      if (dtype instanceof NumpyType && bytes instanceof Uint8Array) {
        return arrayView(bytes, dtype, [], false);
      }
      throw new PickleError("a number is not made of bytes");
    });
    add(`${module}.numeric`, "_frombuffer", ([bytes, dtype, shape, order]) => {
      if (dtype instanceof NumpyType && bytes instanceof Uint8Array) {
        return arrayView(bytes, dtype, sizes(shape), order === "F");
      }
      throw new PickleError("an array is not made of numbers");
    });
  }
  return {
    name: (module, name) => known.get(`${module} ${name}`),
    persistent: storageOf,
  };
}

function numpyType(name: unknown): NumpyType {
  const type = typeof name === "string" && Object.hasOwn(NUMPY_TYPES, name) ? NUMPY_TYPES[name] : undefined;
  if (type === undefined) throw new PickleError(`it holds elements of the type ${JSON.stringify(name)}`);
  return new NumpyType(type);
}

function latin1(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new PickleError("a latin-1 text has other letters");
    out[i] = code;
  }
  return out;
}

/** `("storage", class, key, device, elements)`; the device is of no concern here. */
function storageOf(id: unknown): StorageRef {
  const [word, kind, key, , elements] = id instanceof PickleTuple ? id.items : [];
  if (
    word !== "storage" || !(kind instanceof StorageClass) || typeof key !== "string" || !isCount(elements)
  ) {
    throw new PickleError("it asks for something other than a storage of numbers");
  }
  return { key, type: kind.type, elements };
}

function rebuildTensor([storage, offset, shape, stride]: readonly unknown[]): TensorView {
  if (!isStorage(storage) || !isCount(offset)) throw new PickleError("a tensor has no storage");
  const [size, step] = [sizes(shape), sizes(stride)];
  if (size.length !== step.length) {
    throw new PickleError(`a tensor has the shape [${size}] and the strides [${step}]`);
  }
  return new TensorView(storage, offset, size, step);
}

function isStorage(value: unknown): value is StorageRef {
  return typeof value === "object" && value !== null && "key" in value && "elements" in value;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

const MAX_DIMENSIONS = 16;

function sizes(value: unknown): number[] {
  const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : null;
  if (items === null || items.length > MAX_DIMENSIONS || !items.every(isCount)) {
    throw new PickleError("a shape or stride is not made of counts");
  }
  return [...items];
}
