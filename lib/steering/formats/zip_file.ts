/**
 * Reads zip archives (PKWARE's APPNOTE, ZIP64 included), entries stored or deflated.
 * Sizes are checked before anything is read or unpacked, so that an archive cannot unpack to more than it admits.
 * @module
 */
import { crc32, inflateRawSync } from "node:zlib";
import { InputError, messageOf } from "../../base/errors.ts";

/** An entry of an archive. */
export interface ZipEntry {
  /** Its path in the archive. */
  readonly name: string;
  /** Bytes unpacked. */
  readonly size: number;
  /** Bytes packed. */
  readonly packed: number;
  /** 0 is stored, 8 is deflated. */
  readonly method: number;
  /** CRC-32 of the unpacked bytes. */
  readonly crc: number;
  /** Where its local header begins. */
  readonly at: number;
}

/** Most bytes one entry may unpack to. */
const MAX_UNPACKED = 2 ** 31;
/** Most bytes of the list of entries. */
const MAX_DIRECTORY = 2 ** 26;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end record may be followed by a comment of at most 65,535 bytes. */
const END_REACH = 22 + 65_535;

/** An open archive. */
export class ZipFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #size: number;
  #entries = new Map<string, ZipEntry>();

  private constructor(file: Deno.FsFile, path: string, size: number) {
    this.#file = file;
    this.#path = path;
    this.#size = size;
  }

  /**
   * Opens an archive and reads its list of entries.
   *
   * @throws {InputError} when it is not a sound archive, or an entry is encrypted or packed in another way.
   */
  static async open(path: string): Promise<ZipFile> {
    let file: Deno.FsFile;
    try {
      file = await Deno.open(path);
    } catch (cause) {
      throw new InputError(`Cannot open ${path}: check that the file exists and can be read.`, { cause });
    }
    try {
      const zip = new ZipFile(file, path, (await file.stat()).size);
      await zip.#readDirectory();
      return zip;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The entries by name. */
  get entries(): ReadonlyMap<string, ZipEntry> {
    return this.#entries;
  }

  /** Reads a whole entry and checks its CRC. @throws {InputError} when it is damaged or unpacks to more than it says. */
  async read(entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
    if (entry.size > MAX_UNPACKED) throw this.#bad(`${entry.name} would unpack to ${entry.size} bytes`);
    const data = await this.#region(await this.#dataStart(entry), entry.packed, entry.name);
    let out: Uint8Array<ArrayBuffer> = data;
    if (entry.method === 8) {
      try {
        out = new Uint8Array(inflateRawSync(data, { maxOutputLength: Math.max(entry.size, 1) }));
      } catch (cause) {
        throw this.#bad(`${entry.name} cannot be unpacked to the ${entry.size} bytes it claims`, cause);
      }
    }
    if (out.length !== entry.size) {
      throw this.#bad(`${entry.name} has ${out.length} bytes and claims ${entry.size}`);
    }
    if (crc32(out) !== entry.crc) throw this.#bad(`the check sum of ${entry.name} is wrong`);
    return out;
  }

  /** Reads a part of an entry; without a check sum where the entry is stored. @throws {InputError} */
  async readPart(entry: ZipEntry, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (from + length > entry.size) throw this.#bad(`${entry.name} ends before byte ${from + length}`);
    if (entry.method !== 0 || length === entry.size) {
      return (await this.read(entry)).slice(from, from + length);
    }
    return await this.#region(await this.#dataStart(entry) + from, length, entry.name);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #readDirectory(): Promise<void> {
    const tail = await this.#region(
      Math.max(0, this.#size - END_REACH),
      Math.min(this.#size, END_REACH),
      "its end",
    );
    const view = viewOf(tail);
    let end = tail.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== END) end--;
    if (end < 0) throw this.#bad("it has no list of entries (cut short, or no zip archive at all)");
    let count = view.getUint16(end + 10, true);
    let size = view.getUint32(end + 12, true);
    let at = view.getUint32(end + 16, true);
    if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
      const record = viewOf(await this.#region(this.#number(view, end - 20 + 8), 56, "its ZIP64 record"));
      if (record.getUint32(0, true) !== END64) throw this.#bad("its ZIP64 record is missing");
      [count, size, at] = [this.#number(record, 32), this.#number(record, 40), this.#number(record, 48)];
    }
    if (size > MAX_DIRECTORY || count * 46 > size) {
      throw this.#bad(`its list of ${count} entries takes ${size} bytes`);
    }
    const directory = await this.#region(at, size, "its list of entries");
    const list = viewOf(directory);
    let here = 0;
    for (let i = 0; i < count; i++) {
      if (here + 46 > size || list.getUint32(here, true) !== CENTRAL) {
        throw this.#bad("its list of entries is damaged");
      }
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
        list.getUint16(here + offset, true)
      ) as [number, number, number];
      const next = here + 46 + nameLength + extraLength + commentLength;
      if (next > size) throw this.#bad("its list of entries is damaged");
      const name = new TextDecoder().decode(directory.subarray(here + 46, here + 46 + nameLength));
      const entry = this.#entry(list, here, name, here + 46 + nameLength, extraLength);
      if (this.#entries.has(name)) throw this.#bad(`it has ${JSON.stringify(name)} twice`);
      this.#entries.set(name, entry);
      here = next;
    }
  }

  #entry(view: DataView, here: number, name: string, extra: number, extraLength: number): ZipEntry {
    const label = JSON.stringify(name.slice(0, 200));
    if ((view.getUint16(here + 8, true) & 1) !== 0) throw this.#bad(`${label} is encrypted`);
    const method = view.getUint16(here + 10, true);
    if (method !== 0 && method !== 8) throw this.#bad(`${label} is packed by method ${method}`);
    let [packed, size, at] = [20, 24, 42].map((offset) => view.getUint32(here + offset, true)) as [
      number,
      number,
      number,
    ];
    for (let field = extra; field + 4 <= extra + extraLength;) {
      const [id, length] = [view.getUint16(field, true), view.getUint16(field + 2, true)];
      const end = field + 4 + length;
      if (end > extra + extraLength) throw this.#bad(`${label} has a damaged header`);
      if (id === 1) {
        let value = field + 4;
        const wide = () => {
          if (value + 8 > end) throw this.#bad(`${label} has a damaged header`);
          const number = this.#number(view, value);
          value += 8;
          return number;
        };
        if (size === 0xffffffff) size = wide();
        if (packed === 0xffffffff) packed = wide();
        if (at === 0xffffffff) at = wide();
      }
      field = end;
    }
    if (method === 0 && packed !== size) {
      throw this.#bad(`${label} is stored in ${packed} bytes and claims ${size}`);
    }
    return { name, size, packed, method, crc: view.getUint32(here + 16, true), at };
  }

  async #dataStart({ at, name }: ZipEntry): Promise<number> {
    const header = viewOf(await this.#region(at, 30, name));
    if (header.getUint32(0, true) !== LOCAL) {
      throw this.#bad(`${JSON.stringify(name)} is not where it should be`);
    }
    return at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  }

  async #region(at: number, length: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    if (at + length > this.#size) throw this.#bad(`${what} reaches beyond its end`);
    await this.#file.seek(at, Deno.SeekMode.Start);
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const count = await this.#file.read(out.subarray(filled));
      if (count === null) throw this.#bad("it ends too early");
      filled += count;
    }
    return out;
  }

  #number(view: DataView, at: number): number {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#bad(`it has the number ${value} for a size`);
    return Number(value);
  }

  #bad(reason: string, cause?: unknown): InputError {
    const why = cause === undefined ? "" : ` (${messageOf(cause)})`;
    return new InputError(
      `${this.#path} is not a sound zip archive: ${reason}${why}. Fetch or write it again.`,
      {
        cause,
      },
    );
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
