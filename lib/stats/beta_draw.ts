/**
 * Random draws from a beta distribution.
 * @module
 */
import type { Random } from "../base/random.ts";

/** One draw from Beta(a, b), as a ratio of gamma draws. `a` and `b` must be positive. */
export function betaDraw(a: number, b: number, random: Random): number {
  const x = gammaDraw(a, random);
  const y = gammaDraw(b, random);
  return x / (x + y);
}

/** One draw from Gamma(shape, 1) (Marsaglia and Tsang 2000, ACM TOMS 26:363-372). */
function gammaDraw(shape: number, random: Random): number {
  if (shape < 1) return gammaDraw(shape + 1, random) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const z = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < z * z / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
