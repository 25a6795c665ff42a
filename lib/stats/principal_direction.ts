/**
 * The direction in which vectors are longest.
 * @module
 */
import type { Random } from "../base/random.ts";
import { InputError } from "../base/errors.ts";
import { addTimes, dot, norm } from "./vector_sums.ts";

/** The direction and how much of the whole it holds. */
export interface PrincipalDirection {
  /** Of length 1; its sign means nothing. */
  readonly direction: Float64Array;
  /** Sum of the squared projections onto it. */
  readonly power: number;
  /** `power` over the sum of all squared lengths, 0..1. */
  readonly share: number;
}

/** Most steps; few are needed where one direction stands out. */
const MAX_STEPS = 80;

/**
 * The first right singular vector of a matrix of rows, which are not centred: the unit vector v with the largest
 * `sum((row . v)^2)`. By Lanczos steps on `A'A` with full reorthogonalisation (Golub and Van Loan, Matrix
 * Computations, 10.1), in float64.
 *
 * @param random draws where the search begins
 * @throws {InputError} when all rows are 0, or there is none.
 */
export function principalDirection(rows: readonly ArrayLike<number>[], random: Random): PrincipalDirection {
  const width = rows[0]?.length ?? 0;
  let whole = 0;
  for (const row of rows) for (let j = 0; j < width; j++) whole += (row[j] as number) ** 2;
  if (!(whole > 0) || !Number.isFinite(whole)) {
    throw new InputError("There is no main direction: all differences are 0, or some are not finite.");
  }
  const basis: Float64Array[] = [normalised(Float64Array.from({ length: width }, () => random.next() - 0.5))];
  const diagonal: number[] = [];
  const beside: number[] = [];
  for (let step = 0; step < Math.min(MAX_STEPS, width, rows.length + 1); step++) {
    const last = basis[step] as Float64Array;
    const next = applied(rows, last);
    diagonal.push(dot(next, last));
    // Twice, so that rounding leaves nothing of the earlier ones.
    for (let again = 0; again < 2; again++) for (const one of basis) addTimes(next, one, -dot(next, one));
    const length = norm(next);
    if (length <= 1e-12 * whole) break;
    beside.push(length);
    basis.push(normalised(next));
  }
  const weights = topEigenvector(diagonal, beside.slice(0, diagonal.length - 1));
  const direction = new Float64Array(width);
  for (const [i, weight] of weights.entries()) addTimes(direction, basis[i] as Float64Array, weight);
  const unit = normalised(direction);
  const power = dot(unit, applied(rows, unit));
  return { direction: unit, power, share: power / whole };
}

/** `A'A v` */
function applied(rows: readonly ArrayLike<number>[], v: Float64Array): Float64Array {
  const out = new Float64Array(v.length);
  for (const row of rows) addTimes(out, row, dot(v, row));
  return out;
}

/** The eigenvector of the largest eigenvalue of a symmetric tridiagonal matrix, by Jacobi rotations. */
function topEigenvector(diagonal: readonly number[], beside: readonly number[]): number[] {
  const n = diagonal.length;
  const a = Array.from({ length: n }, (_, i) => {
    const row = new Array<number>(n).fill(0);
    row[i] = diagonal[i] as number;
    if (i > 0) row[i - 1] = beside[i - 1] as number;
    if (i < n - 1) row[i + 1] = beside[i] as number;
    return row;
  });
  const vectors = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => i === j ? 1 : 0));
  const at = (matrix: number[][], i: number, j: number) => (matrix[i] as number[])[j] as number;
  const largest = Math.max(...diagonal.map(Math.abs), ...beside.map(Math.abs));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const x = at(a, p, q);
        off = Math.max(off, Math.abs(x));
        if (Math.abs(x) <= 1e-300) continue;
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * x);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const cos = 1 / Math.hypot(t, 1);
        const sin = t * cos;
        for (let k = 0; k < n; k++) rotate(a[k] as number[], p, q, cos, sin);
        for (let k = 0; k < n; k++) {
          const [u, v] = [at(a, p, k), at(a, q, k)];
          (a[p] as number[])[k] = cos * u - sin * v;
          (a[q] as number[])[k] = sin * u + cos * v;
        }
        for (let k = 0; k < n; k++) rotate(vectors[k] as number[], p, q, cos, sin);
      }
    }
    if (off <= 1e-15 * largest) break;
  }
  let top = 0;
  for (let i = 1; i < n; i++) if (at(a, i, i) > at(a, top, top)) top = i;
  return vectors.map((row) => row[top] as number);
}

function rotate(row: number[], p: number, q: number, cos: number, sin: number): void {
  const [u, v] = [row[p] as number, row[q] as number];
  row[p] = cos * u - sin * v;
  row[q] = sin * u + cos * v;
}

function normalised(v: Float64Array): Float64Array {
  const length = norm(v);
  return v.map((x) => x / length);
}
