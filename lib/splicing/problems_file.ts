/**
 * The prompts of problems as they were sent, from a file of their own.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { checkedValue, compareIds, idOf, idSchema } from "./input_text.ts";
import { userTurn } from "./prompt_text.ts";
import { LETTERS, type SpliceProblem } from "./types.ts";

/** The prompts of one problem. */
export interface ProblemPrompts {
  /** Its id in that file. */
  readonly id: string;
  /** What the user says without the hint. */
  readonly basePrompt: string;
  /** What the user says with the hint; null where the file has none. */
  readonly hintedPrompt: string | null;
  /** The choices; null where the file does not list them. */
  readonly choices: SpliceProblem["choices"];
}

const choicesSchema = z.union([
  z.partialRecord(z.enum(LETTERS), z.string()),
  z.array(z.string()).max(LETTERS.length),
], { error: "choices by letter, or a list of them, were expected" });
const entrySchema = z.looseObject({
  id: idSchema.optional(),
  question_id: idSchema.optional(),
  problem_number: idSchema.optional(),
  pn: idSchema.optional(),
  base_prompt: z.string().min(1),
  hinted_prompt: z.string().min(1).nullable().optional(),
  choices: choicesSchema.nullable().optional(),
});

/**
 * Reads a problems file: a list of `{id, base_prompt, hinted_prompt, choices}`, such a list under `problems`, or an
 * object from ids to such entries. An id may be called `id`, `question_id`, `problem_number` or `pn`; choices are an
 * object by letter or a list.
 *
 * @param value the file as JSON
 * @throws {InputError} naming the entry and the field that is wrong, or an id that stands twice.
 */
export function readProblemsFile(value: unknown, path: string): ProblemPrompts[] {
  const wrapped = typeof value === "object" && value !== null && "problems" in value ? value.problems : value;
  if (typeof wrapped !== "object" || wrapped === null) {
    throw new InputError(`${path}: a list of problems, or an object from ids to problems, was expected.`);
  }
  const items: (readonly [string | null, unknown])[] = Array.isArray(wrapped)
    ? wrapped.map((item) => [null, item] as const)
    : Object.entries(wrapped);
  const found = new Map<string, ProblemPrompts>();
  for (const [i, [key, item]] of items.entries()) {
    const place = key === null ? `problem ${i + 1}` : `problem ${JSON.stringify(key.slice(0, 40))}`;
    const entry = checkedValue(entrySchema, item, path, place);
    const named = entry.id ?? entry.question_id ?? entry.problem_number ?? entry.pn ?? key;
    if (named === null) {
      throw new InputError(`${path}, ${place} has no id: name it in id, question_id, problem_number or pn.`);
    }
    const name = idOf(named);
    if (found.has(name)) {
      throw new InputError(`${path}, ${place}: the id ${name} is there twice. Leave one out.`);
    }
    const { choices } = entry;
    found.set(name, {
      id: name,
      basePrompt: userTurn(entry.base_prompt),
      hintedPrompt: entry.hinted_prompt ? userTurn(entry.hinted_prompt) : null,
      choices: Array.isArray(choices)
        ? Object.fromEntries(choices.map((text, j) => [LETTERS[j], text]))
        : choices ?? null,
    });
  }
  return [...found.values()];
}

/** Prompts that were given to problems, and what did not fit. */
export interface JoinedPrompts {
  /** The problems, those with a match holding its prompts. */
  readonly problems: readonly SpliceProblem[];
  /** Problems whose id was found and whose question stands in that prompt. */
  readonly byId: readonly string[];
  /** Problems joined by their question: their id is missing in the file or belongs to another question there. */
  readonly byQuestion: readonly { readonly problem: string; readonly entry: string }[];
  /** Problems without an entry. */
  readonly missing: readonly string[];
}

/**
 * Gives problems their prompts. An id alone is not trusted, because ids of different files are often different spaces:
 * the question must stand in the prompt. Where it does not, the one entry whose prompt holds the question is taken.
 */
export function joinPrompts(
  problems: readonly SpliceProblem[],
  prompts: readonly ProblemPrompts[],
): JoinedPrompts {
  const entries = new Map(prompts.map((entry) => [entry.id, entry]));
  const texts = prompts.map((entry) => ({ entry, text: spaceless(entry.basePrompt) }));
  const byId: string[] = [], missing: string[] = [];
  const byQuestion: JoinedPrompts["byQuestion"][number][] = [];
  const joined = problems.map((problem) => {
    const asked = spaceless(stemOf(problem.question));
    const same = entries.get(problem.id);
    const holds = (text: string) => text.includes(asked);
    let entry = same !== undefined && holds(spaceless(same.basePrompt)) ? same : undefined;
    if (entry !== undefined) byId.push(problem.id);
    else {
      const found = texts.filter(({ text }) => holds(text));
      entry = found.length === 1 ? found[0]?.entry : undefined;
      if (entry === undefined) missing.push(problem.id);
      else byQuestion.push({ problem: problem.id, entry: entry.id });
    }
    if (entry === undefined) return problem;
    const { basePrompt, hintedPrompt, choices } = entry;
    return {
      ...problem,
      basePrompt,
      hintedPrompt: hintedPrompt ?? problem.hintedPrompt,
      choices: choices ?? problem.choices,
    };
  });
  return { problems: joined, byId: byId.sort(compareIds), byQuestion, missing: missing.sort(compareIds) };
}

const spaceless = (text: string) => text.replace(/\s+/g, "");

/** The question without the choices that may stand under it, which a prompt may write in another way. */
function stemOf(question: string): string {
  const at = question.search(/\n\s*(?:Answer choices:?|\(A\)\s|A[.):]\s)/);
  return at < 1 ? question : question.slice(0, at);
}
