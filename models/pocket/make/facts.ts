/**
 * Made-up facts about made-up people: what the model learns to find again.
 * @module
 */
import { createRandom, type Random } from "../../../lib/base/random.ts";
import { ATTRIBUTES, fromRelation, NAMES, RELATIONS } from "../../../lib/context_rot/needles.ts";
import { proseSentence } from "../../../lib/context_rot/prose.ts";
import { capital, madeUpName, madeUpWord } from "./filler.ts";

/** Names that no training text holds, so that the pairs that ship are new to the model. */
const HELD_OUT = new Set(["Odalys", "Tobin", "Marta", "Zelda", "Caspar", "Orla", "Piotr", "Noelle"]);
/** The names that training texts may hold. */
export const TRAINED_NAMES: readonly string[] = NAMES.filter((name) => !HELD_OUT.has(name));

/** A fact. */
export interface Fact {
  /** The sentence. */
  readonly text: string;
  /** What is asked about it. */
  readonly question: string;
  /** The sentence from the person's name on: what a reader would quote. */
  readonly reply: string;
}

/** A name: of the list, or made up, of a vocabulary's pieces where these are given; some have a second name. */
export function person(random: Random, pieces?: readonly string[]): string {
  if (random.next() < 0.55) return random.pick(TRAINED_NAMES);
  const name = madeUpName(random, pieces);
  return pieces !== undefined && random.next() < 0.15 ? `${name} ${madeUpName(random, pieces)}` : name;
}

function value(values: readonly string[], random: Random, pieces?: readonly string[]): string {
  return random.next() < 0.65
    ? random.pick(values)
    : random.next() < 0.8
    ? madeUpWord(random)
    : madeUpName(random, pieces);
}

/** A fact about a person: paraphrased, in the question's own words, or of made-up words. */
export function fact(name: string, random: Random, pieces?: readonly string[]): Fact {
  const roll = random.next();
  if (roll < 0.5) {
    const relation = random.pick(RELATIONS);
    const values = [value(relation.values, random, pieces), ...random.shuffle(relation.values)];
    const { needle, question } = fromRelation(relation, name, values, ["Anna", "Paul"], random);
    return { text: needle, question, reply: needle };
  }
  if (roll < 0.75) {
    const known = random.pick(ATTRIBUTES);
    const property = random.next() < 0.6 ? known.name : `${madeUpWord(random)} ${madeUpWord(random)}`;
    const owner = random.next() < 0.8 ? name : `the ${madeUpWord(random)} ${name}`;
    const text = `The ${property} of ${owner} is ${value(known.values, random, pieces)}.`;
    return { text, question: `What is the ${property} of ${owner}?`, reply: text };
  }
  const words = () => Array.from({ length: 2 + random.int(5) }, () => wordOf(random)).join(" ");
  const reply = `${name} ${words()} ${value(random.pick(ATTRIBUTES).values, random, pieces)}${
    random.next() < 0.5 ? ` ${words()}` : ""
  }.`;
  const question = random.pick([
    `What is said about ${name}?`,
    `What is known of ${name}?`,
    `What does ${name} do?`,
  ]);
  return { text: random.next() < 0.7 ? reply : `${capital(words())} ${reply}`, question, reply };
}

/** A made-up word, or one of the prose. */
export const wordOf = (random: Random) => random.next() < 0.5 ? madeUpWord(random) : random.pick(PROSE_WORDS);
const PROSE_WORDS = (() => {
  const random = createRandom("words");
  const seen = new Set<string>();
  for (let i = 0; i < 400; i++) for (const w of proseSentence(random).match(/[a-z]+/g) ?? []) seen.add(w);
  return [...seen];
})();
