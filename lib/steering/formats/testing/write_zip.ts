/**
 * Writes zip archives for tests, sound or not.
 * @module
 */
import { crc32, deflateRawSync } from "node:zlib";

/** What to write. */
export interface EntryToWrite {
  /** Its bytes. */
  readonly data: Uint8Array;
  /** Packs them. */
  readonly deflate?: boolean;
  /** Claims another size. */
  readonly claimedSize?: number;
}

/** The bytes of an archive with these entries. */
export function encodeZip(entries: Readonly<Record<string, EntryToWrite>>): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, { data, deflate = false, claimedSize = data.length }] of Object.entries(entries)) {
    const packed = deflate ? new Uint8Array(deflateRawSync(data)) : data;
    const label = new TextEncoder().encode(name);
    // version, flags, method, time, date, crc, packed, size, name length, extra length
    const common = words([
      [2, 20],
      [2, 0],
      [2, deflate ? 8 : 0],
      [2, 0],
      [2, 33],
      [4, crc32(data)],
      [4, packed.length],
      [4, claimedSize],
      [2, label.length],
      [2, 0],
    ]);
    const local = [words([[4, 0x04034b50]]), common, label, packed];
    directory.push(
      words([[4, 0x02014b50], [2, 20]]),
      common,
      words([[2, 0], [2, 0], [2, 0], [4, 0], [4, at]]),
      label,
    );
    parts.push(...local);
    at += local.reduce((sum, part) => sum + part.length, 0);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = Object.keys(entries).length;
  const end = words([[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]]);
  return join([...parts, ...directory, end]);
}

function words(list: readonly (readonly [bytes: number, value: number])[]): Uint8Array {
  const out = new Uint8Array(list.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of list) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return out;
}

/** Bytes one after the other. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
