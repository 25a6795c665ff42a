/**
 * Logistic regression with an L2 penalty.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { addTimes, dot } from "./vector_sums.ts";

/** What was fitted. */
export interface LogisticFit {
  /** One weight for each feature. */
  readonly weights: Float64Array;
  /** Added to the weighted sum; without penalty. */
  readonly intercept: number;
  /** Steps taken. */
  readonly iterations: number;
  /** Whether the gradient fell below the tolerance. */
  readonly converged: boolean;
}

/** Options of {@linkcode fitLogistic}. */
export interface LogisticOptions {
  /** Weight of the data against the penalty, as scikit-learn's `C`; 1 unless given. */
  readonly c?: number;
  /** Largest entry of the gradient, for each sample's weight, at which the fit is done; 1e-9 unless given. */
  readonly tolerance?: number;
  /** Most steps; 1000 unless given. */
  readonly maxIterations?: number;
}

/** Steps whose curvature is remembered. */
const MEMORY = 12;

/**
 * The minimum of `c * sum(log(1 + exp(-s (w.x + b)))) + |w|^2 / 2` over weights w and intercept b, where s is 1 or -1:
 * scikit-learn's `LogisticRegression(penalty="l2", C=c)`. Found by L-BFGS (Liu and Nocedal 1989, Mathematical
 * Programming 45:503-528) in float64; the function is convex, so there is one minimum.
 *
 * @param samples one row of features for each sample
 * @param labels which samples are of the positive class
 * @throws {InputError} when there are no samples of one class, or rows of several lengths.
 */
export function fitLogistic(
  samples: readonly ArrayLike<number>[],
  labels: readonly boolean[],
  options: LogisticOptions = {},
): LogisticFit {
  const { c = 1, tolerance = 1e-9, maxIterations = 1000 } = options;
  const width = samples[0]?.length ?? 0;
  if (samples.length !== labels.length || samples.some((row) => row.length !== width)) {
    throw new InputError("Logistic regression needs one label for each sample and rows of one length.");
  }
  if (!labels.includes(true) || !labels.includes(false)) {
    throw new InputError("Logistic regression needs samples of both classes.");
  }
  /** The function's value; writes its gradient. The last entry of a point is the intercept. */
  const evaluate = (point: Float64Array, gradient: Float64Array): number => {
    let value = 0;
    for (let j = 0; j < width; j++) {
      const w = point[j] as number;
      value += w * w / 2;
      gradient[j] = w;
    }
    gradient[width] = 0;
    for (const [i, row] of samples.entries()) {
      const sign = labels[i] ? 1 : -1;
      let score = point[width] as number;
      for (let j = 0; j < width; j++) score += (point[j] as number) * (row[j] as number);
      const margin = sign * score;
      value += c * (margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin);
      const push = -c * sign / (1 + Math.exp(margin));
      for (let j = 0; j < width; j++) gradient[j] = (gradient[j] as number) + push * (row[j] as number);
      gradient[width] = (gradient[width] as number) + push;
    }
    return value;
  };
  const flat = tolerance * Math.max(1, c * samples.length);
  let point = new Float64Array(width + 1);
  let gradient = new Float64Array(width + 1);
  let value = evaluate(point, gradient);
  const past: Curvature[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (gradient.every((g) => Math.abs(g) <= flat)) return fitOf(point, iteration, true);
    const direction = descent(gradient, past);
    const slope = dot(direction, gradient);
    let step = iteration === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let next = point, nextGradient = gradient, nextValue = value;
    for (let halvings = 0; halvings < 60; halvings++, step /= 2) {
      next = point.map((x, j) => x + step * (direction[j] as number));
      nextGradient = new Float64Array(width + 1);
      nextValue = evaluate(next, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    // Rounding hides what is left to gain.
    if (!(nextValue < value)) return fitOf(point, iteration, false);
    const moved = next.map((x, j) => x - (point[j] as number));
    const turned = nextGradient.map((g, j) => g - (gradient[j] as number));
    const curvature = dot(moved, turned);
    if (curvature > 1e-14) {
      past.push({ moved, turned, curvature });
      if (past.length > MEMORY) past.shift();
    }
    [point, gradient, value] = [next, nextGradient, nextValue];
  }
  return fitOf(point, maxIterations, false);
}

interface Curvature {
  readonly moved: Float64Array;
  readonly turned: Float64Array;
  readonly curvature: number;
}

/** The direction of the next step: minus the gradient, times the inverse of the curvature seen so far. */
function descent(gradient: Float64Array, past: readonly Curvature[]): Float64Array {
  const direction = gradient.map((g) => -g);
  const shares: number[] = [];
  for (const { moved, turned, curvature } of past.toReversed()) {
    const share = dot(moved, direction) / curvature;
    shares.push(share);
    addTimes(direction, turned, -share);
  }
  const last = past.at(-1);
  if (last !== undefined) {
    const scale = last.curvature / dot(last.turned, last.turned);
    for (let j = 0; j < direction.length; j++) direction[j] = (direction[j] as number) * scale;
  }
  for (const { moved, turned, curvature } of past) {
    addTimes(direction, moved, (shares.pop() as number) - dot(turned, direction) / curvature);
  }
  return direction;
}

function fitOf(point: Float64Array, iterations: number, converged: boolean): LogisticFit {
  return { weights: point.slice(0, -1), intercept: point.at(-1) as number, iterations, converged };
}
