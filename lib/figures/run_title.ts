/**
 * What every figure of a run says above its panels.
 * @module
 */
import type { Caption } from "./frame.ts";
import { formatAccuracy, MARKED, OUTCOMES, type Tally } from "./outcomes.ts";
import { formatPercent } from "./theme.ts";

/** What a title says beside the counts. */
export interface RunTitleOptions {
  /** Name of the variant that was measured. */
  readonly variant: string;
  /** Further lines: haystack, needle, judge. */
  readonly notes?: readonly string[];
  /** Whether the answers are simulated: said in the title. */
  readonly simulated?: boolean;
  /** Whether the rows are from another program: said in the title. */
  readonly imported?: boolean;
}

/** Above this share of invalid rows a figure says so in its title. */
const INVALID_LIMIT = 0.05;

/** `Needle in a haystack, pocket: 12.5% of rows invalid`. */
export function runTitle(title: string, all: Tally, options: RunTitleOptions): string {
  const simulated = options.simulated ? " (SIMULATED answers)" : "";
  const invalid = all.invalidShare > INVALID_LIMIT
    ? `: ${formatPercent(all.invalidShare)} of rows invalid`
    : "";
  const imported = options.imported ? " (imported)" : "";
  return `${title}, ${options.variant}${simulated}${imported}${invalid}`;
}

/** The accuracies, a warning where many rows are invalid, and the notes. */
export function runCaptions(all: Tally, options: RunTitleOptions): Caption[] {
  const captions: Caption[] = [{ text: `All rows sent: ${formatAccuracy(all.raw)}` }];
  if (all.invalidShare > 0) captions.push({ text: `Valid rows only: ${formatAccuracy(all.valid)}` });
  return [...captions, ...invalidCaption(all), ...(options.notes ?? []).map((text) => ({ text }))];
}

/** A warning with the invalid classes, where there are many such rows. */
export function invalidCaption(all: Tally): Caption[] {
  if (all.invalidShare <= INVALID_LIMIT) return [];
  const classes = MARKED.filter((name) => !OUTCOMES[name].valid && all.counts.has(name))
    .map((name) => `${all.counts.get(name)?.toLocaleString("en-US")} ${OUTCOMES[name].label}`);
  return [{ text: `Invalid rows are no evidence of context rot: ${classes.join(", ")}.`, warning: true }];
}
