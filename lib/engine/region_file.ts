/**
 * Files that hold many tensors one after another.
 * @module
 */
import { createHash, type Hash } from "node:crypto";

const ALIGNMENT = 64;
const READ_BYTES = 8 << 20;

/** The next multiple of 64 from `offset` on. */
export function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** Appends pieces to a new file, each at a multiple of 64 bytes, and hashes what it writes. */
export class RegionWriter implements Disposable {
  /** Bytes written. */
  size = 0;
  readonly #file: Deno.FsFile;
  readonly #hash: Hash = createHash("sha256");

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Makes the file, which must not exist. */
  static async create(path: string): Promise<RegionWriter> {
    return new RegionWriter(await Deno.open(path, { write: true, createNew: true }));
  }

  /** Writes a piece. @returns its first byte and its number of bytes. */
  async append(bytes: Uint8Array): Promise<[offset: number, bytes: number]> {
    await this.#write(new Uint8Array(aligned(this.size) - this.size));
    const offset = this.size;
    await this.#write(bytes);
    return [offset, bytes.length];
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
    this.size += bytes.length;
  }

  /** SHA-256 of the whole file, in hex; call it once, after the last piece. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Size and SHA-256 (hex) of a file, read in pieces. Takes about half a second per GB that is in memory already. */
export async function hashFile(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<{ bytes: number; sha256: string }> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(READ_BYTES);
  let bytes = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    options.signal?.throwIfAborted();
    hash.update(buffer.subarray(0, count));
    bytes += count;
  }
  return { bytes, sha256: hash.digest("hex") };
}
