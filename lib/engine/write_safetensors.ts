/**
 * Writes safetensors files (https://github.com/huggingface/safetensors, format section of its README).
 * @module
 */

/** A tensor to write. */
export interface TensorToWrite {
  /** How elements are stored; values are rounded to it. */
  readonly dtype: "F32" | "F16" | "BF16";
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** The elements. */
  readonly data: Float32Array;
}

/**
 * The bytes of a safetensors file with these tensors, in this order.
 *
 * @param metadata texts that say what the file is
 * @throws {RangeError} when a tensor has more or fewer elements than its shape says.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, TensorToWrite>>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (data.length !== shape.reduce((a, b) => a * b, 1)) {
      throw new RangeError(`${name} has ${data.length} elements and the shape [${shape}]`);
    }
    const bytes = toBytes(data, dtype);
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    parts.push(bytes);
  }
  const text = JSON.stringify(header);
  const padding = -new TextEncoder().encode(text).length & 7; // so that numbers begin at a multiple of 8
  return joinSafetensors(text + " ".repeat(padding), parts);
}

/** A safetensors file from any header text, sound or not, and data. */
export function joinSafetensors(header: string, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const out = new Uint8Array(8 + text.length + size);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let at = 8 + text.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function toBytes(data: Float32Array, dtype: TensorToWrite["dtype"]): Uint8Array {
  if (dtype === "F32") return new Uint8Array(data.slice().buffer);
  if (dtype === "F16") return new Uint8Array(Float16Array.from(data).buffer);
  const bits = new Uint32Array(data.slice().buffer);
  return new Uint8Array(Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16).buffer);
}
