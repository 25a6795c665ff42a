/**
 * The styles that ship as traits: folders of contrastive prompts and of questions to steer on.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { sampleQuestion } from "./sample_questions.ts";
import { loadStyle, type Side, type Style, styleMessages, STYLES } from "./style.ts";

/** Contrastive pairs of prompts, and questions to steer on, in each trait that ships. */
const PAIRS = 40, QUESTIONS = 24;

/**
 * The files of every trait that ships, by their path in `data/traits`. Seeded: they come out the same every time. Pairs and
 * questions share none, and the embedded model has learned from none of them.
 */
export async function styleTraitFiles(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const name of STYLES) {
    const style = await loadStyle(name);
    const questions = distinctQuestions(name, PAIRS + QUESTIONS);
    const lines = (side: Side) =>
      questions.slice(0, PAIRS).map((question) => JSON.stringify({ prompt: promptOf(style, side, question) }))
        .join("\n") + "\n";
    files[`styles/${name}/definition.txt`] = definitionOf(style);
    files[`styles/${name}/positive.jsonl`] = lines("positive");
    files[`styles/${name}/negative.jsonl`] = lines("neutral");
    files[`styles/${name}/steering.json`] = JSON.stringify(
      {
        questions: questions.slice(PAIRS).map((question) => promptOf(style, "neutral", question)),
        neutral: style.neutral,
        instruction: style.positive,
        markers: { positive: Object.values(style.markers).map(({ source }) => `/${source}/`), negative: [] },
      },
      null,
      2,
    ) + "\n";
  }
  return files;
}

/** Questions of the prompt set that ships; each is asked plainly and in every style. */
const SET_QUESTIONS = 3;

/**
 * The prompt set that ships, `data/prompt_sets/styles.json`: a few questions, each asked plainly and in every style. Like the
 * traits it is seeded.
 */
export async function stylePromptSet(): Promise<string> {
  const questions = distinctQuestions("prompt set", SET_QUESTIONS);
  const styles = await Promise.all(STYLES.map(loadStyle));
  const prompts = questions.flatMap((question, i) => [
    { id: `${i + 1}-plain`, prompt: promptOf(styles[0] as Style, "neutral", question) },
    ...styles.map((style) => ({
      id: `${i + 1}-${style.name}`,
      prompt: promptOf(style, "positive", question),
    })),
  ]);
  return JSON.stringify({ prompts }, null, 2) + "\n";
}

function promptOf(style: Style, side: Side, question: string): string {
  return styleMessages(style, side, question).map(({ content }) => content).join("\n\n");
}

function distinctQuestions(style: string, count: number): string[] {
  const random = createRandom(`style traits/${style}`);
  const questions = new Map<string, string>();
  while (questions.size < count) {
    const { id, question } = sampleQuestion(random, "shipped");
    questions.set(id, question);
  }
  return [...questions.values()];
}

/** What a style is, as a rubric for scores from 0 to 100. */
export function definitionOf({ description }: Style): string {
  return `How much of the answer is written in this way, from 0 to 100?

${description}

100: every sentence. 70: most of it. 50: about half. 30: a sentence or two. 0: none of it, a plain answer.

What the answer says, and whether it is right, does not count.
`;
}
