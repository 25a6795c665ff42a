/**
 * Questions of our own for steering: a short note that says why something is as it is, and the question why. Whoever
 * reads the note can answer, so that a small model can, and answers can be checked.
 * @module
 */
import type { Random } from "../base/random.ts";

/**
 * Which questions are drawn: `shipped` questions are asked, `training` questions may be learned from. No question of
 * one has the facts of a question of the other.
 */
export type QuestionSpace = "shipped" | "training";

/** A question. */
export interface SampleQuestion {
  /** Its facts, in words: equal ids are equal questions. */
  readonly id: string;
  /** The note, and what is asked. */
  readonly question: string;
  /** What it is about: `the lamp`. */
  readonly thing: string;
  /** How it is: `wet`. */
  readonly state: string;
  /** What was the case before, as a clause. */
  readonly before: string;
  /** The answer, as a clause: `the rain came in at the window`. */
  readonly cause: string;
  /** What the note says besides, as a clause; it answers nothing. */
  readonly aside: string;
}

const PEOPLE = [
  ...["baker", "gardener", "teacher", "doctor", "farmer", "painter", "sailor", "singer", "driver", "cook"],
  ...["boy", "girl", "neighbour", "guest", "postman", "nurse", "tailor", "student", "uncle", "cousin"],
];
const THINGS = [
  ...[
    "lamp",
    "chair",
    "table",
    "basket",
    "blanket",
    "book",
    "box",
    "bag",
    "coat",
    "hat",
    "map",
    "letter",
    "clock",
  ],
  ...[
    "cup",
    "plate",
    "bowl",
    "bottle",
    "bench",
    "carpet",
    "door",
    "drawer",
    "fence",
    "kite",
    "ladder",
    "mirror",
  ],
  ...["pillow", "rope", "shelf", "shoe", "tent", "towel", "wagon", "window", "drum", "jar", "kettle"],
];
const PLACES = [
  ...[
    "in the kitchen",
    "in the garden",
    "in the hall",
    "on the porch",
    "in the shed",
    "by the river",
    "at the school",
  ],
  ...["in the barn", "on the roof", "in the market", "by the stove", "under the tree"],
];
const STATES: Readonly<Record<string, readonly string[]>> = {
  wet: ["the rain came in at night", "the {person} spilled the water", "the pipe above it leaked"],
  warm: ["the sun shone on it all day", "the {person} lit the fire next to it", "the stove was left on"],
  cold: ["the wind blew on it all night", "the {person} let the fire go out", "the snow lay on it"],
  broken: ["the cat pushed it down", "the {person} dropped it", "the {person} stepped on it"],
  clean: ["the {person} washed it", "the {person} wiped it with a cloth", "the rain rinsed it"],
  dusty: ["nobody used it all year", "the {person} swept the floor beside it", "the road ran past it"],
  red: ["the {person} painted it", "the berries stained it", "the {person} spilled the ink on it"],
  missing: ["the {person} took it home", "the {person} lent it to a friend", "the dog carried it off"],
  heavy: ["the {person} filled it with stones", "the mud stuck to it", "the {person} tied a weight to it"],
  safe: ["the {person} locked it away", "the {person} watched over it", "the wall kept the wind off it"],
  loud: ["the {person} hung a bell on it", "the wind shook it", "the {person} knocked on it"],
  new: ["the {person} bought it today", "the {person} mended it", "the {person} made it this week"],
};
const BEFORE = ["the {person} left the {thing} {place}", "the {person} put the {thing} {place}"];
const BEFORE_MORE = ["the {thing} stood {place}", "the {person} saw the {thing} {place}"];
const ASIDE = [
  ...[
    "the {person} went to the market",
    "the {person} sang a song",
    "the {person} ate a pear",
    "the bells rang",
  ],
  ...[
    "the {person} fed the hens",
    "the clouds were grey",
    "the {person} wrote a note",
    "the birds were loud",
  ],
];
const NOTES = [
  "{Before}. {Aside}. Then {cause}, and now the {thing} is {state}.",
  "{Before}. Then {cause}. {Aside}. Now the {thing} is {state}.",
  "{Aside}. {Before}. Later {cause}, and so the {thing} is {state}.",
  "Now the {thing} is {state}. {Before}. {Aside}. Then {cause}.",
];
const ASKS = [
  "Why is the {thing} {state}?",
  "Why is the {thing} {state} now?",
  "Tell me why the {thing} is {state}.",
];

/** Draws a question of a space. */
export function sampleQuestion(random: Random, space: QuestionSpace): SampleQuestion {
  while (true) {
    const thing = random.pick(THINGS);
    const state = random.pick(Object.keys(STATES));
    const [first, second, third] = random.shuffle(PEOPLE) as [string, string, string];
    const fill = (pattern: string, person: string) =>
      filled(pattern, { person, thing, state, place: random.pick(PLACES) });
    const before = fill(random.pick([...BEFORE, ...BEFORE_MORE]), first);
    const cause = fill(random.pick(STATES[state] ?? []), second);
    const aside = fill(random.pick(ASIDE), third);
    const id = `${thing} ${state}: ${before}; ${cause}`;
    if (spaceOf(id) !== space) continue;
    const clauses = { before, cause, aside, thing, state };
    const note = filled(random.pick(NOTES), clauses);
    return {
      id,
      question: `${note} ${filled(random.pick(ASKS), clauses)}`,
      ...clauses,
      thing: `the ${thing}`,
    };
  }
}

/** The space that a question belongs to, by its facts alone. */
export function spaceOf(id: string): QuestionSpace {
  let hash = 11;
  for (const character of id) hash = (hash * 31 + character.charCodeAt(0)) % 1_000_003;
  return hash % 5 === 0 ? "shipped" : "training";
}

/** Whether an answer names the cause that the note gives. */
export function namesCause({ cause }: Pick<SampleQuestion, "cause">, answer: string): boolean {
  return wordsOf(answer).includes(wordsOf(cause));
}

function wordsOf(text: string): string {
  return ` ${text.toLowerCase().replaceAll(/[^a-z0-9]+/g, " ").trim()} `;
}

/** A pattern with its words put in; `{Word}` begins with a capital. */
export function filled(pattern: string, words: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const word = words[name] ?? words[name.toLowerCase()] ?? "";
    return /^[A-Z]/.test(name) ? word.charAt(0).toUpperCase() + word.slice(1) : word;
  });
}
