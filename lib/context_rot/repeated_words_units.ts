/**
 * A copy of repeated words, read word by word.
 * @module
 */

/** A word or phrase of a copy. */
export interface Unit {
  /** The repeated one, the one that stands once, or a word that is neither. */
  readonly kind: "base" | "modified" | "foreign";
  /** As it is written in the pair; a foreign word as it stands in the copy. */
  readonly text: string;
}

/** What {@linkcode parseUnits} looks for. */
export interface UnitWords {
  /** What is repeated. */
  readonly base: string;
  /** What stands once among it. */
  readonly modified: string;
}

/** The words of a text: what stands between white space. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/**
 * What tells the words of a pair from others: gives a word as it is written in the pair, or null for one that is in
 * neither phrase. Only whole words count (`apple` is not in `apples`, nor `golden` in `Golden`), with or without
 * punctuation around them.
 */
export function pairWordReader(pair: UnitWords): (word: string) => string | null {
  const known = new Set([...wordsOf(pair.base), ...wordsOf(pair.modified)]);
  const read = new Map<string, string | null>();
  return (word) => {
    let found = read.get(word);
    if (found === undefined) {
      const core = known.has(word) ? word : word.replaceAll(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, "");
      found = known.has(core) ? core : null;
      read.set(word, found);
    }
    return found;
  };
}

/**
 * Reads a text as units. A phrase counts when all its words follow one another; where both phrases could begin, the
 * longer one is taken. Every word that belongs to no phrase is a foreign unit, as it stands.
 */
export function parseUnits(text: string, pair: UnitWords): Unit[] {
  const phrases = (["modified", "base"] as const)
    .map((kind) => ({ kind, text: pair[kind], words: wordsOf(pair[kind]) }))
    .sort((a, b) => b.words.length - a.words.length);
  const read = pairWordReader(pair);
  const words = wordsOf(text).map((word) => read(word) ?? word);
  const units: Unit[] = [];
  for (let at = 0; at < words.length;) {
    const phrase = phrases.find((candidate) => candidate.words.every((word, i) => words[at + i] === word));
    units.push(phrase ?? { kind: "foreign", text: words[at] as string });
    at += phrase?.words.length ?? 1;
  }
  return units;
}

/** A unit that stands several times in a row. */
export interface UnitRun {
  /** The unit. */
  readonly text: string;
  /** How often. */
  readonly n: number;
}

/** Neighbouring equal units, counted. */
export function unitRuns(units: readonly Unit[]): UnitRun[] {
  const runs: { text: string; n: number }[] = [];
  for (const { text } of units) {
    const last = runs.at(-1);
    if (last?.text === text) last.n++;
    else runs.push({ text, n: 1 });
  }
  return runs;
}

/** Runs that are written out; of more, the first and the last. */
const MOST_RUNS = 8;
const MOST_CHARACTERS = 40;

/** `apple x499, apples x1, apple x500`; `(nothing)` without runs; of many runs, the first and the last. */
export function formatRuns(runs: readonly UnitRun[]): string {
  const say = ({ text, n }: UnitRun) =>
    `${text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS).toWellFormed()}...` : text} x${n}`;
  if (runs.length === 0) return "(nothing)";
  if (runs.length <= MOST_RUNS) return runs.map(say).join(", ");
  const half = MOST_RUNS / 2;
  return [
    ...runs.slice(0, half).map(say),
    `... ${runs.length - MOST_RUNS} more runs ...`,
    ...runs.slice(-half).map(say),
  ].join(", ");
}
