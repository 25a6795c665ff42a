/**
 * Writes `.pt` files for tests, as torch.save lays them out, from pieces of pickle.
 * @module
 */
import { encodeZip, type EntryToWrite, join } from "./write_zip.ts";

/** A piece of a pickle. */
export type Piece = Uint8Array;

const bytes = (...list: number[]): Piece => Uint8Array.from(list);
const ascii = (text: string): Piece => new TextEncoder().encode(text);
const u32 = (value: number): Piece => new Uint8Array(Uint32Array.of(value).buffer);

/** Pieces, by what they put on the stack. */
export const pickle = {
  /** A name: `os system`. */
  global: (module: string, name: string): Piece => ascii(`c${module}\n${name}\n`),
  /** A text. */
  text: (text: string): Piece => join([bytes(0x58), u32(ascii(text).length), ascii(text)]),
  /** A whole number below 2^31. */
  int: (value: number): Piece => join([bytes(0x4a), new Uint8Array(Int32Array.of(value).buffer)]),
  /** A whole number of 8 bytes. */
  long: (value: bigint): Piece => join([bytes(0x8a, 8), new Uint8Array(BigInt64Array.of(value).buffer)]),
  /** `None`. */
  none: bytes(0x4e),
  /** `False`. */
  false: bytes(0x89),
  /** A tuple. */
  tuple: (...items: Piece[]): Piece => join([bytes(0x28), ...items, bytes(0x74)]),
  /** A list. */
  list: (...items: Piece[]): Piece => join([bytes(0x5d, 0x28), ...items, bytes(0x65)]),
  /** A dictionary. */
  dict: (...items: [Piece, Piece][]): Piece => join([bytes(0x7d, 0x28), ...items.flat(), bytes(0x75)]),
  /** A call. */
  reduce: (name: Piece, ...args: Piece[]): Piece => join([name, pickle.tuple(...args), bytes(0x52)]),
  /** Keeps the top of the stack under a number. */
  put: (key: number): Piece => join([bytes(0x72), u32(key)]),
  /** Takes it again. */
  get: (key: number): Piece => join([bytes(0x6a), u32(key)]),
  /** Any bytes. */
  raw: bytes,
  /** A storage of the archive. */
  storage: (kind: string, key: string, elements: Piece): Piece =>
    join([
      pickle.tuple(
        pickle.text("storage"),
        pickle.global("torch", kind),
        pickle.text(key),
        pickle.text("cpu"),
        elements,
      ),
      bytes(0x51),
    ]),
  /** A tensor. */
  tensor: (storage: Piece, offset: Piece, shape: Piece[], stride: Piece[]): Piece =>
    pickle.reduce(
      pickle.global("torch._utils", "_rebuild_tensor_v2"),
      storage,
      offset,
      pickle.tuple(...shape),
      pickle.tuple(...stride),
      pickle.false,
      pickle.reduce(pickle.global("collections", "OrderedDict")),
    ),
} as const;

/** The bytes of a whole pickle. */
export function encodePickle(...pieces: Piece[]): Uint8Array<ArrayBuffer> {
  return join([bytes(0x80, 2), ...pieces, bytes(0x2e)]);
}

/** The bytes of a file with a pickle and storages. */
export function encodeTorch(
  pieces: readonly Piece[],
  storages: Readonly<Record<string, ArrayBufferView<ArrayBuffer>>> = {},
  more: Readonly<Record<string, EntryToWrite>> = {},
): Uint8Array<ArrayBuffer> {
  const entries: Record<string, EntryToWrite> = {
    "archive/data.pkl": { data: encodePickle(...pieces) },
    "archive/byteorder": { data: ascii("little") },
  };
  for (const [key, { buffer, byteOffset, byteLength }] of Object.entries(storages)) {
    entries[`archive/data/${key}`] = { data: new Uint8Array(buffer, byteOffset, byteLength) };
  }
  return encodeZip({ ...entries, ...more });
}
