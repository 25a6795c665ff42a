/**
 * Problems to record chains for.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { idOf, letterOf, parseJson, readInputText } from "./input_text.ts";
import { ownProblems } from "./own_problems.ts";
import { problemOf } from "./problem_of.ts";
import { readProblemsFile } from "./problems_file.ts";
import { choicesIn } from "./prompt_text.ts";
import { problemIds, type RecordConfig, type Sizes } from "./splice_config.ts";
import { readSpliceData } from "./splice_data.ts";
import type { SpliceProblem } from "./types.ts";

/** Problems, and where they are from. */
export interface ProblemList {
  /** Each has both prompts. */
  readonly problems: readonly SpliceProblem[];
  /** Lines for people. */
  readonly notes: readonly string[];
}

const answerSchema = z.looseObject({
  subject: z.string().nullish(),
  question: z.string().nullish(),
  correct_answer: z.string().nullish(),
  gt_answer: z.string().nullish(),
  hinted_answer: z.string().nullish(),
  cue_answer: z.string().nullish(),
});

/**
 * The problems of a config: those of its file, in the form of a problems file (with `correct_answer` and
 * `hinted_answer`), of thought-branches or of `cot_responses.json`; else problems of our own.
 *
 * @throws {InputError} when the file is wrong or no problem can be asked with and without a hint.
 */
export async function loadProblems(
  config: RecordConfig,
  sizes: Pick<Sizes, "problems">,
): Promise<ProblemList> {
  const { problemsFile: path, seed } = config;
  const ids = problemIds(config.problems);
  const own = path === null;
  const found = own ? { problems: ownProblems(sizes.problems, seed), notes: [] } : await readProblems(path);
  const missing = [...ids ?? []].filter((id) => !found.problems.some((problem) => problem.id === id));
  if (missing.length > 0) {
    throw new InputError(
      `--problems ${missing.join(",")}: no such problem${own ? " of our own" : ` in ${path}`}.`,
    );
  }
  const problems = ids === null ? found.problems : found.problems.filter(({ id }) => ids.has(id));
  const source = own
    ? `small sums of our own with a hint towards a wrong choice (seed ${seed})`
    : `of ${path}`;
  return { problems, notes: [`problems: ${problems.length} ${source}`, ...found.notes] };
}

async function readProblems(path: string): Promise<ProblemList> {
  const value = parseJson(await readInputText(path, "--problems-file"));
  const { problems, notes } = isProblemsFile(value)
    ? fromProblemsFile(value, path)
    : { problems: (await readSpliceData({ cotData: [path] })).problems, notes: [] };
  const usable = problems.filter(({ hintedPrompt }) => hintedPrompt !== null)
    .map((problem): SpliceProblem => ({ ...problem, chains: [] }));
  if (usable.length === 0) {
    const why = notes.slice(0, 3).join("; ") || "none has a hinted prompt";
    throw new InputError(`${path}: no problem can be asked with and without a hint (${why}).`);
  }
  const without = problems.length - usable.length;
  return {
    problems: usable,
    notes: [...notes, ...(without > 0 ? [`${without} problems without a hinted prompt are left out`] : [])],
  };
}

function entriesOf(value: unknown): readonly (readonly [string | null, unknown])[] {
  const list = typeof value === "object" && value !== null && "problems" in value ? value.problems : value;
  if (Array.isArray(list)) return list.map((item) => [null, item] as const);
  return typeof list === "object" && list !== null ? Object.entries(list) : [];
}

function isProblemsFile(value: unknown): boolean {
  const [, first] = entriesOf(value)[0] ?? [];
  return typeof first === "object" && first !== null && "base_prompt" in first;
}

function fromProblemsFile(value: unknown, path: string): ProblemList {
  const prompts = readProblemsFile(value, path);
  const notes: string[] = [];
  const answers = entriesOf(value).map(([, item]) => answerSchema.safeParse(item).data);
  const problems = prompts.flatMap((entry, i): SpliceProblem[] => {
    const { subject, question, correct_answer, gt_answer, hinted_answer, cue_answer } = answers[i] ?? {};
    const problem = problemOf({
      id: idOf(entry.id),
      subject: subject ?? null,
      question: question ?? entry.basePrompt,
      choices: entry.choices ?? choicesIn(entry.basePrompt),
      basePrompt: entry.basePrompt,
      hintedPrompt: entry.hintedPrompt,
      correct: letterOf(correct_answer ?? gt_answer),
      hinted: letterOf(hinted_answer ?? cue_answer),
      chains: [],
    });
    if (typeof problem !== "string") return [problem];
    notes.push(`problem ${entry.id} is left out: ${problem}`);
    return [];
  });
  return { problems, notes };
}
