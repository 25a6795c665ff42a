/**
 * Precision, recall and F1 of a classifier of two classes.
 * @module
 */
import type { Random } from "../base/random.ts";
import { bootstrap } from "./bootstrap.ts";
import type { Interval } from "./wilson.ts";

/** One classified item. */
export interface ScoredLabel {
  /** Whether it is positive. */
  readonly truth: boolean;
  /** Whether it was called positive; null when no label was given. */
  readonly label: boolean | null;
  /** How much it counts, default 1. */
  readonly weight?: number;
}

/** A score with its bootstrap interval. */
export interface Score extends Interval {
  /** 0..1; null when it is not defined (nothing called positive, or nothing positive). */
  readonly estimate: number | null;
}

/** The scores of a classifier, over the items that it gave a label. */
export interface ClassificationScores {
  /** Items with a label. */
  readonly n: number;
  /** Items without one: in none of the counts. */
  readonly unlabelled: number;
  /** Positive items called positive. */
  readonly truePositive: number;
  /** Negative items called positive. */
  readonly falsePositive: number;
  /** Positive items called negative. */
  readonly falseNegative: number;
  /** Negative items called negative. */
  readonly trueNegative: number;
  /** Share of right ones among those called positive. */
  readonly precision: Score;
  /** Share of the positive ones that are called positive. */
  readonly recall: Score;
  /** Harmonic mean of both. */
  readonly f1: Score;
}

type Weighed = ScoredLabel & { readonly label: boolean };

/**
 * Precision, recall and F1, each with a bootstrap interval over items. In a resample where a score is not defined it
 * counts as 0. Counts are of items; weights move the scores alone.
 */
export function classificationScores(
  items: readonly ScoredLabel[],
  options: { readonly random: Random; readonly resamples?: number; readonly confidence?: number },
): ClassificationScores {
  const labelled = items.filter((item): item is Weighed => item.label !== null);
  const count = (truth: boolean, label: boolean) =>
    labelled.filter((item) => item.truth === truth && item.label === label).length;
  const score = (value: (cells: Cells) => number | null): Score => {
    const estimate = value(cellsOf(labelled));
    if (estimate === null) return { estimate, low: 0, high: 1 };
    const { low, high } = bootstrap(labelled, (drawn) => value(cellsOf(drawn)) ?? 0, options);
    return { estimate, low, high };
  };
  return {
    n: labelled.length,
    unlabelled: items.length - labelled.length,
    truePositive: count(true, true),
    falsePositive: count(false, true),
    falseNegative: count(true, false),
    trueNegative: count(false, false),
    precision: score(({ tp, fp }) => share(tp, tp + fp)),
    recall: score(({ tp, fn }) => share(tp, tp + fn)),
    f1: score(({ tp, fp, fn }) => share(2 * tp, 2 * tp + fp + fn)),
  };
}

interface Cells {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

function cellsOf(items: readonly Weighed[]): Cells {
  let tp = 0, fp = 0, fn = 0;
  for (const { truth, label, weight = 1 } of items) {
    if (label && truth) tp += weight;
    else if (label) fp += weight;
    else if (truth) fn += weight;
  }
  return { tp, fp, fn };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
