/**
 * Rows that ask about earlier chats, with the LongMemEval prompt.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { chatText } from "../../../lib/context_rot/chat_history.ts";
import { chatHistory, sampleItems } from "../../../lib/context_rot/longmemeval_sample.ts";
import { memoryPrompt } from "../../../lib/context_rot/memory_prompt.ts";
import {
  MEMORY_TYPES,
  type MemoryQuestion,
  memoryQuestion,
} from "../../../lib/context_rot/memory_questions.ts";
import { emptyRow, type Encode, type Encoded, LEARNED, turn } from "./encoded.ts";
import { TRAINED_NAMES } from "./facts.ts";
import { madeUpName } from "./filler.ts";

const keyOf = ({ people, question, answer }: MemoryQuestion) => JSON.stringify([people[0], question, answer]);
/** Who is asked what in the sample that ships, with its answer: never trained on. */
const SHIPPED = new Set(sampleItems().map(keyOf));

/** A question about chats that fit the row; in half of the rows other chats stand among those that matter. */
export function memory(width: number, encode: Encode, random: Random): Encoded {
  while (true) {
    const question = drawQuestion(random, encode.pieces);
    const bare = memoryPrompt(question.evidence, question.question);
    const room = Math.floor(bare.length / encode(bare).length * (width - 60)) - bare.length;
    const more = random.next() < 0.5 ? 0 : Math.max(0, random.next() * room);
    const chars = question.evidence.reduce((sum, chat) => sum + chatText(chat).length + 2, 0) + more;
    const chats = more === 0
      ? question.evidence
      : chatHistory(question, random, { chars, names: TRAINED_NAMES });
    const row = emptyRow();
    turn("user", memoryPrompt(chats, question.question), 0, encode, row);
    turn("assistant", ` ${replyTo(question)}`, LEARNED, encode, row);
    if (row.ids.length <= width) return row;
  }
}

function drawQuestion(random: Random, pieces?: readonly string[]): MemoryQuestion {
  while (true) {
    const abstention = random.next() < 0.12;
    const type = abstention ? "single-session-user" : random.pick(MEMORY_TYPES);
    const names = random.next() < 0.5 ? TRAINED_NAMES : [madeUpName(random, pieces)];
    const question = memoryQuestion(type, random, { abstention, names });
    if (!SHIPPED.has(keyOf(question))) return question;
  }
}

/** What a reader would say: the sentence that holds the answer, shortened to it. */
function replyTo({ type, abstention, question, answer, evidence }: MemoryQuestion): string {
  if (abstention) return "The chats do not say.";
  const last = evidence.at(-1)?.turns.map(({ content }) => content).join(" ") ?? "";
  if (type === "knowledge-update") {
    return `${
      question.replace(/^What is (.)/, (_, c) => c.toUpperCase()).replace(/ now\?$/, "")
    } is now ${answer}.`;
  }
  if (type === "multi-session") {
    const [, goods, name] = /^How many (.+) did (\S+) give/.exec(question) as unknown as [
      string,
      string,
      string,
    ];
    return `${name} gave me ${answer} ${goods} in all.`;
  }
  if (type === "temporal-reasoning") {
    const [, name, rest] = /^On which day did (\S+) (.+)\?$/.exec(question) ?? [];
    if (name === undefined || rest === undefined) return `${answer}.`;
    return rest.startsWith("lend")
      ? `${name} lent ${rest.slice(5)} on ${answer}.`
      : `${name} got ${rest.slice(4)} on ${answer}.`;
  }
  return sentenceWith(last, answer, /(\S+)\?$/.exec(question)?.[1] ?? "") ?? `${answer}.`;
}

/** The sentence of a text that says an answer about somebody. */
function sentenceWith(text: string, answer: string, name: string): string | null {
  const says = (sentence: string, word: string) => new RegExp(`\\b${word}\\b`).test(sentence);
  const sentences = text.split(/(?<=[.?!])\s+/);
  return sentences.find((s) => says(s, answer) && says(s, name)) ?? sentences.find((s) => says(s, answer)) ??
    null;
}
