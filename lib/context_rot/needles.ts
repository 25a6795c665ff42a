/**
 * Needles: a fact hidden in a haystack, the question about it, and facts that look like it.
 * @module
 */
import { z } from "zod";
import type { Random } from "../base/random.ts";

/** A needle and its question. */
export const needleSchema = z.object({
  /** The sentence that holds the fact; for two hops, the first of the two. */
  needle: z.string().trim().min(1),
  question: z.string().trim().min(1),
  /** What a right answer must say. */
  answer: z.string().trim().min(1),
  /** Other wordings that are as right. */
  accept: z.array(z.string().trim().min(1)).default([]),
  /** Further sentences the answer needs (two hops), each put at a seeded place of its own. */
  hops: z.array(z.string().trim().min(1)).default([]),
  /** Sentences that look like the needle and are not the answer; `answer` is what a misled model would say. */
  distractors: z.array(z.object({ text: z.string().trim().min(1), answer: z.string().trim().min(1) }))
    .default([]),
});
/** A needle and its question, parsed. */
export type Needle = z.output<typeof needleSchema>;

/** The names of the pairs that ship. */
export const NEEDLE_KINDS = ["low-overlap", "high-overlap", "two-hop"] as const;
/** The name of a pair that ships. */
export type NeedleKind = typeof NEEDLE_KINDS[number];

/**
 * A needle of a kind. Without `random` it is the pair that ships under that name; with it, another of its family:
 * another person, another relation, another answer.
 *
 * In `low-overlap` the question shares no word with the needle but the person's name (after NoLiMa, Modarressi et al.
 * 2025: literal overlap makes long-context retrieval look easier than it is). In `high-overlap` the question repeats
 * the needle's words. In `two-hop` the answer needs two sentences that stand apart.
 */
export function makeNeedle(kind: NeedleKind, random?: Random): Needle {
  if (random === undefined) return SHIPPED[kind];
  const name = random.pick(NAMES);
  const other = random.pick(NAMES.filter((n) => n !== name));
  if (kind === "high-overlap") {
    const attribute = random.pick(ATTRIBUTES);
    return fromAttribute(
      attribute,
      name,
      random.shuffle(attribute.values),
      random.shuffle(NAMES.filter((n) => n !== name)),
    );
  }
  if (kind === "two-hop") {
    const [thing, place] = [random.pick(BELONGINGS), random.pick(KEEPING_PLACES)];
    return twoHop(name, other, thing, place);
  }
  const relation = random.pick(RELATIONS);
  return fromRelation(
    relation,
    name,
    random.shuffle(relation.values),
    random.shuffle(NAMES.filter((n) => n !== name)),
    random,
  );
}

/** A way to say a fact without the words of its question. */
export interface Relation {
  /** Needle sentences; `N` is the person, `V` the answer. */
  readonly needles: readonly string[];
  /** Questions whose answer is `V`. */
  readonly questions: readonly string[];
  /** Answers it may have. */
  readonly values: readonly string[];
}

/** Given names used in needles. None of them occurs in the generated prose. */
export const NAMES: readonly string[] = split(`
Odalys Tobin Marta Ilya Priya Casper Noor Elspeth Bruno Yuki Amara Felix Greta Hamid Ines Jonas Keiko Lorenz Mireille
Nadia Oskar Petra Quentin Rosa Stefan Tamar Ulric Vera Wanda Xavier Yara Zoltan Agnes Boris Clara Dmitri Edith Farid
Gwen Hugo Irma Jasper Katya Leopold Mona Nils Olga Pablo Renata Silas Thea Ursula Viktor Willem Ximena Yusuf Zelda
Anton Beatrix Cosmo Delia Emil Fiona Gustav Hanna Ivo Jolene Kasimir Lucia Magnus Nora Otis Paloma Rufus Selma Tariq
Una Vincent Wilma Ada Bjorn Corinna Dario Esther Florian Gideon Helga Ismael Judith Konrad Lena Milan Noelle Orla Piotr
`);

const ANIMALS = split(
  `parrot tortoise donkey ferret goat pigeon rabbit hamster turkey llama pony goose falcon lizard peacock hedgehog
  magpie otter squirrel canary`,
);
const INSTRUMENTS = split(
  `cello flute banjo trumpet harp oboe clarinet mandolin accordion tuba bassoon zither lute bugle organ fiddle
  trombone ukulele bagpipes xylophone`,
);
const CARRIED = split(
  `compass whistle lantern thimble marble acorn magnet ribbon feather pebble torch penknife locket seashell dice
  stopwatch horseshoe ruler coupon bookmark`,
);
const CITIES = split(
  `Lisbon Oslo Prague Dublin Athens Warsaw Vienna Helsinki Madrid Lyon Naples Bergen Zagreb Riga Turin Geneva Seville
  Krakow Porto Utrecht`,
);
const FRUITS = split(
  `quince papaya mango apricot plum fig cherry melon pear lemon banana grape peach raspberry coconut pineapple
  blackberry orange kiwi pomegranate`,
);
const COLOURS = split(
  `violet crimson turquoise amber scarlet olive indigo beige magenta maroon emerald ivory teal purple yellow orange
  silver copper lilac khaki`,
);
const DISHES = split(
  `goulash pancakes risotto dumplings lasagne porridge omelette curry noodles stew paella couscous meatballs ravioli
  chowder pretzels falafel waffles sushi pudding`,
);
const CRAFTS = split(
  `pottery archery fencing juggling knitting calligraphy origami bookbinding embroidery astronomy gliding chess
  falconry woodcarving rowing ballroom glassblowing cartography yodelling snorkelling`,
);

/** Facts whose question uses other words than the needle. */
export const RELATIONS: readonly Relation[] = [
  {
    needles: [
      "N never leaves the house without a V in the left pocket.",
      "N goes nowhere unless there is a V at hand.",
      "N would turn back at once if the V had stayed at home.",
    ],
    questions: ["Which object is always carried by N?", "What does N take along on every trip?"],
    values: CARRIED,
  },
  {
    needles: [
      "N spends every free evening with a V and a stack of sheet music.",
      "N joined the town orchestra thanks to years with the V.",
      "N keeps the neighbours awake with a V.",
    ],
    questions: ["Which instrument is played by N?", "What can N be heard playing?"],
    values: INSTRUMENTS,
  },
  {
    needles: [
      "N wakes at dawn to feed the V behind the shed.",
      "N shares a small flat with a rather noisy V.",
      "N built a warm shelter for an elderly V.",
    ],
    questions: ["Which animal belongs to N?", "What kind of pet is owned by N?"],
    values: ANIMALS,
  },
  {
    needles: [
      "N grew up within sight of the cathedral of V.",
      "N still speaks with the accent of V.",
      "N went to school in V until the age of twelve.",
    ],
    questions: ["From which city does N come?", "Where was N as a child?"],
    values: CITIES,
  },
  {
    needles: [
      "N cannot walk past a market stall that sells V without stopping.",
      "N would trade any dessert for a ripe V.",
      "N ends each meal with a slice of V.",
    ],
    questions: ["Which fruit does N like best?", "What fruit is loved by N?"],
    values: FRUITS,
  },
  {
    needles: [
      "N had the front door and both bicycles done in V.",
      "N wears V from head to toe.",
      "N asked the decorators for nothing but V.",
    ],
    questions: ["Which colour is preferred by N?", "What colour does N like?"],
    values: COLOURS,
  },
  {
    needles: [
      "N serves V to everyone who comes for dinner.",
      "N inherited a recipe for V from a great aunt.",
      "N won the village fair with a pot of V.",
    ],
    questions: ["Which dish is cooked by N?", "What is N known to make in the kitchen?"],
    values: DISHES,
  },
  {
    needles: [
      "N signed up for a weekly course in V at the community centre.",
      "N gave up television and took to V.",
      "N talks about little else than V these days.",
    ],
    questions: ["Which hobby has been chosen by N?", "What pastime does N enjoy?"],
    values: CRAFTS,
  },
];

/** A property whose needle and question use the same words. */
export interface Attribute {
  /** The property, as needle and question say it. */
  readonly name: string;
  /** Answers it may have. */
  readonly values: readonly string[];
}

/** Facts whose question repeats the needle's words. */
export const ATTRIBUTES: readonly Attribute[] = [
  { name: "favourite fruit", values: FRUITS },
  { name: "lucky charm", values: CARRIED },
  { name: "home town", values: CITIES },
  { name: "favourite colour", values: COLOURS },
  { name: "instrument", values: INSTRUMENTS },
  { name: "best dish", values: DISHES },
  { name: "pet animal", values: ANIMALS },
  { name: "weekend hobby", values: CRAFTS },
];

const BELONGINGS = split(
  `umbrella telescope bicycle suitcase typewriter wheelbarrow hammock sleigh kayak gramophone`,
);
const KEEPING_PLACES = split(`boathouse cellar greenhouse stable garage pantry tower barn cabin loft`);

const SHIPPED: Readonly<Record<NeedleKind, Needle>> = {
  "low-overlap": fromRelation(RELATIONS[0] as Relation, "Odalys", [
    "compass",
    "whistle",
    "magnet",
    "torch",
    "pebble",
  ], [
    "Tobin",
    "Marta",
  ]),
  "high-overlap": fromAttribute(ATTRIBUTES[0] as Attribute, "Odalys", [
    "quince",
    "papaya",
    "cherry",
    "melon",
    "fig",
  ], [
    "Tobin",
    "Marta",
  ]),
  "two-hop": twoHop("Odalys", "Tobin", "umbrella", "boathouse"),
};

/** Writes a relation's sentences for a person; the first value is the answer, the next ones belong to distractors. */
export function fromRelation(
  relation: Relation,
  name: string,
  values: readonly string[],
  others: readonly string[],
  random?: Random,
): Needle {
  const say = (texts: readonly string[], n: string, v: string, i = 0) =>
    fill(random ? random.pick(texts) : texts[i] as string, n, v);
  const [value, v1, v2, v3, v4] = values as [string, string, string, string, string];
  const [o1, o2] = others as [string, string];
  return {
    needle: say(relation.needles, name, value),
    question: say(relation.questions, name, value),
    answer: value,
    accept: [],
    hops: [],
    distractors: [
      { text: say(relation.needles, o1, v1, 1), answer: v1 },
      { text: `The uncle of ${name} owned ${article(v2)} and never used it.`, answer: v2 },
      { text: say(relation.needles, o2, v3, 2), answer: v3 },
      { text: `Years ago there was talk of ${article(v4)} for ${name}, but nothing came of it.`, answer: v4 },
    ],
  };
}

function fromAttribute(
  attribute: Attribute,
  name: string,
  values: readonly string[],
  others: readonly string[],
): Needle {
  const [value, v1, v2, v3, v4] = values as [string, string, string, string, string];
  const [o1, o2] = others as [string, string];
  const { name: property } = attribute;
  return {
    needle: `The ${property} of ${name} is ${value}.`,
    question: `What is the ${property} of ${name}?`,
    answer: value,
    accept: [],
    hops: [],
    distractors: [
      { text: `The ${property} of ${o1} is ${v1}.`, answer: v1 },
      { text: `The former ${property} of ${name} was ${v2}.`, answer: v2 },
      { text: `The ${property} of ${o2} is ${v3}.`, answer: v3 },
      { text: `People once thought that the ${property} of ${name} was ${v4}, which was wrong.`, answer: v4 },
    ],
  };
}

function twoHop(name: string, other: string, thing: string, place: string): Needle {
  return {
    needle: `${name} lent the ${thing} to ${other}.`,
    hops: [`${other} keeps everything borrowed in the ${place}.`],
    question: `Where is the ${thing} of ${name} now?`,
    answer: place,
    accept: [],
    distractors: KEEPING_PLACES.filter((p) => p !== place).slice(0, 4).map((p, i) => ({
      text: `${NAMES.filter((n) => n !== name && n !== other)[i]} keeps everything borrowed in the ${p}.`,
      answer: p,
    })),
  };
}

function fill(template: string, name: string, value: string): string {
  return template.replaceAll(/\bN\b/g, () => name).replaceAll(/\ba V\b/g, () => article(value)).replaceAll(
    /\bV\b/g,
    () => value,
  );
}

function article(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function split(text: string): string[] {
  return text.trim().split(/\s+/);
}
