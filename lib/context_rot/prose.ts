/**
 * Plain prose of any length that never says the same sentence twice: the haystack that ships.
 * @module
 */
import { createRandom, type Random } from "../base/random.ts";
import * as w from "./prose_words.ts";

/** Settings of {@linkcode proseParagraphs}. */
export interface ProseOptions {
  /** The same seed gives the same prose. */
  readonly seed: number | string;
}

/**
 * Endless seeded paragraphs of four to seven plain English sentences. No sentence occurs twice in a stream, however
 * much of it is read, and no proper names occur, so that a needle about a named person stands alone.
 *
 * @example
 * ```ts
 * import { proseParagraphs } from "./prose.ts";
 * const [first] = proseParagraphs({ seed: 1 });
 * console.log(first);
 * ```
 */
export function* proseParagraphs(options: ProseOptions): Generator<string, never> {
  const random = createRandom(`prose/${options.seed}`);
  const said = new Set<string>();
  while (true) {
    const sentences: string[] = [];
    for (let n = 4 + random.int(4); n > 0; n--) sentences.push(freshSentence(random, said));
    yield sentences.join(" ");
  }
}

/**
 * At least `chars` characters of prose, whole paragraphs with a blank line between them. Longer texts of the same
 * seed begin with the shorter ones.
 */
export function prose(chars: number, options: ProseOptions): string {
  const paragraphs: string[] = [];
  let length = 0;
  for (const paragraph of proseParagraphs(options)) {
    paragraphs.push(paragraph);
    length += paragraph.length + 2;
    if (length >= chars) break;
  }
  return paragraphs.join("\n\n");
}

function freshSentence(random: Random, said: Set<string>): string {
  while (true) {
    const sentence = proseSentence(random);
    if (said.has(sentence)) continue;
    said.add(sentence);
    return sentence;
  }
}

/** One sentence drawn from the generator's grammar. */
export function proseSentence(random: Random): string {
  const text = random.pick(PATTERNS)(random).replace(/\b([Aa]) (?=[aeiou])/g, "$1n ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const person = (r: Random) =>
  r.next() < 0.5 ? `the ${r.pick(w.PEOPLE)}` : `the ${r.pick(w.TRAITS)} ${r.pick(w.PEOPLE)}`;
const someone = (r: Random) => r.next() < 0.5 ? person(r) : `a ${r.pick(w.TRAITS)} ${r.pick(w.PEOPLE)}`;
const thing = (r: Random) =>
  `${r.pick(["the", "a", "that", "another"])} ${r.pick(w.QUALITIES)} ${r.pick(w.THINGS)}`;
const many = (r: Random) => `${r.pick(w.AMOUNTS)} ${r.pick(w.PLURALS)}`;
const clause = (r: Random): string =>
  r.pick([
    () => `${person(r)} ${r.pick(w.DID)} ${thing(r)}`,
    () => `${person(r)} ${r.pick(w.WENT)} ${r.pick(w.PLACES)}`,
    () => `${r.pick(w.IDEAS)} ${r.pick(w.EFFECTS)}`,
  ])();

const PATTERNS: readonly ((r: Random) => string)[] = [
  (r) => `${clause(r)}.`,
  (r) => `${r.pick(w.TIMES)}, ${person(r)} ${r.pick(w.DID)} ${thing(r)} near ${r.pick(w.PLACES)}.`,
  (r) => `${r.pick(w.TIMES)}, ${someone(r)} ${r.pick(w.WENT)} ${r.pick(w.PLACES)} ${r.pick(w.REASONS)}.`,
  (r) => `${person(r)} ${r.pick(w.THOUGHT)} that ${clause(r)}.`,
  (r) => `${r.pick(w.LINKS)}, ${clause(r)}, and ${clause(r)}.`,
  (r) =>
    `${person(r)} ${r.pick(w.DID)} ${thing(r)}, ${r.pick(w.DID)} ${thing(r)}, and ${r.pick(w.WENT)} ${
      r.pick(w.PLACES)
    }.`,
  (r) => `${r.pick(w.IDEAS)} ${r.pick(w.EFFECTS)}, and ${r.pick(w.IDEAS)} ${r.pick(w.EFFECTS)}.`,
  (r) => `Near ${r.pick(w.PLACES)} there were ${many(r)} and ${thing(r)}.`,
  (r) => `${someone(r)} asked about ${many(r)}, but ${person(r)} ${r.pick(w.THOUGHT)} that ${clause(r)}.`,
  (r) => `Nobody at ${r.pick(w.PLACES)} ${r.pick(w.DID)} ${thing(r)} ${r.pick(w.REASONS)}.`,
  (r) => `If ${r.pick(w.IDEAS)} ${r.pick(w.EFFECTS)}, then ${r.pick(w.IDEAS)} ${r.pick(w.EFFECTS)}.`,
  (r) => `It took ${many(r)} and ${r.pick(w.AMOUNTS)} days before ${clause(r)}.`,
  (r) =>
    `"${clause(r)}," said ${person(r)}, "and ${clause(r)}."`.replace(
      /^"(.)/,
      (_, c) => `"${c.toUpperCase()}`,
    ),
  (r) => `Why did ${person(r)} leave ${thing(r)} in ${r.pick(w.PLACES)}?`,
  (r) => `${r.pick(w.LINKS)}, ${person(r)} ${r.pick(w.DID)} ${many(r)} ${r.pick(w.REASONS)}.`,
];
