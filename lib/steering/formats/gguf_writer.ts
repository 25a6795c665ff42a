/**
 * Writes GGUF files (version 3, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 * @module
 */

/** Name of a tensor type that we write. */
export type GgufType = "F32" | "Q4_0" | "Q8_0";

const TYPES: Readonly<Record<GgufType, number>> = { F32: 0, Q4_0: 2, Q8_0: 8 };

const VALUE = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 } as const;
const BLOCK = 32;
const ALIGNMENT = 32;

/** Collects metadata and tensors, then writes them. */
export class GgufWriter {
  #keys = 0;
  #metadata: Uint8Array[] = [];
  readonly #tensors: { name: string; shape: readonly number[]; type: GgufType }[] = [];

  /** Adds a text. */
  string(key: string, value: string): this {
    return this.#add(key, VALUE.string, text(value));
  }

  /** Adds a whole number. */
  uint(key: string, value: number): this {
    return this.#add(key, VALUE.uint32, u32(value));
  }

  /** Adds a number. */
  float(key: string, value: number): this {
    return this.#add(key, VALUE.float32, new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Adds texts. */
  strings(key: string, values: readonly string[]): this {
    return this.#add(key, VALUE.array, join([u32(VALUE.string), u64(values.length), ...values.map(text)]));
  }

  /** Adds whole numbers. */
  ints(key: string, values: readonly number[]): this {
    const data = new Uint8Array(Int32Array.from(values).buffer);
    return this.#add(key, VALUE.array, join([u32(VALUE.int32), u64(values.length), data]));
  }

  /** Adds a tensor; its numbers come when it is written. */
  tensor(name: string, shape: readonly number[], type: GgufType): void {
    this.#tensors.push({ name, shape, type });
  }

  /** Writes the file. @param data numbers of each tensor, in the order they were added. */
  async write(path: string, data: readonly (() => Float32Array)[]): Promise<void> {
    using file = await Deno.create(path);
    for (const piece of this.#pieces(data)) {
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    }
  }

  /** The bytes of the file. @param data numbers of each tensor, in the order they were added. */
  bytes(data: readonly (() => Float32Array)[]): Uint8Array<ArrayBuffer> {
    return join([...this.#pieces(data)]);
  }

  *#pieces(data: readonly (() => Float32Array)[]): Generator<Uint8Array> {
    const infos: Uint8Array[] = [];
    let offset = 0;
    for (const { name, shape, type } of this.#tensors) {
      infos.push(
        text(name),
        u32(shape.length),
        ...shape.toReversed().map(u64),
        u32(TYPES[type]),
        u64(offset),
      );
      offset = padded(offset + bytesOf(type, shape.reduce((a, b) => a * b)));
    }
    const whole = (bytes: Uint8Array) => {
      const out = new Uint8Array(padded(bytes.length));
      out.set(bytes);
      return out;
    };
    yield whole(join([
      new TextEncoder().encode("GGUF"),
      u32(3),
      u64(this.#tensors.length),
      u64(this.#keys),
      ...this.#metadata,
      ...infos,
    ]));
    for (const [i, { type }] of this.#tensors.entries()) {
      yield whole(encode(type, (data[i] as () => Float32Array)()));
    }
  }

  #add(key: string, type: number, value: Uint8Array): this {
    this.#keys++;
    this.#metadata.push(text(key), u32(type), value);
    return this;
  }
}

function bytesOf(type: GgufType, count: number): number {
  return type === "F32" ? 4 * count : count / BLOCK * (type === "Q8_0" ? 34 : 18);
}

function encode(type: GgufType, data: Float32Array): Uint8Array {
  if (type === "F32") return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const out = new Uint8Array(bytesOf(type, data.length));
  const view = new DataView(out.buffer);
  for (let block = 0, at = 0; block < data.length; block += BLOCK) {
    let extreme = 0; // of largest size, with its sign
    for (let i = 0; i < BLOCK; i++) {
      const x = data[block + i] as number;
      if (Math.abs(x) > Math.abs(extreme)) extreme = x;
    }
    const scale = type === "Q8_0" ? Math.abs(extreme) / 127 : extreme / -8;
    const inverse = scale === 0 ? 0 : 1 / scale;
    view.setFloat16(at, scale, true);
    at += 2;
    if (type === "Q8_0") {
      for (let i = 0; i < BLOCK; i++) view.setInt8(at++, Math.round((data[block + i] as number) * inverse));
    } else {
      const level = (i: number) => Math.min(15, Math.floor((data[block + i] as number) * inverse + 8.5));
      for (let i = 0; i < BLOCK / 2; i++) out[at++] = level(i) | level(i + BLOCK / 2) << 4;
    }
  }
  return out;
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return join([u64(bytes.length), bytes]);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
