/**
 * What reports on steered answers say alike: comparisons corrected together, where answers break, doses and levels.
 * @module
 */
import type { DoseLevel, DosePoint } from "../figures/dose_response.ts";
import { holm } from "../stats/holm.ts";
import type { PairedMean } from "../stats/paired_mean.ts";

/** What is told of all answers under one steering. */
export interface ReportedPoint {
  /** The answers. */
  readonly answers: readonly unknown[];
  /** Score minus that of the unsteered answer to the same question. */
  readonly effect: PairedMean;
  /** Coherent answers. */
  readonly coherent: number;
  /** Ends of the 95% interval of their share. */
  readonly coherentInterval: readonly [number, number];
}

/** Comparisons with their p-values corrected for all of them (Holm); null where there is none. */
export function adjusted<C extends { readonly difference: PairedMean }>(
  comparisons: readonly C[],
): (C & { readonly adjustedP: number | null })[] {
  const values = holm(comparisons.map(({ difference }) => difference.p ?? 1));
  return comparisons.map((one, i) => ({
    ...one,
    adjustedP: one.difference.p === null ? null : values[i] ?? null,
  }));
}

/** The lowest strength at which too few answers are coherent, and at all above it; null where there is none. */
export function breaksAt<P>(
  doses: readonly P[],
  strength: (point: P) => number | null,
  isCoherent: (point: P) => boolean,
): number | null {
  let breaks: number | null = null;
  for (const point of doses.toSorted((a, b) => (strength(b) ?? 0) - (strength(a) ?? 0))) {
    if (isCoherent(point)) break;
    breaks = strength(point);
  }
  return breaks;
}

/** A point of a dose-response figure. */
export function dosePoint(
  ratio: number | null | undefined,
  { effect, coherent, coherentInterval, answers }: ReportedPoint,
): DosePoint {
  return {
    ratio: ratio ?? 0,
    effect: effect.estimate,
    low: effect.low,
    high: effect.high,
    n: answers.length,
    coherent,
    coherentInterval,
  };
}

/** The level of a dose-response figure that asking for it in the prompt reaches. */
export function promptedLevels(points: readonly ReportedPoint[]): DoseLevel[] {
  return points.flatMap(({ effect: { estimate, low, high } }) =>
    estimate === null ? [] : [{ label: "asked for in the prompt, unsteered", effect: estimate, low, high }]
  );
}

/** A p-value for people: `0.012`, `<0.001`. */
export function pText(p: number | null): string {
  return p === null ? "?" : p < 0.001 ? "<0.001" : p.toFixed(3);
}

/** A share for people: `75%`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
