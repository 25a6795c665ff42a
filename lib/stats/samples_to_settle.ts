/**
 * How many rows tell whether a share is larger than another.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { fisherExact } from "./fisher_exact.ts";
import { criticalZ } from "./normal.ts";
import { scoreInterval } from "./wilson.ts";

/** Options of {@linkcode samplesToSettle}. */
export interface SettleOptions {
  /** Differences below this are too small to matter, above 0. */
  readonly margin: number;
  /** Level of the test that a difference must pass, default 0.05; smaller where many are tested. */
  readonly alpha?: number;
}

/** Above this many rows the number is of no use. */
const MOST = 100_000;

/**
 * Rows in each group at which shares that stay as they are settle it: the first is shown to be larger (Fisher's exact
 * test), or Newcombe's 95% interval of first minus second lies below the margin. Null above 100,000.
 *
 * @throws {InputError} when a share is not in 0..1, or the margin or alpha is not above 0.
 */
export function samplesToSettle(first: number, second: number, options: SettleOptions): number | null {
  const { margin, alpha = 0.05 } = options;
  const wrong = [first, second].find((share) => !(share >= 0 && share <= 1));
  if (wrong !== undefined) throw new InputError(`A share of ${wrong}: give a number from 0 to 1.`);
  if (!(margin > 0 && alpha > 0)) {
    throw new InputError(`A margin of ${margin} and an alpha of ${alpha}: give numbers above 0.`);
  }
  const z = criticalZ(0.95);
  const settled = (n: number) => {
    // Whole counts, rounded so that they never differ by more than the shares.
    const one = { correct: Math.floor(first * n + 1e-9), n },
      two = { correct: Math.ceil(second * n - 1e-9), n };
    if (one.correct > two.correct && fisherExact(one, two) <= alpha) return true;
    const [a, b] = [scoreInterval(first, n, z), scoreInterval(second, n, z)];
    return first - second + Math.hypot(a.high - first, second - b.low) < margin;
  };
  let high = 1;
  while (!settled(high)) if ((high *= 2) > MOST) return null;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (settled(middle)) high = middle;
    else low = middle;
  }
  return high;
}
