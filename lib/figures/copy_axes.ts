/**
 * The y axes of figures of copies.
 * @module
 */
import type { CopyGroups, CopyMeasures } from "./copy_groups.ts";
import type { ValueAxis } from "./interval_panel.ts";

/** Distances between grid lines. */
const STEPS = [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000, 10_000];

/** From the highest round score that leaves nothing out up to 1. */
export function scoreAxis(groups: CopyGroups): ValueAxis {
  const least = Math.min(
    1,
    ...measuresOf(groups).flatMap(({ levenshtein, levenshteinCut }) => [levenshtein, levenshteinCut])
      .flatMap(({ estimate, low }) => [estimate ?? 1, low ?? 1]),
  );
  const from = [0.96, 0.9, 0.8, 0.6, 0].find((bound) => bound <= least) ?? 0;
  const ticks = Array.from({ length: 5 }, (_, i) => from + (1 - from) * i / 4);
  return {
    title: "Mean score",
    domain: [from, 1],
    ticks,
    format: (value) => String(Number(value.toFixed(3))),
  };
}

/** Grid lines from the least to the greatest share that has to be shown. */
export function deltaAxis(groups: CopyGroups): ValueAxis {
  const values = measuresOf(groups).map(({ wordCountDelta }) => wordCountDelta)
    .flatMap(({ estimate, low, high }) => [estimate ?? 0, low ?? 0, high ?? 0]);
  const most = Math.max(...values), least = Math.min(...values);
  const step = STEPS.find((one) => Math.ceil(most / one) - Math.floor(least / one) <= 8) ?? 10 ** 9;
  const from = Math.min(-1, Math.floor(least / step - 1e-9)),
    to = Math.max(1, Math.ceil(most / step + 1e-9));
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => (from + i) * step);
  return {
    title: "Words missing, of the text",
    domain: [from * step, to * step],
    ticks,
    format: (value) => step >= 1 && value !== 0 ? `${value}x` : `${Number((value * 100).toPrecision(6))}%`,
  };
}

/** The measures of every group, of valid rows and of all. */
function measuresOf({ lengths, tenths }: CopyGroups): CopyMeasures[] {
  return [...lengths, ...tenths].flatMap(({ valid, all }) => [valid, all]);
}
