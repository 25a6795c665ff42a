/**
 * What two backends said of the same items.
 * @module
 */

/** 1 = flagged, 0 = not flagged. */
export type Label = 0 | 1;

/** What one backend said of an item. */
export interface Side {
  /** Its label; null when the answer holds none. */
  readonly label: Label | null;
  /** The label as a table has it, where an unparsed answer is stored as 0. Read only for the statistics named `all`. */
  readonly stored: Label;
  /** Whether the trimmed answer is exactly `0` or `1`; null when not known. */
  readonly strict: boolean | null;
  /** Whether the answer refuses the task; null when not known. */
  readonly refused: boolean | null;
  /** Characters of the answer; null when not known. */
  readonly responseLength: number | null;
  /** Characters of the reasoning; null when not known. */
  readonly reasoningLength: number | null;
}

/** One item as both backends answered it. */
export interface PairRow {
  /** Names the item; unique. */
  readonly item: string;
  /** The first backend's answer. */
  readonly first: Side;
  /** The second backend's answer. */
  readonly second: Side;
  /** How alike the answers are, 0..1; null when not known. */
  readonly responseSimilarity: number | null;
  /** How alike the reasoning is, 0..1; null when not known. */
  readonly reasoningSimilarity: number | null;
  /** The right label; null when not known. */
  readonly truth: Label | null;
}
