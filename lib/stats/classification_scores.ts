/**
 * Precision, recall and F1 of a classifier of two classes.
 * @module
 */
import type { Random } from "../base/random.ts";
import { bootstrap } from "./bootstrap.ts";
import { specificAgreement } from "./specific_agreement.ts";
import { type Interval, wilson } from "./wilson.ts";

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
 *
 * Where all resamples give the same (a classifier without a mistake) the bootstrap knows nothing of mistakes not seen:
 * the interval is then Wilson's, for F1 that of the positive agreement, which it is.
 */
export function classificationScores(
  items: readonly ScoredLabel[],
  options: { readonly random: Random; readonly resamples?: number; readonly confidence?: number },
): ClassificationScores {
  const labelled = items.filter((item): item is Weighed => item.label !== null);
  const count = (truth: boolean, label: boolean) =>
    labelled.filter((item) => item.truth === truth && item.label === label).length;
  const [tp, fp, fn] = [count(true, true), count(false, true), count(true, false)];
  const score = (value: (cells: Cells) => number | null, plain: () => Interval): Score => {
    const estimate = value(cellsOf(labelled));
    if (estimate === null) return { estimate, low: 0, high: 1 };
    const drawn = bootstrap(labelled, (sample) => value(cellsOf(sample)) ?? 0, options);
    const { low, high } = drawn.low === drawn.high ? plain() : drawn;
    return { estimate, low, high };
  };
  return {
    n: labelled.length,
    unlabelled: items.length - labelled.length,
    truePositive: tp,
    falsePositive: fp,
    falseNegative: fn,
    trueNegative: count(false, false),
    precision: score((cells) => share(cells.tp, cells.tp + cells.fp), () => wilson(tp, tp + fp, options)),
    recall: score((cells) => share(cells.tp, cells.tp + cells.fn), () => wilson(tp, tp + fn, options)),
    f1: score(
      (cells) => share(2 * cells.tp, 2 * cells.tp + cells.fp + cells.fn),
      () => specificAgreement(tp, fp + fn, options),
    ),
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
