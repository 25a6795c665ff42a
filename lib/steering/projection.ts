/**
 * How far each token's activation lies along a vector.
 * @module
 */
import { dot, norm } from "./steering_vector.ts";

/** One token's activation and a vector of length 1. */
export interface TokenProjection {
  /** `h . v`, the part of the activation along the vector. */
  readonly projection: number;
  /** `|h|` */
  readonly norm: number;
  /** Of the angle between them, -1..1; null where the activation is 0. */
  readonly cosine: number | null;
}

/** Tokens averaged for a smooth course. */
export const AVERAGED_TOKENS = 5;

/**
 * Projects activations onto a vector.
 *
 * @param activations `[tokens, width]`
 * @param vector `[width]`, of any length but 0; the projection is onto its direction.
 */
export function projectTokens(activations: Float32Array, vector: Float32Array): TokenProjection[] {
  const width = vector.length;
  const length = norm(vector);
  return Array.from({ length: activations.length / width }, (_, token) => {
    const h = activations.subarray(token * width, (token + 1) * width);
    const [projection, size] = [dot(h, vector) / length, norm(h)];
    return { projection, norm: size, cosine: size === 0 ? null : projection / size };
  });
}

/** The mean of each value and those before it, up to {@linkcode AVERAGED_TOKENS}; values that are null are left out. */
export function movingAverage(
  values: readonly (number | null)[],
  window: number = AVERAGED_TOKENS,
): (number | null)[] {
  return values.map((_, i) => {
    const known = values.slice(Math.max(0, i - window + 1), i + 1).filter((x) => x !== null);
    return known.length === 0 ? null : known.reduce((sum, x) => sum + x, 0) / known.length;
  });
}

/** Change from value to value; null for the first, and beside one that is null. */
export function velocity(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value, i) => {
    const before = i === 0 ? null : values[i - 1] ?? null;
    return value === null || before === null ? null : value - before;
  });
}
