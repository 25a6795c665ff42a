/**
 * What a copy of repeated words got right.
 * @module
 */
import { levenshtein, levenshteinPrefixes } from "../base/levenshtein.ts";
import { findLoop, isRepetitive } from "../runs/degenerate.ts";
import { isRefusal } from "../runs/match.ts";
import { type CopySpec, goldText } from "./repeated_words_prompt.ts";
import {
  formatRuns,
  pairWordReader,
  parseUnits,
  type Unit,
  unitRuns,
  wordsOf,
} from "./repeated_words_units.ts";

/** Changes whenever a metric does, so that numbers that were kept are not mixed with new ones. */
export const COPY_METRICS_VERSION = 1;

/** The measures of a copy. The text to be copied is called the gold. */
export interface CopyMetrics {
  /** Whether the copy is the gold, but for white space around it. */
  readonly exact: boolean;
  /** `1 - distance / longer length` of gold and copy, in UTF-16 code units: 0 for nothing, 1 for the gold. */
  readonly levenshteinScore: number;
  /** The same of the copy without white space around it, cut to the gold's length: a loop to the cap costs nothing here. */
  readonly levenshteinScoreCut: number;
  /** How often the modified word stands in the copy, as a whole word. */
  readonly modifiedCount: number;
  /** Words and phrases before the first modified word, less those of the gold; null where it is missing. */
  readonly positionOffset: number | null;
  /** Words of the gold less words of the copy, split at white space. */
  readonly wordCountDelta: number;
  /** Words of the copy that belong to neither word of the pair. */
  readonly foreignWords: number;
  /** The first few different ones of them. */
  readonly foreignSample: string;
  /** Whether the foreign words refuse the task. */
  readonly refuses: boolean;
  /** What the copy goes round and round at its end, or null. The gold itself does so, and most copies. */
  readonly circles: string | null;
  /** Whether what it goes round is not made of the pair's words. */
  readonly circlesElsewhere: boolean;
  /** `apple x499, apples x1, apple x500 -> apple x612`. */
  readonly runs: string;
}

const SAMPLE_WORDS = 8;
const SAMPLE_CHARACTERS = 120;
/** Foreign words that are looked at for a refusal. */
const REFUSAL_WORDS = 300;

/** Measures a copy; a copy of nothing scores 0 everywhere. Distances as {@linkcode levenshtein} counts them. */
export function measureCopy(spec: CopySpec & { readonly position: number }, output: string): CopyMetrics {
  const gold = goldText(spec);
  const trimmed = output.trim();
  const units = parseUnits(trimmed, spec.pair);
  const foreign = units.filter(({ kind }) => kind === "foreign").map(({ text }) => text);
  const at = units.findIndex(({ kind }) => kind === "modified");
  const [distance, cutDistance] = distances(gold, output, trimmed);
  return {
    exact: trimmed === gold,
    levenshteinScore: 1 - distance / Math.max(gold.length, output.length),
    levenshteinScoreCut: 1 - cutDistance / gold.length,
    modifiedCount: units.filter(({ kind }) => kind === "modified").length,
    positionOffset: at < 0 ? null : at - spec.position,
    wordCountDelta: wordsOf(gold).length - wordsOf(trimmed).length,
    foreignWords: foreign.length,
    foreignSample: [...new Set(foreign.slice(0, 1000))].slice(0, SAMPLE_WORDS).join(" ").slice(
      0,
      SAMPLE_CHARACTERS,
    )
      .toWellFormed(),
    refuses: isRefusal(foreign.slice(0, REFUSAL_WORDS).join(" ")),
    ...circling(trimmed, units, spec),
    runs: `${formatRuns(unitRuns(parseUnits(gold, spec.pair)))} -> ${formatRuns(unitRuns(units))}`,
  };
}

/** Distances of the gold to the whole output, and to its text cut to the gold's length. */
function distances(gold: string, output: string, trimmed: string): [number, number] {
  const cut = Math.min(trimmed.length, gold.length);
  if (!output.startsWith(trimmed)) {
    return [levenshtein(gold, output), levenshtein(gold, trimmed.slice(0, cut))];
  }
  return levenshteinPrefixes(gold, output, [output.length, cut]) as [number, number];
}

/** What the end of a copy goes round, which need not begin where a word does. */
function circling(
  text: string,
  units: readonly Unit[],
  spec: CopySpec,
): Pick<CopyMetrics, "circles" | "circlesElsewhere"> {
  const loop = findLoop(text);
  if (loop === null) {
    if (!isRepetitive(text)) return { circles: null, circlesElsewhere: false };
    const foreign = units.filter(({ kind }) => kind === "foreign").length;
    return { circles: "the same few words", circlesElsewhere: foreign > units.length / 2 };
  }
  const read = pairWordReader(spec.pair);
  const whole = wordsOf(loop.unit.repeat(3)).slice(1, -1);
  const shown = loop.unit.length > 40 ? `${loop.unit.slice(0, 40).toWellFormed()}...` : loop.unit;
  return {
    circles: `${JSON.stringify(shown)} ${Math.floor(loop.repeats)} times or more`,
    circlesElsewhere: whole.length === 0 || whole.some((word) => read(word) === null),
  };
}
