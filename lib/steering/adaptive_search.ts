/**
 * The search for how hard to steer: up while the answers stay coherent, down when they break.
 * @module
 */

/** A strength that was tried. */
export interface SearchStep {
  /** Strength: the steering's length relative to the activations it is added to. */
  readonly ratio: number;
  /** Whether the answers were coherent. */
  readonly coherent: boolean;
}

/** How the strength moves. */
export interface AdaptiveSearch {
  /** The first strength. */
  readonly start: number;
  /** Factor after coherent answers. */
  readonly up: number;
  /** Factor after broken ones. */
  readonly down: number;
  /** How many strengths are tried. */
  readonly steps: number;
}

/** The search of the anchors: 0.7, times 1.3 while coherent, times 0.85 otherwise, 8 steps. */
export const ADAPTIVE_SEARCH: AdaptiveSearch = { start: 0.7, up: 1.3, down: 0.85, steps: 8 };

/** The strength to try after the steps so far, to 4 significant digits; null when the search is over. */
export function nextRatio(steps: readonly SearchStep[], search: AdaptiveSearch): number | null {
  const last = steps.at(-1);
  if (steps.length >= search.steps) return null;
  const ratio = last === undefined ? search.start : last.ratio * (last.coherent ? search.up : search.down);
  return Number(ratio.toPrecision(4));
}
