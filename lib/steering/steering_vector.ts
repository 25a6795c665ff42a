/**
 * A direction in a model's activations, with where it was read and how it was made.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { dot, norm } from "../stats/vector_sums.ts";
import type { Method } from "./methods.ts";
import type { Component } from "./site.ts";

export { dot, norm };

/** A direction at one site. */
export interface SteeringVector {
  /** What of the block it was read from. */
  readonly component: Component;
  /** 0-based block. */
  readonly layer: number;
  /** Which tokens it was read from, as `positionText` writes it: `response[:5]`. */
  readonly position: string;
  /** How it was made. */
  readonly method: Method;
  /** `[width]`, of length 1. */
  readonly vector: Float32Array;
  /**
   * The length it had before, in the unit of the method: for mean_diff that of the activations, so that
   * `scale * vector` is the difference of the means.
   */
  readonly scale: number;
  /** Whatever else is known of it: trait, model, number of pairs, hashes. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where a vector belongs and how it was made. */
export type VectorOrigin = Omit<SteeringVector, "vector" | "scale">;

/** Cosine of the angle between two vectors; NaN when one is 0. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return dot(a, b) / (norm(a) * norm(b));
}

/**
 * Makes a vector of length 1 from any direction and keeps its length as the scale.
 *
 * @throws {InputError} when the direction is 0 or not finite.
 */
export function unitVector(origin: VectorOrigin, direction: ArrayLike<number>): SteeringVector {
  const scale = norm(direction);
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new InputError(
      `The ${origin.method} vector at ${origin.component}.${origin.layer} has the length ${scale}: it has no ` +
        "direction. Leave this layer out, or look at the activations it was made from.",
    );
  }
  return { ...origin, vector: Float32Array.from(direction, (x) => x / scale), scale };
}

/** The direction at the length it had: `scale * vector`. */
export function fullLength({ vector, scale }: Pick<SteeringVector, "vector" | "scale">): Float32Array {
  return vector.map((x) => x * scale);
}
