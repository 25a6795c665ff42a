/**
 * The protobuf wire format, written only: varints, 32-bit floats and length-delimited fields.
 * @module
 */

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Builds one protobuf message. Fields are appended in call order. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];

  /** An integer field. Negative numbers are written as 64-bit two's complement. */
  int(field: number, value: number | bigint): this {
    this.#parts.push(varint((field << 3) | VARINT), varint(value));
    return this;
  }

  /** A `float` field. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#parts.push(varint((field << 3) | FIXED32), bytes);
    return this;
  }

  /** A text field. */
  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A field of raw bytes. */
  bytes(field: number, value: Uint8Array): this {
    this.#parts.push(varint((field << 3) | BYTES), varint(value.length), value);
    return this;
  }

  /** A nested message. */
  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }

  /** Fields that are written already. */
  raw(fields: Uint8Array): this {
    this.#parts.push(fields);
    return this;
  }

  /** The message's bytes. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
