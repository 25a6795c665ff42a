/**
 * Measures of copies, by length and by position of the modified word.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import type { CopyGroup, CopyGroups, CopyMeasures, FoundWord } from "../figures/copy_groups.ts";
import { type FigureRow, tally } from "../figures/outcomes.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { type Estimate, meanEstimate } from "../stats/mean.ts";
import { wilson } from "../stats/wilson.ts";
import { isValid } from "./audit.ts";
import { wordsOf } from "./repeated_words_units.ts";

/** Parts of the text that positions are counted in. */
const TENTHS = 10;

/** A graded row as reports and figures read it. */
export interface CopyRow extends FigureRow {
  /** Words of the text; a phrase counts as one. */
  readonly words: number;
  /** Place of the modified word, 0 first to 1 last. */
  readonly position: number;
  /** What was measured of an answer; null without one. */
  readonly measures: {
    readonly modifiedPresent: boolean;
    readonly positionAccuracy: boolean;
    readonly positionOffset: number | null;
    readonly levenshtein: number;
    readonly levenshteinCut: number;
    readonly wordCountDelta: number;
  } | null;
}

/** Reads a graded row. Rows that were not reached have neither a class nor a skip. */
export function copyRow({ row, attempt, grade }: GradedRow): CopyRow {
  const { word_count, relative_position, base_word, modified_word } = row.params;
  const words = Number(word_count);
  const extra = grade?.extra ?? {};
  const offset = extra["position_offset"];
  const goldWords = (words - 1) * wordsOf(String(base_word)).length + wordsOf(String(modified_word)).length;
  return {
    length: (row as GradedRow["row"] & { readonly length?: number }).length ?? row.tokens,
    words,
    position: Number(relative_position),
    skip: row.skip,
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
    measures: grade === null || attempt?.status !== "done" ? null : {
      modifiedPresent: extra["modified_word_present"] === true,
      positionAccuracy: extra["position_accuracy"] === true,
      positionOffset: typeof offset === "number" ? offset : null,
      levenshtein: Number(extra["levenshtein_score"]),
      levenshteinCut: Number(extra["levenshtein_score_cut"]),
      wordCountDelta: Number(extra["word_count_delta"]) / goldWords,
    },
  };
}

/** The tenth of the text in which a position lies, 0 to 9: the last word lies in the last. */
export function tenthOf(position: number): number {
  return Math.min(TENTHS - 1, Math.floor(position * TENTHS + 1e-9));
}

/** Groups rows and measures each group, with 95% intervals: Wilson of shares, bootstrap of means. */
export function copyGroups(rows: readonly CopyRow[], options: { readonly seed: number }): CopyGroups {
  const random = createRandom(`copies/${options.seed}`);
  const group = (place: number, words: number | null, members: readonly CopyRow[]): CopyGroup => ({
    place,
    words,
    ...measuresOf(members, random.fork(`${place}/${words}`)),
  });
  const byLength = [...Map.groupBy(rows, (row) => row.length)].sort(([a], [b]) => a - b);
  const byTenth = Map.groupBy(rows, (row) => tenthOf(row.position));
  return {
    tally: tally(rows),
    lengths: byLength.map(([length, members]) => group(length, members[0]?.words ?? null, members)),
    tenths: Array.from({ length: TENTHS }, (_, tenth) => group(tenth, null, byTenth.get(tenth) ?? [])),
    found: rows.flatMap(foundWord),
    whole: measuresOf(rows, random.fork("whole")),
  };
}

function measuresOf(rows: readonly CopyRow[], random: Random): Pick<CopyGroup, "valid" | "all"> {
  const valid = rows.filter(({ validity }) => validity !== null && isValid(validity));
  const { raw } = tally(rows);
  const all = measured(rows, random.fork("all"));
  return { valid: measured(valid, random.fork("valid")), all: { ...all, exact: estimateOf(raw) } };
}

function measured(rows: readonly CopyRow[], random: Random): CopyMeasures {
  const answered = rows.flatMap(({ measures }) => measures ?? []);
  const exact = rows.filter(({ measures, correct }) => measures !== null && correct === true).length;
  const share = (of: "modifiedPresent" | "positionAccuracy") =>
    estimateOf(wilson(answered.filter((measures) => measures[of]).length, answered.length));
  const mean = (of: "levenshtein" | "levenshteinCut" | "wordCountDelta") =>
    meanEstimate(answered.map((measures) => measures[of]), { random: random.fork(of), resamples: 1000 });
  return {
    exact: estimateOf(wilson(exact, answered.length)),
    modifiedPresent: share("modifiedPresent"),
    positionAccuracy: share("positionAccuracy"),
    levenshtein: mean("levenshtein"),
    levenshteinCut: mean("levenshteinCut"),
    wordCountDelta: mean("wordCountDelta"),
  };
}

/** Without rows there is no interval either. */
function estimateOf({ n, estimate, low, high }: ReturnType<typeof wilson>): Estimate {
  return n === 0 ? { n, estimate: null, low: null, high: null } : { n, estimate, low, high };
}

function foundWord({ words, position, validity, measures }: CopyRow): FoundWord[] {
  if (measures === null || measures.positionOffset === null || validity === null) return [];
  const last = Math.max(1, words - 1);
  return [{ put: position, found: position + measures.positionOffset / last, valid: isValid(validity) }];
}
