/**
 * Our own sample of questions about earlier chats, in LongMemEval's columns: for tests and the embedded model.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import type { Tokenizer } from "../backends/backend.ts";
import { writeAtomic } from "../base/files.ts";
import { sha256 } from "../base/hash.ts";
import { createRandom, type Random } from "../base/random.ts";
import { type ChatSession, chatText, dayAfter, smallTalk } from "./chat_history.ts";
import { CONDITIONS } from "./longmemeval_file.ts";
import { memoryPrompt } from "./memory_prompt.ts";
import {
  distractingChat,
  FIRST_DAY,
  HISTORY_DAYS,
  type MemoryQuestion,
  memoryQuestion,
  type MemoryType,
} from "./memory_questions.ts";
import { NAMES } from "./needles.ts";

/** A question with its texts. */
export interface SampleItem extends MemoryQuestion {
  /** Eight hex digits, and `_abs` where no chat answers it. */
  readonly id: string;
  /** The chats that matter, in order of time, and the question. */
  readonly focused: string;
  /** The same chats among others. */
  readonly full: string;
}

/** Questions of each type in the sample; of the last, no chat holds the answer. */
const SHARES: readonly (readonly [type: MemoryType, questions: number, abstention: boolean])[] = [
  ["single-session-user", 14, false],
  ["single-session-assistant", 10, false],
  ["knowledge-update", 9, false],
  ["temporal-reasoning", 9, false],
  ["multi-session", 6, false],
  ["single-session-user", 4, true],
];
/** Least and most characters of a history: its longest fit a window of 4,096 tokens of the embedded model. */
const HISTORY_CHARS: readonly [number, number] = [1_800, 8_800];
/** Share of the other chats in which somebody else comes up. */
const DISTRACTING = 0.2;

/** The sample's questions, in order: 52, types mixed. The same seed gives the same texts. */
export function sampleItems(options: { readonly seed?: number } = {}): SampleItem[] {
  const seed = options.seed ?? 0;
  const order = createRandom(`memory/${seed}/order`);
  // Each type evenly over the whole, so that any part of the sample holds every type.
  const kinds = SHARES.flatMap(([type, n, abstention]) =>
    Array.from({ length: n }, (_, i) => ({ type, abstention, at: (i + order.next()) / n }))
  ).sort((a, b) => a.at - b.at);
  return kinds.map(({ type, abstention }, i) => {
    const random = createRandom(`memory/${seed}/${i}`);
    const question = memoryQuestion(type, random, { abstention });
    const chars = HISTORY_CHARS[0] + random.int(HISTORY_CHARS[1] - HISTORY_CHARS[0]);
    return {
      ...question,
      id: sha256(`memory/${seed}/${i}`).slice(0, 8) + (abstention ? "_abs" : ""),
      focused: memoryPrompt(question.evidence, question.question),
      full: memoryPrompt(chatHistory(question, random, { chars }), question.question),
    };
  });
}

/**
 * The chats of a question among others, in order of time: so many that all together have about `chars` characters. The
 * days of the chats that matter are the question's own; everything else says nothing about its people.
 */
export function chatHistory(
  question: MemoryQuestion,
  random: Random,
  options: { readonly chars: number; readonly names?: readonly string[] },
): ChatSession[] {
  const names = (options.names ?? NAMES).filter((name) => !question.people.includes(name));
  const chats = [...question.evidence];
  const room = () => options.chars - chats.reduce((sum, chat) => sum + chatText(chat).length + 2, 0);
  while (room() > 0) {
    const date = dayAfter(FIRST_DAY, random.int(HISTORY_DAYS));
    chats.push(
      random.next() < DISTRACTING ? distractingChat(date, names, random) : { date, turns: smallTalk(random) },
    );
  }
  return chats.toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

/**
 * Writes the sample as `longmemeval_sample_focused.csv`, `..._full.csv` and `..._types.json` into a folder.
 *
 * @param tokenizer counts the texts, as the published files do with o200k_base
 */
export async function writeSample(folder: string, tokenizer: Tokenizer): Promise<string[]> {
  const items = sampleItems();
  const paths: string[] = [];
  for (const condition of CONDITIONS) {
    const lines = items.map((item) => [
      item.id,
      item.question,
      item.answer,
      item[condition],
      tokenizer.count(item[condition]),
    ]);
    const header = ["custom_id", "question", "answer", `${condition}_prompt`, "token_count"];
    const path = join(folder, `longmemeval_sample_${condition}.csv`);
    await writeAtomic(path, stringify([header, ...lines]));
    paths.push(path);
  }
  const types = items.map(({ id, type, question, answer, date }) => ({
    question_id: id,
    question_type: type,
    question,
    answer,
    question_date: date,
  }));
  const path = join(folder, "longmemeval_sample_types.json");
  await writeAtomic(path, JSON.stringify(types, null, 1) + "\n");
  return [...paths, path];
}
