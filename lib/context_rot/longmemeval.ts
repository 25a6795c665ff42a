/**
 * LongMemEval: questions about earlier chats, asked with the relevant chats alone and with the whole history.
 *
 * After LongMemEval (Wu et al. 2025) and Chroma's Context Rot (Hong et al. 2025): the same questions under two
 * conditions, so that what falls between them is due to what else stands in the prompt.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import { hashJson, type Json } from "../base/hash.ts";
import type { Attempt, JudgeRow, Prompt, Row } from "../runs/experiment.ts";
import type { CountedModel, CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { type DoneRow, gradeRows, type Verdict } from "./grade_rows.ts";
import {
  type AskedJudge,
  askedJudge,
  gradersText,
  JUDGE_CAP,
  JUDGED_CHARS,
  judgementOf,
  judgePrompt,
  judgeRow,
} from "../runs/judge_rows.ts";
import { type LongMemEvalConfig, longMemEvalPaths } from "./longmemeval_config.ts";
import { type MemoryData, type MemoryItem, openMemoryData } from "./longmemeval_data.ts";
import { type Condition, CONDITIONS, type MemoryEntry } from "./longmemeval_file.ts";
import { LONGMEMEVAL_JUDGE_VERSION, memoryJudgeQuestion } from "./longmemeval_judge.ts";
import { matchMemory, type MemoryExpectation, type MemoryMatch } from "./longmemeval_match.ts";
import { longMemEvalReport } from "./longmemeval_report.ts";
import { plannedTokens } from "./longmemeval_tokens.ts";
import { ABSTENTION, isAbstentionId } from "./longmemeval_types.ts";
import { outputCap } from "./niah_config.ts";
import { parseCorrectness } from "./niah_judge.ts";

/** A question under one condition. */
export interface LongMemEvalRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly custom_id: string;
    readonly condition: Condition;
    readonly question_type: string | null;
    readonly question: string;
    readonly answer: string;
  };
  /** Where its text is. */
  readonly entry: MemoryEntry;
}

/** A LongMemEval run's rows and verbs, with what a plan says of them. */
export interface LongMemEval extends PlannedExperiment<LongMemEvalRow> {
  /** The questions. */
  readonly data: MemoryData;
}

/** Questions of a test run. */
const TEST_QUESTIONS = 20;
/** Most prompt tokens that judging an answer takes. */
const JUDGE_TOKENS = 1600;

/**
 * Plans a LongMemEval run: its rows in sending order (all focused ones, then all full ones, as the files have them) and
 * the verbs that prompt, grade and report them. Rows that do not fit the window stay in the plan and are counted.
 *
 * @throws {InputError} when a file is missing, torn or damaged, or the two do not hold the same questions.
 */
export async function createLongMemEval(
  config: LongMemEvalConfig,
  options: CreateOptions,
): Promise<LongMemEval> {
  const { variant, tokenizer, judges = [] } = options;
  const paths = longMemEvalPaths(config);
  const data = await openMemoryData(paths);
  const maxTokens = outputCap(config, variant);
  const sampling = {
    temperature: config.temperature,
    ...(config.temperature > 0 ? { seed: config.seed } : {}),
  };
  const shared = { experiment: "longmemeval", sampling, maxTokens, model: modelIdentity(variant) };
  const rows = await planRows(config.test ? testItems(data.items) : data.items, data, shared, options);
  const asked = judges.map(askedJudge);
  const typical = new Map(CONDITIONS.map((condition) => [condition, medianTokens(rows, condition)]));
  return {
    name: "longmemeval",
    layout: { parts: CONDITIONS, mainFigure: "accuracy" },
    part: (row) => row.params.condition,
    sampling,
    rows,
    data,
    notes: notesOf(data, rows, paths.types, config.data === null && paths.sample),
    fullSize: data.items.length * CONDITIONS.length,
    judging: { callsPerRow: 1, tokens: JUDGE_TOKENS, maxTokens: JUDGE_CAP },
    score: (row, attempt) => matched(row, attempt).right === true,
    async prompt(row): Promise<Prompt> {
      const content = await data.text(row.params.condition, row.entry);
      const messages = [{ role: "user" as const, content }];
      return {
        messages,
        tokens: tokenizer.countMessages(messages),
        oracle: { answer: row.params.answer, length: row.tokens },
      };
    },
    ...(asked.length === 0 ? {} : {
      judgeRows: (done, which = 0) => done.flatMap((entry) => judgeRowsOf(entry, asked[which] as AskedJudge)),
      judgePrompt: (row, which = 0) => judgePrompt(row, asked[which] as AskedJudge),
    }),
    grade: (done, context) =>
      gradeRows(done, {
        variant,
        tokenizer,
        verdict: (entry) => verdictOf(entry, judges[context?.judge ?? 0] ?? null),
        length: (row) => typical.get(row.params.condition) ?? row.tokens,
      }),
    report: (graded) =>
      longMemEvalReport(graded, { variant, data: data.description, graders: gradersText(judges) }),
  };
}

/** 20 questions spread evenly: of 306, every 15th. */
function testItems(items: readonly MemoryItem[]): MemoryItem[] {
  const step = Math.max(1, Math.floor(items.length / TEST_QUESTIONS));
  return items.filter((_, i) => i % step === 0).slice(0, TEST_QUESTIONS);
}

async function planRows(
  items: readonly MemoryItem[],
  data: MemoryData,
  shared: { readonly maxTokens: number; readonly [key: string]: Json },
  { variant, tokenizer }: CreateOptions,
): Promise<LongMemEvalRow[]> {
  const { maxTokens } = shared;
  const room = variant.contextWindow - maxTokens;
  const common = hashJson(shared);
  const planned = CONDITIONS.flatMap((condition) => items.map((item) => ({ item, condition })));
  const tokens = await plannedTokens(
    planned.map(({ item, condition }) => {
      const entry = item.entries[condition];
      return { entry, text: () => data.text(condition, entry) };
    }),
    { tokenizer, room },
  );
  return planned.map(({ item, condition }, i) => {
    const entry = item.entries[condition];
    const count = tokens[i] as number;
    const recipe = { ...shared, custom_id: item.id, condition, text_sha256: entry.sha256 };
    return {
      id: hashJson([common, item.id, condition, entry.sha256]),
      params: {
        custom_id: item.id,
        condition,
        question_type: item.type,
        question: entry.question,
        answer: entry.answer,
      },
      recipe,
      tokens: count,
      maxTokens,
      skip: count > room ? "window" : null,
      entry,
    };
  });
}

function medianTokens(rows: readonly LongMemEvalRow[], condition: Condition): number {
  const sorted = rows.filter((row) => row.params.condition === condition).map((row) => row.tokens)
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function notesOf(
  data: MemoryData,
  rows: readonly LongMemEvalRow[],
  types: string | null,
  fallback: boolean,
): string[] {
  const silent = rows.filter((row) => !row.entry.asks).length;
  const full = rows.filter((row) => row.params.condition === "full");
  return [
    `data: ${data.description}` +
    (fallback ? "; the published ones are not in data/ (deno task data longmemeval downloads them)" : ""),
    types === null
      ? "question types: not known, so that a judge goes by the general rules (deno task data longmemeval fetches them)"
      : data.untyped > 0
      ? `question types: ${types} knows all but ${data.untyped} of the questions`
      : `question types: ${types}`,
    ...(silent > 0 ? [`${silent} texts do not hold their question; they are sent as they are`] : []),
    ...(full.every((row) => row.skip !== null)
      ? ["no full text fits the window: only the focused ones are asked"]
      : []),
  ];
}

function expectation({ params }: LongMemEvalRow): MemoryExpectation {
  const { custom_id, question_type, question, answer } = params;
  const abstention = isAbstentionId(custom_id);
  return { type: question_type === ABSTENTION ? null : question_type, abstention, question, answer };
}

function matched(row: LongMemEvalRow, attempt: Attempt): MemoryMatch {
  return matchMemory(attempt.output, expectation(row));
}

type Entry = Pick<DoneRow<LongMemEvalRow>, "row" | "attempt" | "judgements">;

function judgeRowsOf({ row, attempt, judgements }: Entry, judge: AskedJudge): JudgeRow[] {
  if (attempt?.status !== "done" || judgementOf(judgements, "correct") !== undefined) return [];
  if (matched(row, attempt).right !== null) return [];
  const messages = memoryJudgeQuestion(expectation(row), attempt.output.slice(0, JUDGED_CHARS));
  const version = `longmemeval/${LONGMEMEVAL_JUDGE_VERSION}`;
  return [judgeRow({ row, stage: "correct", version, messages, judge })];
}

function verdictOf(
  { row, attempt, judgements }: Entry & { readonly attempt: Attempt },
  judge: CountedModel | null,
): Verdict {
  const { right, atEnd } = matched(row, attempt);
  if (judge === null || right !== null) {
    return { correct: right === true, judge: "match", output: String(right === true), atEnd };
  }
  const name = `match+${judge.variant.name}`;
  const reply = judgementOf(judgements, "correct")?.attempt.output;
  return reply === undefined
    ? { correct: null, judge: name, output: "no reply from the judge" }
    : { correct: parseCorrectness(reply), judge: name, output: reply };
}
