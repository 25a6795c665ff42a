/**
 * What can be said of a LongMemEval answer without a judge model.
 * @module
 */
import { isAbstention, matchWords } from "../runs/match.ts";

/** What matching finds. */
export interface MemoryMatch {
  /** Whether the output says the answer; null when matching cannot settle it. */
  readonly right: boolean | null;
  /** Whether the answer stands at the very end, where an output cap may have cut a longer one. */
  readonly atEnd: boolean;
}

/** What is matched. */
export interface MemoryExpectation {
  /** The question's kind, where it is known. */
  readonly type: string | null;
  /** Whether the right answer is that there is none. */
  readonly abstention: boolean;
  /** What is asked. */
  readonly question: string;
  /** What a right answer says. */
  readonly answer: string;
}

const OPEN: MemoryMatch = { right: null, atEnd: false };

/**
 * Whether an output says the expected answer, as far as words tell:
 *
 * - Of the wordings that an answer lists (`5 days. 6 days is also acceptable`, `A (or B)`) one is enough. `Three` is
 *   `3`, `my` is `your`, `5 March` is `March 5th`, `9:00` is `9`.
 * - An amount counts when it is the one amount that the output names before it begins to list or explain, amounts of
 *   the question aside, in the same unit if there is one. Where the type is temporal reasoning, a count of days, weeks,
 *   months or years may be one off.
 * - `Yes` and `No` must be the first word.
 * - Of a question that gives a choice (`A or B?`), an output that repeats more than the answer is left open. So is one
 *   that says `before`, `after`, `until` or `not` ahead of the answer.
 * - Where no answer is right, an output that abstains and names no amount is right; so it is where the answer is `0`.
 *
 * On GPT-4.1's published answers it settles 88% of those that GPT-4.1 as judge calls right.
 */
export function matchMemory(output: string, expected: MemoryExpectation): MemoryMatch {
  const words = normalized(output);
  if (words.length === 0) return { right: false, atEnd: false };
  const answer = normalized(expected.answer);
  const choices = wordings(expected.answer);
  if (words.join(" ") === answer.join(" ")) return { right: true, atEnd: true };
  const asked = new Set(normalized(expected.question).filter((word) => AMOUNT.test(word)));
  if (isAbstention(output)) {
    const wanted = expected.abstention || choices.some((text) => NONE.test(normalized(text).join(" ")));
    const guesses = words.some((word) => AMOUNT.test(word) && !asked.has(word));
    return wanted && (!guesses || holds(words, answer)) ? { right: true, atEnd: false } : OPEN;
  }
  if (expected.abstention) return OPEN;
  for (const text of choices) {
    const match = matchOne(output, normalized(text), { ...expected, words, asked });
    if (match.right !== null) return match;
  }
  return OPEN;
}

/** An answer that there is nothing: `0`, `none`, `no trips`. */
const NONE = /^(?:0|none|nothing|no)(?: \p{L}+){0,2}$/u;

/** What one wording is matched against. */
interface Said extends MemoryExpectation {
  readonly words: readonly string[];
  /** Amounts that the question names. */
  readonly asked: ReadonlySet<string>;
}

function matchOne(output: string, wanted: readonly string[], said: Said): MemoryMatch {
  const { words, question } = said;
  const [first] = wanted;
  if (first === undefined) return OPEN;
  if (wanted.length === 1 && /^(?:yes|no)$/.test(first)) {
    return words[0] === first ? { right: true, atEnd: words.length === 1 } : OPEN;
  }
  const amount = amountOf(wanted);
  if (amount !== null) return matchAmount(output, amount, said);
  const at = indexOfWords(words, wanted);
  if (at < 0 || TURNING.has(words[at - 1] ?? "") || saysRival(words, wanted, question)) return OPEN;
  return { right: true, atEnd: at + wanted.length === words.length };
}

/** Words that make something else of what follows. */
const TURNING = new Set(["before", "after", "until", "not", "than", "except"]);

function indexOfWords(words: readonly string[], wanted: readonly string[]): number {
  return words.findIndex((_, at) => wanted.every((word, i) => words[at + i] === word));
}

function holds(words: readonly string[], wanted: readonly string[]): boolean {
  return indexOfWords(words, wanted) >= 0;
}

/** A number, with a unit where the answer has one. */
interface Amount {
  readonly value: number;
  readonly unit: string | null;
}

const AMOUNT = /^\d+(?:\.\d+)?$/;
const TIME = /^(?:second|minute|hour|day|week|month|year)s?$/;
/** Where an answer ends and its explanation begins. */
const EXPLAINS = /[:(\n;=]|\b(?:including|because|such as|namely|like)\b| - | – |—/;

function amountOf(words: readonly string[]): Amount | null {
  const [first, second = null] = words;
  if (first === undefined || !AMOUNT.test(first) || words.length > 2) return null;
  if (second !== null && (!/^\p{L}+$/u.test(second) || MONTHS.has(second))) return null;
  return { value: Number(first), unit: second };
}

/** The amounts that the output names before it lists or explains; there must be one, and the right one. */
function matchAmount(output: string, { value, unit }: Amount, { words, asked, type }: Said): MemoryMatch {
  const amounts = (text: readonly string[]) =>
    text.flatMap((word, i) =>
      AMOUNT.test(word) && (Number(word) === value || !asked.has(word))
        ? [{ value: Number(word), next: text[i + 1] ?? "" }]
        : []
    );
  const head = amounts(normalized(output.split(EXPLAINS)[0] ?? ""));
  const found = head.length > 0 ? head : amounts(words);
  if (new Set(found.map((amount) => amount.value)).size !== 1) return OPEN;
  const { value: given, next } = found[0] as { value: number; next: string };
  if (found.some(({ next }) => MONTHS.has(next))) return OPEN;
  const isTime = TIME.test(unit ?? "");
  if (TIME.test(next) && isTime && stem(next) !== stem(unit ?? "")) return OPEN;
  const slack = type === "temporal-reasoning" && (isTime || TIME.test(next)) ? 1 : 0;
  if (Math.abs(given - value) > slack) return OPEN;
  return { right: true, atEnd: AMOUNT.test(words.at(-1) ?? "") };
}

const stem = (word: string) => word.replace(/s$/, "");

/** Whether the output also says words of the question's other choices. */
function saysRival(words: readonly string[], wanted: readonly string[], question: string): boolean {
  const choices = question.split(/[,:?]| first\b| earlier\b/).filter((part) => /\bor\b/i.test(part));
  const rivals = choices.flatMap(normalized).filter((word) => word.length > 2 && !wanted.includes(word));
  return rivals.some((word) => !FILLER.has(word) && words.includes(word));
}

const FILLER = new Set(["your", "you", "and", "for", "with", "first", "from", "more", "did"]);

/** The wordings of an answer that lists several, each without `ago`. */
function wordings(answer: string): string[] {
  const sentences = answer.trim().split(/[.;]\s+/);
  const also = /^(.*) (?:is|are) also (?:acceptable|correct|fine)\.?$/i.exec(sentences.at(-1) ?? "")?.[1];
  const or = /\(or,? ([^(),]*)[^()]*\)/i.exec(answer)?.[1];
  const plain = (text: string) => text.replace(/\([^()]*\)/g, " ");
  const texts = also !== undefined
    // A range ("from 7 days to 10 days") is no wording.
    ? [...sentences.slice(0, -1), ...(/\bto\b/.test(also) ? [] : [plain(also)])]
    : or !== undefined
    ? [plain(answer), or]
    : [answer, ...(plain(answer).trim() === "" ? [] : [plain(answer)])];
  return [...new Set(texts.map((text) => text.replace(/\s+ago\b/gi, "").trim()))];
}

const ONES =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
  "seventeen eighteen nineteen";
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety";
const VALUES = new Map<string, number>([
  ...ONES.split(" ").map((word, i) => [word, i] as const),
  ...TENS.split(" ").map((word, i) => [word, 20 + 10 * i] as const),
  ["once", 1],
  ["twice", 2],
]);
const PERSON: Readonly<Record<string, string>> = {
  i: "you",
  me: "you",
  we: "you",
  my: "your",
  our: "your",
  mine: "yours",
};
/** Words after which `one` counts nothing. */
const PRONOUN = new Set(
  "first second third last next other another this that same new old only which every each no any".split(" "),
);
const VAGUE = new Set(["about", "approximately", "around", "roughly", "ve", "have", "had", "times"]);
const MONTHS = new Set(
  "january february march april may june july august september october november december".split(" "),
);

/** Words for comparison: numbers as digits, one person, days before months, vague words left out. */
function normalized(text: string): string[] {
  const words = matchWords(
    text.replace(/(\d):00\b/g, "$1").replace(/\b(\d+)(?:st|nd|rd|th)\b/gi, "$1").replace(
      /(\d)-(?=\d)/g,
      "$1 ",
    ),
  );
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const value = word === "one" && PRONOUN.has(words[i - 1] ?? "") ? undefined : VALUES.get(word);
    if (value !== undefined) {
      const ones = value >= 20 && value < 100 ? VALUES.get(words[i + 1] ?? "") : undefined;
      let sum = value;
      if (ones !== undefined && ones > 0 && ones < 10) {
        sum += ones;
        i++;
      }
      if (words[i + 1] === "and" && words[i + 2] === "half") {
        sum += 0.5;
        i += 2;
      }
      out.push(String(sum));
    } else if (MONTHS.has(word) && AMOUNT.test(words[i + 1] ?? "")) {
      out.push(words[++i] as string, word);
    } else if (MONTHS.has(word) && out.at(-1) === "of" && AMOUNT.test(out.at(-2) ?? "")) {
      out[out.length - 1] = word;
    } else if (!VAGUE.has(word)) out.push(Object.hasOwn(PERSON, word) ? PERSON[word] as string : word);
  }
  return out;
}
