/**
 * Seeded randomness: the only source of chance in the library.
 * @module
 */
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { createHash } from "node:crypto";

/** A stream of seeded random numbers. */
export interface Random {
  /** A number in [0, 1), with 53 bits of chance. */
  next(): number;
  /** An integer in [0, n). */
  int(n: number): number;
  /** One of the items, each as likely as another. @throws {RangeError} when there are none. */
  pick<T>(items: readonly T[]): T;
  /** A new array with the items in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent stream named by a key: the same seed and key give the same stream. */
  fork(key: string | number): Random;
}

/**
 * A seeded random stream (xoroshiro128+). Seeds may be numbers or strings.
 *
 * @example
 * ```ts
 * import { createRandom } from "./random.ts";
 * const random = createRandom(7);
 * random.int(10) === createRandom(7).int(10);
 * ```
 */
export function createRandom(seed: number | string): Random {
  const generator = xoroshiro128plus(seedNumber(seed));
  const bits = () => generator.next() >>> 0;
  const next = () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;
  const int = (n: number) => Math.floor(next() * n);
  return {
    next,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError("pick() needs at least one item");
      return items[int(items.length)] as T;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [out[i], out[j]] = [out[j] as T, out[i] as T];
      }
      return out;
    },
    fork: (key) => createRandom(`${seed}/${key}`),
  };
}

function seedNumber(seed: number | string): number {
  return createHash("sha256").update(String(seed)).digest().readInt32LE(0);
}
