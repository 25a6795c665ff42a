/**
 * The measures of copied texts, by length and by position: what figures of them are drawn from.
 * @module
 */
import type { Estimate } from "../stats/mean.ts";
import type { Tally } from "./outcomes.ts";

/** The measures of some copies. */
export interface CopyMeasures {
  /** Share of exact copies. */
  readonly exact: Estimate;
  /** Share of copies in which the modified word stands. */
  readonly modifiedPresent: Estimate;
  /** Share of copies in which it stands at its place. */
  readonly positionAccuracy: Estimate;
  /** Mean Levenshtein score of the whole outputs, 0..1. */
  readonly levenshtein: Estimate;
  /** The same of outputs cut to the length of the text. */
  readonly levenshteinCut: Estimate;
  /** Mean of the words that are missing (above 0) or too many, as a share of the text's words. */
  readonly wordCountDelta: Estimate;
}

/** Copies of one length, or with the modified word in one part of the text. */
export interface CopyGroup {
  /** Input length in tokens, or number of the tenth of the text, 0 to 9. */
  readonly place: number;
  /** Words of the text, where the group has one length. */
  readonly words: number | null;
  /** Over valid rows. */
  readonly valid: CopyMeasures;
  /** Over all rows: those sent for exact copies, those answered for all else. */
  readonly all: CopyMeasures;
}

/** Where a modified word was put and found, both as shares of the text's words. */
export interface FoundWord {
  /** 0 is the first word of the text, 1 the last. */
  readonly put: number;
  /** The same in the copy, which may be longer than the text. */
  readonly found: number;
  /** Whether the row is valid. */
  readonly valid: boolean;
}

/** A run's copies. */
export interface CopyGroups {
  /** Rows by class. */
  readonly tally: Tally;
  /** By input length, shortest first; also lengths without a row that was sent. */
  readonly lengths: readonly CopyGroup[];
  /** By tenth of the text in which the modified word stands, the first word in the first, the last in the last. */
  readonly tenths: readonly CopyGroup[];
  /** Modified words that were found. */
  readonly found: readonly FoundWord[];
  /** All rows. */
  readonly whole: Omit<CopyGroup, "place" | "words">;
}
