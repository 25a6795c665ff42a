/**
 * Answers of our own in each style that ships, and plain ones, from templates: the pairs that ship are made of them,
 * and the embedded model has learned others of their kind.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import type { Random } from "../base/random.ts";
import { filled, type QuestionSpace, type SampleQuestion, sampleQuestion } from "./sample_questions.ts";
import { type Side, type Style, styleMessages, type StyleName } from "./style.ts";

/** Every answer is one way to say each of its sentences; a sentence may be left out where one way is empty. */
const TEMPLATES: Readonly<Record<StyleName | "neutral", readonly (readonly string[])[]>> = {
  neutral: [
    ["{Thing} is {state} because {cause}.", "Because {cause}.", "{Cause}, and that is why."],
    ["", "", "It is as simple as that.", "There is no more to it."],
  ],
  step_by_step_reasoning: [
    ["Step 1: {Before}.", "Step 1: At the start, {before}."],
    ["Step 2: Then, {cause}.", "Step 2: After that, {cause}."],
    ["Step 3: This made {thing} {state}.", "Step 3: Now {thing} is {state}."],
    ["So {thing} is {state} because {cause}.", "Therefore {thing} is {state} because {cause}."],
  ],
  researcher_style: [
    [
      "The evidence suggests that {thing} is {state} because {cause}.",
      "The data suggest that {thing} is {state} because {cause}.",
    ],
    ["It was observed that {before}.", "One observation is that {before}."],
    [
      "However, the evidence is limited, and another explanation may be possible.",
      "However, the data are limited, and other explanations cannot be ruled out.",
    ],
    ["It is likely, but not certain, that {cause}.", "It appears likely that {cause}."],
  ],
  creative_explorer: [
    ["What if {thing} could tell its own story?", "Imagine that {thing} could speak!"],
    ["Perhaps it dreams of the day when {before}.", "Maybe it whispers that {before}."],
    [
      "Imagine it, {thing} is {state} because {cause}, like a page in a secret book!",
      "Perhaps {thing} is {state} because {cause}, as if the world had danced with it.",
    ],
    ["What else could {thing} become?", "What would you dream if you were {thing}?"],
  ],
};

/** Writes an answer to a question: in a style, or plainly. */
export function sampleAnswer(style: StyleName | "neutral", question: SampleQuestion, random: Random): string {
  const { thing, state, before, cause } = question;
  return TEMPLATES[style]
    .map((ways) => filled(random.pick(ways), { thing, state, before, cause }))
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** A chat and how it is to be answered. */
export interface SampleChat {
  /** Ends with the user's question. */
  readonly messages: readonly Message[];
  /** The answer. */
  readonly answer: string;
  /** Whether the style's prompt is given, or a worked example alone shows it. */
  readonly form: "instructed" | "shown";
  /** What is asked last. */
  readonly question: SampleQuestion;
}

/** Share of chats whose style is shown by examples alone. */
const SHOWN = 0.35;

/**
 * Draws a chat in a style or, for the side `neutral`, plainly. In most the prompt says how to answer; in the others
 * the neutral prompt is given throughout and one or two answered questions show it: examples in the style are followed
 * by an answer in the style, plain examples by a plain one.
 */
export function sampleChat(
  style: Style & { readonly name: StyleName },
  side: Side,
  random: Random,
  space: QuestionSpace,
): SampleChat {
  const manner = side === "positive" ? style.name : "neutral";
  const shown = random.next() < SHOWN;
  const examples = shown ? 1 + random.int(2) : 0;
  const messages: Message[] = [];
  for (let i = 0; i < examples; i++) {
    const example = sampleQuestion(random, space);
    messages.push(...styleMessages(style, "neutral", example.question), {
      role: "assistant",
      content: sampleAnswer(manner, example, random),
    });
  }
  const question = sampleQuestion(random, space);
  messages.push(...styleMessages(style, shown ? "neutral" : side, question.question));
  return {
    messages,
    answer: sampleAnswer(manner, question, random),
    form: shown ? "shown" : "instructed",
    question,
  };
}
