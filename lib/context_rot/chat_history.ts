/**
 * Chats between a user and an assistant, made up from templates: what a memory is hidden in.
 * @module
 */
import type { Random } from "../base/random.ts";
import { CHAT_TOPICS, type ChatTopic } from "./chat_words.ts";

/** One thing said in a chat. */
export interface ChatTurn {
  /** Who speaks. */
  readonly role: "user" | "assistant";
  /** What is said. */
  readonly content: string;
}

/** One chat, on one day. */
export interface ChatSession {
  /** The day, `2024-03-05`. */
  readonly date: string;
  /** What was said, in order. */
  readonly turns: readonly ChatTurn[];
}

/** Four turns about one topic, without names, dates or facts about anybody. */
export function smallTalk(random: Random): ChatTurn[] {
  const topic = random.pick(CHAT_TOPICS);
  const say = (texts: readonly string[]) => fillTemplate(random.pick(texts), topic, random);
  return [
    { role: "user", content: say(topic.opens) },
    { role: "assistant", content: say(topic.answers) },
    { role: "user", content: say(topic.follows) },
    { role: "assistant", content: say(topic.closes) },
  ];
}

function fillTemplate(template: string, topic: ChatTopic, random: Random): string {
  const text = template.replaceAll(
    /\{(\w+)\}/g,
    (_, slot: string) => random.pick(topic.words[slot] ?? [slot]),
  )
    .replaceAll(/\b([Aa]) (?=[aeiou])/g, "$1n ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A chat as it stands in a prompt: a line with its day, then a line for each turn. */
export function chatText({ date, turns }: ChatSession): string {
  return [`[chat of ${date}]`, ...turns.map(({ role, content }) => `${role}: ${content}`)].join("\n");
}

/** A day so many days after another. */
export function dayAfter(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/** A day as people say it: `5 March`. */
export function sayDay(date: string): string {
  const { day, month } = Temporal.PlainDate.from(date);
  return `${day} ${MONTHS[month - 1]}`;
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July", "August", "September"],
  ...["October", "November", "December"],
];
