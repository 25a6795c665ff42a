/**
 * Tells one checkpoint from another by what its files hold.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * What the files of an in-process variant hold: of its checkpoint and of its adapter, null where they are not folders.
 */
export function variantPrints(
  variant: { readonly folder: string | null; readonly loraFolder?: string | undefined },
): { readonly checkpoint: string | null; readonly adapter: string | null } {
  return {
    checkpoint: variant.folder === null ? null : checkpointPrint(variant.folder),
    adapter: variant.loraFolder === undefined ? null : checkpointPrint(variant.loraFolder),
  };
}

/** Bytes read at each place of a large file, and how many places. */
const SAMPLE = 16_384;
const PLACES = 32;

/**
 * A hash (16 hex digits) of a checkpoint folder: the names and sizes of its files, small files whole, large ones at
 * evenly spaced places. The same on every machine that holds the same files, and quick for any size. null when the
 * folder cannot be read.
 */
export function checkpointPrint(folder: string): string | null {
  const hash = createHash("sha256");
  try {
    const names = [...Deno.readDirSync(folder)].filter((entry) =>
      !entry.isDirectory && !/\.md$/i.test(entry.name)
    )
      .map((entry) => entry.name).sort();
    for (const name of names) {
      using file = Deno.openSync(join(folder, name));
      const { size } = file.statSync();
      hash.update(`${name}\0${size}\0`);
      const whole = size <= SAMPLE * PLACES;
      const buffer = new Uint8Array(whole ? size : SAMPLE);
      for (let place = 0; place < (whole ? 1 : PLACES); place++) {
        const at = whole ? 0 : Math.floor((size - SAMPLE) * place / (PLACES - 1));
        file.seekSync(at, Deno.SeekMode.Start);
        let read = 0;
        while (read < buffer.length) {
          const n = file.readSync(buffer.subarray(read));
          if (n === null) break;
          read += n;
        }
        hash.update(buffer.subarray(0, read));
      }
    }
  } catch {
    return null;
  }
  return hash.digest("hex").slice(0, 16);
}
