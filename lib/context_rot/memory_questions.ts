/**
 * Questions about what was said in earlier chats, with the chats that hold their answers.
 *
 * The kinds of question are those of LongMemEval (Wu et al. 2025) that can be graded without a judge; every text is our
 * own.
 * @module
 */
import type { Random } from "../base/random.ts";
import { type ChatSession, type ChatTurn, dayAfter, sayDay, smallTalk } from "./chat_history.ts";
import { ATTRIBUTES, fromRelation, NAMES, RELATIONS } from "./needles.ts";

/** The kinds of question that {@linkcode memoryQuestion} makes. */
export const MEMORY_TYPES = [
  "single-session-user",
  "single-session-assistant",
  "knowledge-update",
  "temporal-reasoning",
  "multi-session",
] as const;
/** A kind of question. */
export type MemoryType = typeof MEMORY_TYPES[number];

/** A question about earlier chats. */
export interface MemoryQuestion {
  /** Its kind. */
  readonly type: MemoryType;
  /** Whether the chats do not hold the answer. */
  readonly abstention: boolean;
  /** What is asked. */
  readonly question: string;
  /** What a right answer says. */
  readonly answer: string;
  /** The day on which it is asked. */
  readonly date: string;
  /** The chats that an answer needs, or that an abstention is to be told from; oldest first. */
  readonly evidence: readonly ChatSession[];
  /** Everybody who is named. */
  readonly people: readonly string[];
}

/** What {@linkcode memoryQuestion} makes. */
export interface MemoryOptions {
  /** A question whose answer is not in the chats. */
  readonly abstention?: boolean;
  /** Names to choose from; those of the needles when left out. */
  readonly names?: readonly string[];
}

/** Something said: the sentence, and what is asked about it. */
interface Said {
  readonly sentences: readonly string[];
  readonly question: string;
  readonly answer: string;
}

/** The first day of every history. */
export const FIRST_DAY = "2024-01-08";
/** How many days a history goes on. */
export const HISTORY_DAYS = 240;

/** A question of a kind, drawn with the chats that hold its answer. */
export function memoryQuestion(
  type: MemoryType,
  random: Random,
  options: MemoryOptions = {},
): MemoryQuestion {
  const { abstention = false, names = NAMES } = options;
  const name = random.pick(names);
  const days = type === "single-session-user" || type === "single-session-assistant" || abstention
    ? [random.int(HISTORY_DAYS)]
    : twoDays(random);
  const dates = days.map((day) => dayAfter(FIRST_DAY, day));
  const said = abstention ? unsaid(name, random) : KINDS[type](name, dates, random);
  const speaker = type === "single-session-assistant" && !abstention ? "assistant" : "user";
  return {
    type,
    abstention,
    question: said.question,
    answer: said.answer,
    date: dayAfter(FIRST_DAY, HISTORY_DAYS + 7 + random.int(20)),
    evidence: said.sentences.map((sentence, i) => ({
      date: dates[i] as string,
      turns: withFact(smallTalk(random), sentence, speaker, random),
    })),
    people: [name],
  };
}

/** A chat about anything in which somebody else comes up. */
export function distractingChat(date: string, names: readonly string[], random: Random): ChatSession {
  const name = random.pick(names);
  const sentence = random.next() < 0.5
    ? inOwnWords(name, random).sentences[0] as string
    : attributeOf(name, random).sentences[0] as string;
  return { date, turns: withFact(smallTalk(random), sentence, random.pick(["user", "assistant"]), random) };
}

/** Two days, some days apart. */
function twoDays(random: Random): number[] {
  const first = random.int(HISTORY_DAYS - 40);
  return [first, first + 2 + random.int(38)];
}

/** Puts a sentence into one of a speaker's turns, before or after what else is said. */
function withFact(
  turns: readonly ChatTurn[],
  sentence: string,
  speaker: ChatTurn["role"],
  random: Random,
): ChatTurn[] {
  const at = (speaker === "user" ? 0 : 1) + 2 * random.int(2);
  const lead = random.pick(speaker === "user" ? USER_LEADS : ASSISTANT_LEADS);
  const fact = lead === "" ? sentence : `${lead} ${sentence}`;
  const before = random.next() < 0.5;
  return turns.map((turn, i) =>
    i === at ? { ...turn, content: before ? `${fact} ${turn.content}` : `${turn.content} ${fact}` } : turn
  );
}

const USER_LEADS = [
  "",
  "By the way, some news.",
  "One more thing.",
  "I must tell you this.",
  "Please keep this in mind.",
];
const ASSISTANT_LEADS = [
  "",
  "I found what you asked for.",
  "Here is what I know.",
  "You may like to hear this.",
];

const KINDS: Readonly<Record<MemoryType, (name: string, dates: readonly string[], random: Random) => Said>> =
  {
    "single-session-user": (name, _, random) => inOwnWords(name, random),
    "single-session-assistant": (name, _, random) => attributeOf(name, random),
    "knowledge-update"(name, _, random) {
      const { name: property, values } = random.pick(ATTRIBUTES);
      const [old, now] = random.shuffle(values) as [string, string];
      return {
        sentences: [
          `The ${property} of ${name} is ${old}.`,
          `The ${property} of ${name} is now ${now}, no longer ${old}.`,
        ],
        question: `What is the ${property} of ${name} now?`,
        answer: now,
      };
    },
    "temporal-reasoning"(name, [first, second], random) {
      const thing = random.pick(LENT);
      const [from, to] = [first as string, second as string];
      const lent = `${name} lent me a ${thing} on ${sayDay(from)}.`;
      const back = `${name} got the ${thing} back on ${sayDay(to)}.`;
      if (random.next() < 0.5) {
        const days = Temporal.PlainDate.from(from).until(to).days;
        return {
          sentences: [lent, back],
          question: `How many days did I keep the ${thing} of ${name}?`,
          answer: `${days} days`,
        };
      }
      const [question, answer] = random.pick([
        [`On which day did ${name} lend me the ${thing}?`, sayDay(from)],
        [`On which day did ${name} get the ${thing} back?`, sayDay(to)],
      ]);
      return { sentences: [lent, back], question: question as string, answer: answer as string };
    },
    "multi-session"(name, _, random) {
      const goods = random.pick(GOODS);
      const [some, more] = [2 + random.int(7), 2 + random.int(7)];
      return {
        sentences: [
          `${name} gave me ${NUMBERS[some]} ${goods}.`,
          `${name} gave me ${NUMBERS[more]} more ${goods}.`,
        ],
        question: `How many ${goods} did ${name} give me in all?`,
        answer: String(some + more),
      };
    },
  };

/** A fact said in other words than the question's. */
function inOwnWords(name: string, random: Random): Said {
  const relation = random.pick(RELATIONS);
  const values = random.shuffle(relation.values);
  const { needle, question, answer } = fromRelation(relation, name, values, ["", ""], random);
  return { sentences: [needle], question, answer };
}

/** A fact said in the question's words. */
function attributeOf(name: string, random: Random): Said {
  const { name: property, values } = random.pick(ATTRIBUTES);
  const value = random.pick(values);
  return {
    sentences: [`The ${property} of ${name} is ${value}.`],
    question: `What is the ${property} of ${name}?`,
    answer: value,
  };
}

/** A fact about somebody, and a question about another property of the same person. */
function unsaid(name: string, random: Random): Said {
  const [said, asked] = random.shuffle(ATTRIBUTES) as [typeof ATTRIBUTES[number], typeof ATTRIBUTES[number]];
  return {
    sentences: [`The ${said.name} of ${name} is ${random.pick(said.values)}.`],
    question: `What is the ${asked.name} of ${name}?`,
    answer: `This is not known: the ${said.name} of ${name} was mentioned, the ${asked.name} was not.`,
  };
}

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];
const LENT = [
  "ladder",
  "tent",
  "drill",
  "projector",
  "sewing machine",
  "trailer",
  "chess clock",
  "travel cot",
];
const GOODS = [
  "jars of honey",
  "tulip bulbs",
  "old records",
  "postcards",
  "stamps",
  "lemon trees",
  "balls of wool",
];
