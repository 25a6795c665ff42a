/**
 * Whether two sources that were asked the same questions several times answer from the same distribution.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";

/** What two sources gave to one question. */
export interface SampleGroup<T> {
  /** Samples of the first source. */
  readonly first: readonly T[];
  /** Samples of the second source. */
  readonly second: readonly T[];
}

/** Options of {@linkcode mmdTest}. */
export interface MmdOptions<T> {
  /** How alike two samples are, symmetric, finite. */
  readonly kernel: (a: T, b: T) => number;
  /** Source of the permutations. */
  readonly random: Random;
  /** Number of permutations, default 999. */
  readonly permutations?: number;
}

/** The maximum mean discrepancy of two sources, and how likely so much is by chance. */
export interface MmdTest {
  /**
   * Mean over groups of the unbiased squared discrepancy: likeness within the first plus within the second less twice
   * across. Around 0 (also below) for equal sources. Null when no group has two samples of each source.
   */
  readonly mmd2: number | null;
  /** Mean likeness of two samples of the first source, over groups. */
  readonly withinFirst: number | null;
  /** The same of the second source. */
  readonly withinSecond: number | null;
  /** Mean likeness of a sample of each. */
  readonly across: number | null;
  /** Permutation p-value, at least `1 / (permutations + 1)`; null without groups. */
  readonly p: number | null;
  /** Groups that could be used: two samples or more of each source. */
  readonly groups: number;
  /** Number of permutations. */
  readonly permutations: number;
}

/**
 * The permutation test of equal distributions by maximum mean discrepancy (Gretton et al. 2012, JMLR 13:723-773), one
 * prompt at a time as in Model Equality Testing (Gao et al. 2024): samples change sources only inside their group.
 *
 * With {@linkcode equalityKernel} it compares disagreement across two sources with the disagreement of each with
 * itself, its noise floor.
 *
 * @throws {InputError} when the number of permutations is below 1 or the kernel gives no number.
 */
export function mmdTest<T>(groups: readonly SampleGroup<T>[], options: MmdOptions<T>): MmdTest {
  const { kernel, random, permutations = 999 } = options;
  if (!Number.isSafeInteger(permutations) || permutations < 1) {
    throw new InputError(`${permutations} permutations: a whole number of at least 1 was expected.`);
  }
  const usable = groups.filter(({ first, second }) => first.length > 1 && second.length > 1)
    .map((group) => new GroupGram(group, kernel));
  const count = usable.length;
  if (count === 0) {
    return {
      mmd2: null,
      withinFirst: null,
      withinSecond: null,
      across: null,
      p: null,
      groups: 0,
      permutations,
    };
  }
  const likeness = usable.map((group) => group.likeness());
  const part = (i: 0 | 1 | 2) => likeness.reduce((sum, means) => sum + means[i], 0) / count;
  const mmd2 = part(0) + part(1) - 2 * part(2);
  // Where all samples are alike every permutation gives the same.
  const varying = usable.filter((group) => group.varies);
  const observed = varying.reduce((sum, group) => sum + discrepancy(group.likeness()), 0);
  const draws = varying.map((group) => group.permuted());
  let asMuch = 0;
  for (let i = 0; i < permutations; i++) {
    let sum = 0;
    for (const draw of draws) sum += draw(random);
    if (sum >= observed - 1e-9) asMuch++;
  }
  return {
    mmd2,
    withinFirst: part(0),
    withinSecond: part(1),
    across: part(2),
    p: (asMuch + 1) / (permutations + 1),
    groups: count,
    permutations,
  };
}

/** 1 for equal samples, else 0. */
export function equalityKernel<T>(a: T, b: T): number {
  return a === b ? 1 : 0;
}

/**
 * The share of equal places among the first `length`, as Model Equality Testing compares completions: shorter ones
 * are thought to end in padding, which equals padding.
 */
export function hammingKernel(
  length: number,
): (a: readonly (string | number)[], b: readonly (string | number)[]) => number {
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new InputError(
      `A Hamming kernel over ${length} places: a whole number of at least 1 was expected.`,
    );
  }
  return (a, b) => {
    let same = 0;
    for (let i = 0; i < length; i++) if (a[i] === b[i]) same++;
    return same / length;
  };
}

type Likeness = readonly [first: number, second: number, across: number];

const discrepancy = ([first, second, across]: Likeness) => first + second - 2 * across;

/** Up to this many assignments of a group are worked out beforehand: a permutation is then one draw. */
const MOST_ASSIGNMENTS = 1000;

/** The likeness of all pairs of a group. */
class GroupGram<T> {
  readonly varies: boolean;
  readonly #values: Float64Array;
  readonly #size: number;
  readonly #firsts: number;

  constructor({ first, second }: SampleGroup<T>, kernel: (a: T, b: T) => number) {
    const all = [...first, ...second];
    const size = all.length;
    this.#values = new Float64Array(size * size);
    this.#size = size;
    this.#firsts = first.length;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) {
        const value = kernel(all[i] as T, all[j] as T);
        if (!Number.isFinite(value)) throw new InputError(`A kernel gave ${value}: make it finite.`);
        this.#values[i * size + j] = this.#values[j * size + i] = value;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    this.varies = high > low;
  }

  /** Mean likeness within the first, within the second, across, when the samples stand in this order. */
  likeness(order: readonly number[] = Array.from({ length: this.#size }, (_, i) => i)): Likeness {
    const size = this.#size, m = this.#firsts, n = size - m;
    let within = 0, other = 0, across = 0;
    for (let i = 0; i < size; i++) {
      const row = (order[i] as number) * size;
      for (let j = 0; j < i; j++) {
        const value = this.#values[row + (order[j] as number)] as number;
        if (i < m) within += value;
        else if (j >= m) other += value;
        else across += value;
      }
    }
    return [2 * within / (m * (m - 1)), 2 * other / (n * (n - 1)), across / (m * n)];
  }

  /** What draws the discrepancy of a random assignment. */
  permuted(): (random: Random) => number {
    const size = this.#size;
    const all = assignments(size, this.#firsts, MOST_ASSIGNMENTS);
    if (all === null) {
      const order = Array.from({ length: size }, (_, i) => i);
      return (random) => discrepancy(this.likeness(random.shuffle(order)));
    }
    const values = Float64Array.from(all, (order) => discrepancy(this.likeness(order)));
    return (random) => values[random.int(values.length)] as number;
  }
}

/** Every way to put `chosen` of `size` things first, as orders; null when there are more than `most`. */
function assignments(size: number, chosen: number, most: number): number[][] | null {
  const found: number[][] = [];
  const pick = (from: number, picked: readonly number[]): boolean => {
    if (picked.length === chosen) {
      const rest = Array.from({ length: size }, (_, i) => i).filter((i) => !picked.includes(i));
      return found.push([...picked, ...rest]) <= most;
    }
    for (let i = from; i <= size - (chosen - picked.length); i++) {
      if (!pick(i + 1, [...picked, i])) return false;
    }
    return true;
  };
  return pick(0, []) ? found : null;
}
