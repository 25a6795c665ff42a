/**
 * The methods that make a direction from activations of two sides.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { createRandom, type Random } from "../base/random.ts";
import { fitLogistic } from "../stats/logistic_regression.ts";
import { principalDirection } from "../stats/principal_direction.ts";
import { addTimes } from "../stats/vector_sums.ts";
import type { ExtractionMethod } from "./methods.ts";
import { dot, norm, type SteeringVector, unitVector, type VectorOrigin } from "./steering_vector.ts";

/** Activations at one site, `[samples][width]`. */
export type Activations = readonly ArrayLike<number>[];

/** Activations of both sides. Where a method works on pairs, sample i of one side belongs to sample i of the other. */
export interface TwoSides {
  /** With the trait. */
  readonly positive: Activations;
  /** Without it. */
  readonly negative: Activations;
}

/** Options of {@linkcode extractVector}. */
export interface ExtractOptions {
  /** Draws random_baseline, and where gradient and pca_diff begin. */
  readonly seed: number | string;
}

/** Where a vector belongs. */
export type VectorPlace = Omit<VectorOrigin, "method">;

/**
 * Makes a vector. All sums are in float64; the vector has length 1 and keeps the length it had as its scale.
 *
 * - `mean_diff`: mean of the positive minus mean of the negative activations (contrastive activation addition, Rimsky et
 *   al. 2023). The scale is in the unit of the activations.
 * - `probe`: weights of a logistic regression (L2, C = 1, intercept free) that tells the sides apart; each activation
 *   is first divided by its own length, as in trait-interp, so that the penalty means the same for every model. The
 *   scale is the length of the weights.
 * - `pca_diff`: the first principal direction of the differences within pairs, not centred, so that what all pairs
 *   share counts; it points to the side of the positives in most pairs (representation engineering, Zou et al. 2023; repeng's
 *   pca_center). The scale is the root of the mean squared projection of the differences.
 * - `gradient`: a unit vector moved by Adam (500 steps of 0.02, down to a tenth) from a random start, up the slope of the
 *   mean projection of the positives minus that of the negatives. That is the objective of trait-interp's method of
 *   this name; its one maximum is the direction of mean_diff, which these steps come close to and do not reach. The
 *   scale is the separation reached.
 * - `random_baseline`: a random direction. Its scale is that of mean_diff, so that both steer with equal length.
 *
 * @throws {InputError} when a side has no sample, widths differ, numbers are not finite, a method that works on pairs
 * is given sides of several lengths, or the direction has no length.
 */
export function extractVector(
  method: ExtractionMethod,
  sides: TwoSides,
  place: VectorPlace,
  { seed }: ExtractOptions,
): SteeringVector {
  checkSides(sides, place);
  const random = createRandom(`${seed}/${method}/${place.component}.${place.layer}`);
  const origin: VectorOrigin = { ...place, method };
  switch (method) {
    case "mean_diff":
      return unitVector(origin, meanDifference(sides));
    case "probe":
      return unitVector(origin, probeWeights(sides));
    case "pca_diff":
      return unitVector(origin, principalDifference(sides, random));
    case "gradient":
      return unitVector(origin, climbed(sides, random));
    case "random_baseline": {
      const scale = norm(meanDifference(sides));
      const vector = unitVector(origin, gaussian(sides.positive[0]?.length ?? 0, random));
      return { ...vector, scale };
    }
  }
}

function checkSides({ positive, negative }: TwoSides, { component, layer }: VectorPlace): void {
  const site = `${component}.${layer}`;
  if (positive.length === 0 || negative.length === 0) {
    throw new InputError(
      `There are ${positive.length} positive and ${negative.length} negative activations at ${site}: a vector needs ` +
        "some of both.",
    );
  }
  const width = positive[0]?.length;
  for (const row of [...positive, ...negative]) {
    if (row.length !== width) {
      throw new InputError(`Activations at ${site} have ${width} and ${row.length} numbers.`);
    }
    for (let j = 0; j < row.length; j++) {
      if (!Number.isFinite(row[j])) {
        throw new InputError(`Activations at ${site} hold ${row[j]}: they are not finite.`);
      }
    }
  }
}

/** The mean of activations, in float64. */
export function meanActivation(rows: Activations): Float64Array {
  const sum = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) addTimes(sum, row, 1);
  return sum.map((x) => x / rows.length);
}

function meanDifference({ positive, negative }: TwoSides): Float64Array {
  const other = meanActivation(negative);
  return meanActivation(positive).map((x, j) => x - (other[j] as number));
}

function probeWeights({ positive, negative }: TwoSides): Float64Array {
  const rows = [...positive, ...negative].map((row) => {
    const length = norm(row) || 1;
    return Float64Array.from(row, (x) => x / length);
  });
  return fitLogistic(rows, rows.map((_, i) => i < positive.length)).weights;
}

function differences({ positive, negative }: TwoSides, method: ExtractionMethod): Float64Array[] {
  if (positive.length !== negative.length) {
    throw new InputError(
      `${method} works on pairs, and there are ${positive.length} positive and ${negative.length} negative samples. ` +
        "Give as many of both, in the same order, or use mean_diff or probe.",
    );
  }
  return positive.map((row, i) => {
    const other = negative[i] as ArrayLike<number>;
    return Float64Array.from(row, (x, j) => x - (other[j] as number));
  });
}

function principalDifference(sides: TwoSides, random: Random): Float64Array {
  const rows = differences(sides, "pca_diff");
  const { direction, power } = principalDirection(rows, random);
  const votes = rows.reduce((sum, row) => sum + Math.sign(dot(row, direction)), 0);
  const along = rows.reduce((sum, row) => sum + dot(row, direction), 0);
  const sign = (votes === 0 ? along : votes) < 0 ? -1 : 1;
  const length = Math.sqrt(power / rows.length);
  return direction.map((x) => sign * length * x);
}

const STEPS = 500;
const RATE = 0.02;

function climbed(sides: TwoSides, random: Random): Float64Array {
  const goal = meanDifference(sides); // the slope of the separation before the length is divided out
  let v = gaussian(goal.length, random);
  const first = new Float64Array(v.length);
  const second = new Float64Array(v.length);
  for (let step = 1; step <= STEPS; step++) {
    const length = norm(v);
    const along = dot(goal, v) / length;
    const rate = RATE * (1 - 0.9 * step / STEPS);
    v = v.map((x, j) => {
      const slope = ((goal[j] as number) - along * x / length) / length;
      const m = first[j] = 0.9 * (first[j] as number) + 0.1 * slope;
      const s = second[j] = 0.999 * (second[j] as number) + 0.001 * slope * slope;
      return x + rate * (m / (1 - 0.9 ** step)) / (Math.sqrt(s / (1 - 0.999 ** step)) + 1e-12);
    });
  }
  const length = norm(v);
  const separation = Math.abs(dot(goal, v)) / length;
  return v.map((x) => x / length * separation);
}

/** Independent standard normal numbers (Box and Muller 1958). */
export function gaussian(width: number, random: Random): Float64Array {
  return Float64Array.from(
    { length: width },
    () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()),
  );
}
