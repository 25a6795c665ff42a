/**
 * The sums of our own problems, told as stories.
 * @module
 */
import type { Random } from "../base/random.ts";

/** One sum: `from operation by is result`. */
export interface SumStep {
  /** What the story says of it, without the full stop. */
  readonly told: string;
  /** The result of the step before, or the first number. */
  readonly from: number;
  /** What is done. */
  readonly operation: "times" | "plus" | "minus";
  /** The other number, 1..9. */
  readonly by: number;
  /** 0..99. */
  readonly result: number;
}

/** A story with its sums. */
export interface Sum {
  /** The story and what is asked. */
  readonly question: string;
  /** Two or three, each from the result of the one before. */
  readonly steps: readonly SumStep[];
  /** The smallest result. */
  readonly lowest: number;
  /** The greatest result. */
  readonly highest: number;
}

const PEOPLE: readonly (readonly [name: string, pronoun: string])[] = [
  ...["Amara", "Bea", "Chloe", "Dina", "Elif", "Fern", "Gita", "Hana", "Ines", "Juno"].map((name) =>
    [name, "she"] as const
  ),
  ...["Kofi", "Leon", "Milo", "Nils", "Omar", "Pavel", "Quinn", "Ravi", "Sami", "Theo"].map((name) =>
    [name, "he"] as const
  ),
];
const THINGS = [
  "pears",
  "stamps",
  "shells",
  "coins",
  "marbles",
  "cards",
  "books",
  "pencils",
  "beads",
  "buttons",
  "eggs",
  "stones",
];
const BOXES = ["boxes", "bags", "baskets", "jars"];
const MONTHS = ["January", "February"];
const EVENTS: readonly (readonly [operation: "plus" | "minus", happened: string])[] = [
  ["plus", "finds {n} more"],
  ["plus", "buys {n} more"],
  ["plus", "is given {n} more"],
  ["minus", "gives away {n}"],
  ["minus", "loses {n}"],
  ["minus", "sells {n}"],
];

/** Draws a story of two or three sums with results in 2..97. */
export function sumOf(random: Random): Sum {
  while (true) {
    const [name, pronoun] = random.pick(PEOPLE);
    const things = random.pick(THINGS);
    const steps: SumStep[] = [];
    const story: string[] = [];
    let value: number;
    if (random.next() < 0.4) {
      const [from, by] = [2 + random.int(8), 2 + random.int(8)];
      const told = `${name} has ${from} ${random.pick(BOXES)} with ${by} ${things} in each`;
      steps.push({ told, from, operation: "times", by, result: value = from * by });
    } else {
      value = 5 + random.int(60);
      story.push(`${name} has ${value} ${things}.`);
    }
    // Nothing happens twice in a story.
    const events = random.shuffle(EVENTS).slice(0, (steps.length === 0 ? 2 : 1) + random.int(2));
    for (const [i, [operation, happened]] of events.entries()) {
      const by = 2 + random.int(8);
      const result = operation === "plus" ? value + by : value - by;
      const when = i === events.length - 1 ? "In the end" : `In ${MONTHS[i]}`;
      const told = `${when} ${pronoun} ${happened.replace("{n}", String(by))}`;
      steps.push({ told, from: value, operation, by, result });
      value = result;
    }
    const results = steps.map(({ result }) => result);
    const [lowest, highest] = [Math.min(...results), Math.max(...results)];
    if (lowest < 2 || highest > 97) continue;
    story.push(...steps.map(({ told }) => `${told}.`));
    const question = `${story.join(" ")} How many ${things} does ${name} have now?`;
    return { question, steps, lowest, highest };
  }
}

/** The sums without their story: equal texts are equal sums. */
export function sumText(steps: readonly SumStep[]): string {
  const sign = { times: "x", plus: "+", minus: "-" };
  return `${steps[0]?.from ?? ""}${steps.map(({ operation, by }) => sign[operation] + by).join("")}`;
}
