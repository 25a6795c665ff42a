/**
 * Reads GGUF files, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * Everything the file claims is checked against its size before it is believed.
 * @module
 */
import { InputError } from "../../base/errors.ts";
import { fromBfloat16 } from "../../engine/safetensors.ts";

/** A value of the file's metadata. Whole numbers beyond 2^53 are texts. */
export type GgufValue = string | number | boolean | readonly GgufValue[];

/** A tensor, as float32. */
export interface GgufTensor {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The numbers. */
  readonly data: Float32Array;
}

/** What a file holds. */
export interface GgufFile {
  /** 2 or 3. */
  readonly version: number;
  /** By key, in the file's order. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** By name, in the file's order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const MAX_DIMENSIONS = 4;
const MAX_NESTING = 4;
const STRING = 8;
const ARRAY = 9;
/** Bytes of the scalar types of metadata, by number. */
const SCALAR_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
/** Bytes of an element of the tensor types that are read: F32, F16, BF16. */
const TENSOR_BYTES: Readonly<Record<number, number>> = { 0: 4, 1: 2, 30: 2 };

/**
 * Reads a whole file.
 *
 * @param label names the file in messages
 * @throws {InputError} when it is not sound, or a tensor is of a type other than F32, F16 and BF16.
 */
export function parseGguf(bytes: Uint8Array, label: string): GgufFile {
  return new Reader(bytes, label).file();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #label: string;
  #at = 0;

  constructor(bytes: Uint8Array, label: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#label = label;
  }

  file(): GgufFile {
    if (new TextDecoder().decode(this.#bytes.subarray(0, 4)) !== "GGUF") {
      throw this.#bad("it does not begin with GGUF");
    }
    this.#at = 4;
    const version = this.#u32();
    if (version !== 2 && version !== 3) {
      throw this.#bad(`it is of version ${version}; versions 2 and 3 are read`);
    }
    // A tensor takes at least 24 bytes and a value at least 13.
    const tensorCount = this.#count(24, "tensors");
    const keyCount = this.#count(13, "metadata values");
    const metadata = new Map<string, GgufValue>();
    for (let i = 0; i < keyCount; i++) {
      const key = this.#string();
      if (metadata.has(key)) throw this.#bad(`it has the key ${quoted(key)} twice`);
      metadata.set(key, this.#value(this.#u32(), 0));
    }
    const infos = new Map<string, { shape: number[]; type: number; offset: number }>();
    for (let i = 0; i < tensorCount; i++) {
      const name = this.#string();
      if (infos.has(name)) throw this.#bad(`it has the tensor ${quoted(name)} twice`);
      infos.set(name, this.#tensorInfo(name));
    }
    const alignment = metadata.get("general.alignment") ?? 32;
    if (typeof alignment !== "number" || !Number.isInteger(Math.log2(alignment)) || alignment > 65_536) {
      throw this.#bad(`its alignment is ${alignment}`);
    }
    const start = Math.ceil(this.#at / alignment) * alignment;
    const tensors = new Map<string, GgufTensor>();
    for (const [name, { shape, type, offset }] of infos) {
      if (offset % alignment !== 0) {
        throw this.#bad(`the tensor ${quoted(name)} lies at the crooked offset ${offset}`);
      }
      tensors.set(name, { shape, data: this.#numbers(name, shape, type, start + offset) });
    }
    return { version, metadata, tensors };
  }

  #tensorInfo(name: string): { shape: number[]; type: number; offset: number } {
    const dimensions = this.#u32();
    if (dimensions > MAX_DIMENSIONS) {
      throw this.#bad(`the tensor ${quoted(name)} has ${dimensions} dimensions`);
    }
    const shape = Array.from({ length: dimensions }, () => this.#u64()).reverse();
    const type = this.#u32();
    if (TENSOR_BYTES[type] === undefined) {
      throw this.#bad(`the tensor ${quoted(name)} is of type ${type}; F32, F16 and BF16 are read`);
    }
    return { shape, type, offset: this.#u64() };
  }

  #numbers(name: string, shape: readonly number[], type: number, at: number): Float32Array {
    const size = shape.reduce((product, n) => product * n, TENSOR_BYTES[type] as number);
    if (at + size > this.#bytes.length) {
      throw this.#bad(
        `the tensor ${quoted(name)} claims bytes ${at} to ${at + size} of ${this.#bytes.length}`,
      );
    }
    const { buffer } = this.#bytes.slice(at, at + size);
    if (type === 0) return new Float32Array(buffer);
    if (type === 1) return new Float32Array(new Float16Array(buffer));
    return fromBfloat16(new Uint16Array(buffer));
  }

  #value(type: number, depth: number): GgufValue {
    if (type === STRING) return this.#string();
    if (type === ARRAY) {
      if (depth === MAX_NESTING) throw this.#bad("its metadata is nested too deep");
      const of = this.#u32();
      const count = this.#count(of === STRING ? 8 : of === ARRAY ? 12 : SCALAR_BYTES[of] ?? 1, "elements");
      return Array.from({ length: count }, () => this.#value(of, depth + 1));
    }
    const bytes = SCALAR_BYTES[type];
    if (bytes === undefined) throw this.#bad(`it has a value of the unknown type ${type}`);
    const at = this.#take(bytes);
    switch (type) {
      case 0:
        return this.#view.getUint8(at);
      case 1:
        return this.#view.getInt8(at);
      case 2:
        return this.#view.getUint16(at, true);
      case 3:
        return this.#view.getInt16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 5:
        return this.#view.getInt32(at, true);
      case 6:
        return this.#view.getFloat32(at, true);
      case 7:
        return this.#view.getUint8(at) !== 0;
      case 10:
        return whole(this.#view.getBigUint64(at, true));
      case 11:
        return whole(this.#view.getBigInt64(at, true));
      default:
        return this.#view.getFloat64(at, true);
    }
  }

  #string(): string {
    const length = this.#count(1, "letters");
    const at = this.#take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes.subarray(at, at + length));
    } catch (cause) {
      throw this.#bad("it has a text that is not UTF-8", cause);
    }
  }

  /** A number of things that take at least `least` bytes each, which must fit into what is left. */
  #count(least: number, what: string): number {
    const count = this.#u64();
    if (count * least > this.#bytes.length - this.#at) {
      throw this.#bad(`it claims ${count} ${what}, more than fit`);
    }
    return count;
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#bad(`it has the number ${value} for a size`);
    return Number(value);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) throw this.#bad("it is cut short");
    this.#at += bytes;
    return at;
  }

  #bad(reason: string, cause?: unknown): InputError {
    return new InputError(
      `${this.#label} is not a sound GGUF file: ${reason}. Fetch or write the file again.`,
      { cause },
    );
  }
}

function whole(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
