/**
 * Several vectors together: as one at one site, or each at its own layer.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { Direction, type ResidualSteer } from "../backends/steering.ts";
import { type SteeringVector, unitVector } from "./steering_vector.ts";

/** A vector and how much it counts. */
export interface Weighted {
  /** The vector. */
  readonly vector: SteeringVector;
  /** Its weight; 1 unless given. */
  readonly weight?: number;
}

/**
 * The weighted mean of vectors of length 1 at one component and layer, brought to length 1 again. Its scale is the
 * length of the mean before that: 1 where all agree, near 0 where they point apart. Vectors of several methods,
 * positions or traits can be put together; the metadata says which they were.
 *
 * @throws {InputError} when there is none, sites differ, or they cancel out.
 */
export function ensembleVector(members: readonly Weighted[]): SteeringVector {
  const [first] = members;
  if (first === undefined) throw new InputError("An ensemble needs at least one vector.");
  const { component, layer, position, vector } = first.vector;
  const total = members.reduce((sum, { weight = 1 }) => sum + Math.abs(weight), 0);
  const mean = new Float64Array(vector.length);
  for (const { vector: one, weight = 1 } of members) {
    if (one.component !== component || one.layer !== layer || one.vector.length !== mean.length) {
      throw new InputError(
        `An ensemble is of one site: ${component}.${layer} and ${one.component}.${one.layer} were given. To steer several ` +
          "layers at once, give each its own vector.",
      );
    }
    for (let j = 0; j < mean.length; j++) {
      mean[j] = (mean[j] as number) + weight * (one.vector[j] as number) / total;
    }
  }
  const names = members.map(({ vector: { method, position, metadata }, weight = 1 }) =>
    `${weight} ${[method, position, metadata["trait"]].filter((text) => text !== undefined).join(" ")}`
  );
  return unitVector(
    { component, layer, position, method: "ensemble", metadata: { members: names.join("; ") } },
    mean,
  );
}

/** How vectors are applied. */
export interface ApplyOptions extends Pick<ResidualSteer, "mode" | "phase"> {
  /** The coefficient, of vectors of length 1. */
  readonly coef: number;
}

/**
 * What a request is steered with so that each vector acts at its own site, all with `coef` times their weight.
 * Divide the weights by the number of layers to keep the whole push of one layer.
 *
 * @throws {InputError} for a vector of keys or values, which act through the cache.
 */
export function steersOf(members: readonly Weighted[], { coef, mode, phase }: ApplyOptions): ResidualSteer[] {
  return members.map(({ vector: { component, layer, vector }, weight = 1 }) => {
    if (component === "k" || component === "v") {
      throw new InputError(
        `A vector of ${component} acts through the cache: steer with one of residual, attn_out, mlp_out.`,
      );
    }
    return { component, layer, vector: new Direction(vector), coef: coef * weight, mode, phase };
  });
}
